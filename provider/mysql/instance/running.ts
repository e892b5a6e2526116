import { isProblem } from "../../errors";
import type { Difference } from "../../plan/plan";
import type { MysqlClient, MysqlReader } from "../reader";
import { setSuperReadOnly } from "../read-only";
import { id, sql } from "../sql";
import { isSameValue, selectVariables, setVariable, type Adjusted } from "../options/variables";
import type { SeenAccount } from "./accounts/accounts";
import { byDefault } from "./differences";

/** Facts of a running server. */
export interface RunningFacts {
  readonly version: string;
  readonly uuid: string;
  /** The requested ones that it has, by name. */
  readonly variables: Readonly<Record<string, string>>;
  readonly rootPasswordMatches: boolean;
  /** Accounts that Sluice created, and those of declared names. Absent in a state of an older version. */
  readonly accounts?: readonly SeenAccount[];
}

/** `refused`: the login of its management account is refused. `silent`: it does not answer yet. */
export type RunningServer = RunningFacts | "refused" | "silent";

interface Variable {
  readonly name: string;
  readonly value: string;
}

export interface Asked {
  /** In addition to those that its health and its channels depend on. */
  readonly variables: readonly string[];
  readonly rootPasswordMatches: () => Promise<boolean>;
  readonly accounts: (mysql: MysqlReader) => Promise<readonly SeenAccount[]>;
}

const alwaysAsked = [
  "super_read_only",
  "read_only",
  "event_scheduler",
  "server_id",
  "port",
  "binlog_format",
  "gtid_mode",
  // `durability` sets these without `config` naming them.
  "sync_binlog",
  "innodb_flush_log_at_trx_commit",
] as const;

export async function readRunning(connect: () => Promise<MysqlReader>, asked: Asked): Promise<RunningServer> {
  let mysql: MysqlReader;
  try {
    mysql = await connect();
  } catch (error) {
    if (isProblem(error, "SERVER_LOGIN_REFUSED")) return "refused";
    if (isProblem(error, "SERVER_NOT_ANSWERING")) return "silent";
    throw error;
  }
  const [row] = await mysql.query<{ version: string; uuid: string }>(
    sql`SELECT @@version AS version, @@server_uuid AS uuid`,
  );
  const variables = await mysql.query<Variable>(selectVariables([...alwaysAsked, ...asked.variables]));
  return {
    version: row?.version ?? "",
    uuid: row?.uuid ?? "",
    variables: Object.fromEntries(variables.map(({ name, value }) => [name, value])),
    rootPasswordMatches: await asked.rootPasswordMatches(),
    accounts: await asked.accounts(mysql),
  };
}

/**
 * Sets variables of the running server; returns the values that it changed. Left alone: a variable that has its
 * value already, and options that are not variables.
 */
export async function setRunning(
  connect: () => Promise<MysqlClient>,
  because: readonly Difference[],
): Promise<Readonly<Record<string, Adjusted>>> {
  const mysql = await connect();
  // A size that is not a multiple of what the server allocates is then rounded, as at a start, and no error (1231).
  await mysql.execute(sql`SET SESSION sql_mode = ''`);
  const asked = new Map(because.filter(({ to }) => to !== byDefault).map(({ property, to }) => [property, to]));
  const [first, ...others] = asked.keys();
  const running = first === undefined ? [] : await mysql.query<Variable>(selectVariables([first, ...others]));
  for (const { property } of because.filter(({ to }) => to === byDefault))
    await mysql.execute(sql`SET GLOBAL ${id(property)} = DEFAULT`);
  for (const { name, value } of running) {
    const to = asked.get(name);
    if (to === undefined || isSameValue(name, to, value)) continue;
    if (name === "super_read_only") await setSuperReadOnly(mysql, isSameValue(name, to, "ON"));
    else await mysql.execute(setVariable(name, to));
  }
  const fresh = await connect(); // the next reader does not get the session above, whose sql_mode differs
  if (first === undefined) return {};
  const rows = await fresh.query<Variable>(selectVariables([first, ...others]));
  return Object.fromEntries(
    rows
      .filter(({ name, value }) => !isSameValue(name, asked.get(name), value))
      .map(({ name, value }) => [name, { asked: asked.get(name) ?? "", got: value }]),
  );
}
