import { setSealed } from "../../read-only";
import type { ServerReach } from "../../../schema/connection";
import { id } from "../../sql";
import { skipTransaction, startReplica } from "../../terms";
import { tableNamed } from "./table";
import type { ThreadError } from "../facts";
import type { ChannelNames } from "./thread";

/** One way to repair an error, complete alone. */
export interface Recipe {
  /** Reads on from `(a)`: what it does, and which data it loses. */
  readonly does: string;
  /** In the order in which they are run; none if the sentence says it all. */
  readonly statements?: readonly string[];
}

/** `ssh sluice@stage-1`, then `mysql --socket=...`: where a person types the statements of a recipe. */
export function sayLogin({ host, socket, address = "localhost", port = 3306, user }: ServerReach): string {
  const server =
    socket === undefined
      ? `mysql --host=${address} --port=${String(port)} --user=${user} --password`
      : `mysql --socket=${socket} --user=${user}`;
  return typeof host === "object"
    ? `\`ssh ${host.user ?? "root"}@${host.address}\`, then \`${server}\``
    : `\`${server}\``;
}

/** The recipes, each on lines of its own. A single one needs no letter. */
export function sayRecipes({ login }: ChannelNames, recipes: readonly (Recipe | null)[]): string {
  const all = recipes.filter((recipe) => recipe !== null);
  const lines = all.flatMap(({ does, statements = [] }, index) => {
    const letter = all.length === 1 ? "" : `(${String.fromCharCode(97 + index)}) `;
    const text = statements.map((statement) => `${statement};`).join(" ");
    return text === "" ? [`${letter}${does}`] : [`${letter}${does}:`, `    ${text}`];
  });
  const typed = all.some(({ statements = [] }) => statements.length > 0);
  const where = typed ? `on the replica: ${login}` : "";
  if (all.length === 1) return [...lines, ...(typed ? [where] : [])].join("\n");
  return [`do one of these${typed ? `; statements are run ${where}` : ""}`, ...lines].join("\n");
}

/**
 * Statements that write on the replica and let the channel continue. They leave no transaction in the replica's binary
 * log and GTID set, and the server as read-only as it is.
 */
export function repair(names: ChannelNames, does: string, ...statements: readonly string[]): Recipe {
  const { channel, server, isSealed } = names;
  return {
    does,
    statements: [
      ...(isSealed ? [setSealed(false).display] : []),
      "SET sql_log_bin = 0",
      ...statements,
      "SET sql_log_bin = 1",
      ...(isSealed ? [setSealed(true).display] : []),
      startReplica(server, channel).display,
    ],
  };
}

/** Null if the error is not about a transaction. MySQL's manual, "Skipping Transactions". */
export function skip(names: ChannelNames, error: ThreadError, does: string): Recipe | null {
  const { channel, server } = names;
  if (error.transaction === "") return null;
  return { does, statements: skipTransaction(server, channel, error.transaction).map(({ display }) => display) };
}

/** The table that an error of a row event names, quoted; a placeholder if it names none. */
export function tableOf({ message }: ThreadError): string {
  const named = tableNamed(message);
  return named === null ? "<database>.<table>" : id(named.database, named.table).text;
}
