import { SluiceError } from "../../../errors";
import type { Difference } from "../../../plan/plan";
import type { ReplicaThread } from "../../terms";
import { applierErrors } from "./applier";
import type { ChannelFacts, ThreadError } from "../facts";
import { receiverErrors } from "./receiver";
import { repair, sayRecipes, skip } from "./recipes";
import type { ChannelNames, ErrorEntry } from "./thread";

const others: Readonly<Record<ReplicaThread, ErrorEntry>> = {
  receiver: {
    thread: "receiver",
    code: "CHANNEL_RECEIVER_FAILED",
    what: "stopped receiving on an error of the source or the connection",
    fix: () => "remove what the cause names, then run `pulumi up`: the receiver continues where it stopped",
  },
  applier: {
    thread: "applier",
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying on an error",
    fix: (names, error) =>
      sayRecipes(names, [
        repair(names, "repair on the replica what the cause names; the transaction is applied again", "<statements>"),
        skip(names, error, "skip the transaction; all its changes are lost on the replica"),
      ]),
  },
};

const table = [...receiverErrors, ...applierErrors];

const entryOf = (thread: ReplicaThread, error: ThreadError, names: ChannelNames): ErrorEntry =>
  table.find(
    (entry) =>
      entry.thread === thread &&
      (entry.errnos === undefined || entry.errnos.includes(error.errno)) &&
      (entry.says === undefined || entry.says.test(error.message)) &&
      (entry.when === undefined || entry.when(names, error)),
  ) ?? others[thread];

/** Whether the thread may run again without a repair. */
export const isPassing = (thread: ReplicaThread, error: ThreadError, names: ChannelNames): boolean =>
  entryOf(thread, error, names).passes === true;

const whatOf = ({ what }: ErrorEntry, names: ChannelNames): string => (typeof what === "string" ? what : what(names));

/** What a thread's error means, and how to repair it. */
export function threadFailure(thread: ReplicaThread, error: ThreadError, names: ChannelNames): SluiceError {
  const entry = entryOf(thread, error, names);
  const transaction = error.transaction === "" ? "" : `, transaction ${error.transaction}`;
  return new SluiceError({
    code: entry.code,
    object: names.object,
    what: `${whatOf(entry, names)}, error ${String(error.errno)}`,
    found: `error ${String(error.errno)}${transaction}, reported by the ${thread}`,
    fix: entry.fix(names, error),
    detail: wordsOfMessage(error.message),
    cause: { errno: error.errno, name: "", message: error.message },
  });
}

/** The error that a thread stopped on. Stable until the thread is started again. */
export interface Failure {
  readonly thread: ReplicaThread;
  readonly errno: number;
  /** Sluice's text, not the server's, which holds values of rows, and statements with hashes of passwords. */
  readonly text: string;
}

/** The failure of a stopped thread, or null. A receiver that still connects has not failed: its error counts attempts. */
export function lastFailure(
  { receiver, applier }: Pick<ChannelFacts, "receiver" | "applier">,
  names: ChannelNames,
): Failure | null {
  const failureOf = (thread: ReplicaThread, { state, error }: { state: string; error: ThreadError | null }) =>
    state !== "stopped" || error === null
      ? null
      : { thread, errno: error.errno, text: whatOf(entryOf(thread, error, names), names) };
  return failureOf("applier", applier) ?? failureOf("receiver", receiver);
}

/** Why a start may meet the same error again. */
export const sayFailure = (failure: Failure | null | undefined): Difference[] =>
  failure === undefined || failure === null
    ? []
    : [{ property: `last error of the ${failure.thread}`, from: "", to: `${String(failure.errno)}: ${failure.text}` }];

/** The coordinator only says that a worker has failed, and where to look for more. */
const wordsOfMessage = (message: string): string =>
  message
    .replace(
      /^Coordinator stopped because there were error\(s\) in the worker\(s\)\. The most recent failure being: /,
      "",
    )
    .replace(/\. See error log and\/or performance_schema\..*$/s, "");
