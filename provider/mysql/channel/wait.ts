import { isProblem, SluiceError } from "../../errors";
import type { Report } from "../../report";
import { awaitCondition, done, waiting } from "../../wait";
import {
  containsGtidSet,
  countGtids,
  isEmptyGtidSet,
  parseGtidSet,
  subtractGtidSet,
  uniteGtidSets,
  type GtidSet,
} from "../gtid";
import type { MysqlReader } from "../reader";
import { sql } from "../sql";
import { modernRow, showBinaryLogStatus } from "../terms";
import { isPassing, threadFailure } from "./errors/errors";
import { readChannel, type ChannelFacts, type ThreadError } from "./facts";
import { outsideStatement } from "./outside";
import type { ChannelNames } from "./errors/thread";
import { sayDuration } from "../../duration";

export interface ChannelWait {
  readonly mysql: MysqlReader;
  readonly names: ChannelNames;
  readonly withinSeconds: number;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Skips the transaction that the applier stopped on, and starts the applier. */
  readonly skip: (error: ThreadError, why: string) => Promise<void>;
}

/** How far the source had come: everything up to here is waited for. */
export type Target =
  | { readonly by: "gtid"; readonly executed: GtidSet }
  | { readonly by: "file"; readonly file: string; readonly position: bigint };

export async function readTarget(source: MysqlReader, by: Target["by"]): Promise<Target> {
  if (by === "gtid") {
    const row = await source.queryRow<{ executed: string }>(sql`SELECT @@GLOBAL.gtid_executed AS executed`);
    return { by, executed: parseGtidSet(row?.executed ?? "") };
  }
  const row = modernRow((await source.queryRow(showBinaryLogStatus(source.server))) ?? {});
  return { by, file: String(row["File"] ?? ""), position: BigInt(String(row["Position"] ?? 0)) };
}

const lookEveryMillis = 1000; // what a person reads comfortably; a look is one round trip

const refusedWithinSeconds = 10; // connect_timeout of the source, which the replica's host has just reached

/** Both threads run and the source has let the receiver in. A thread that fails ends the wait with its own error. */
export async function awaitRunning(wait: ChannelWait): Promise<void> {
  const startedAt = performance.now();
  await watch(wait, "both threads to run", (channel) => {
    if (channel.receiver.state === "running")
      return channel.applier.state === "running" ? null : "the applier is stopped";
    const { error, state } = channel.receiver;
    if (error !== null && performance.now() - startedAt > refusedWithinSeconds * 1000)
      throw threadFailure("receiver", error, wait.names);
    return `the receiver is ${state}`;
  });
}

/** Everything up to the target is applied; with a delay: is received, and the applier waits out its delay. */
export async function awaitApplied(wait: ChannelWait, target: Target): Promise<void> {
  const pace = new Pace();
  await watch(wait, "the replica to apply what the source had executed", async (channel) => {
    if (target.by === "file") return fileLag(channel, target);
    const row = await wait.mysql.queryRow<{ executed: string }>(sql`SELECT @@GLOBAL.gtid_executed AS executed`);
    const executed = parseGtidSet(row?.executed ?? "");
    const missing = subtractGtidSet(target.executed, executed);
    if (isEmptyGtidSet(missing)) return null;
    const received = uniteGtidSets(executed, channel.receiver.received);
    if (channel.applier.remainingDelaySeconds !== null && containsGtidSet(received, target.executed)) return null;
    return pace.say(countGtids(missing), channel);
  });
}

function fileLag(channel: ChannelFacts, target: Extract<Target, { by: "file" }>): string | null {
  const { file, position, remainingDelaySeconds } = channel.applier;
  if (file !== "" && compareLogs(file, target.file) > 0) return null;
  if (file === target.file && BigInt(position) >= target.position) return null;
  const place = `applied up to ${file}:${position} of ${target.file}:${String(target.position)}`;
  // Without GTIDs received and due transactions look the same; the remaining delay shows that the applier has caught up.
  return remainingDelaySeconds === null ? place : null;
}

/** `binlog.999999` comes before `binlog.1000000`. */
const compareLogs = (one: string, other: string): number =>
  one.length - other.length || (one < other ? -1 : Number(one > other));

type Judge = (channel: ChannelFacts) => string | null | Promise<string | null>;

async function watch(wait: ChannelWait, what: string, judge: Judge): Promise<void> {
  const { mysql, names, report } = wait;
  let failure: SluiceError | undefined;
  try {
    await awaitCondition({
      object: names.object,
      what,
      withinSeconds: wait.withinSeconds,
      everyMillis: lookEveryMillis,
      signal: wait.signal,
      onWait: (why) => report.progress(why),
      check: async () => {
        const channel = await readChannel(mysql, names.channel);
        if (channel === null) throw changed(names, "the channel was removed by another session");
        const skipped = await skipStopped(channel, wait);
        if (skipped !== null) return waiting(skipped);
        failure = failureOf(channel, { ...names, rules: channel.rules });
        const why = await judge(channel);
        return why === null
          ? done(undefined)
          : waiting(failure === undefined ? why : `${why}; ${failure.problem.what}`);
      },
    });
  } catch (error) {
    if (isProblem(error, "TIMEOUT_REACHED") && failure !== undefined) throw failure;
    throw error;
  }
}

/** Before a start: skips the transaction that the applier stopped on if it is about what the filters keep out. */
export async function skipOutside(wait: Pick<ChannelWait, "mysql" | "names" | "skip">): Promise<void> {
  const channel = await readChannel(wait.mysql, wait.names.channel);
  if (channel !== null) await skipStopped(channel, wait);
}

async function skipStopped(
  { applier, rules }: ChannelFacts,
  { skip, names }: Pick<ChannelWait, "skip" | "names">,
): Promise<string | null> {
  const { error, state } = applier;
  const statement = state === "stopped" && error !== null ? outsideStatement(error, rules) : null;
  if (error === null || statement === null || error.transaction === "") return null;
  await skip(error, `${statement} is about a database that the filters of channel ${names.channel} keep out`);
  return `skipped ${statement}`;
}

/** Throws an error that needs a repair; returns one that can pass without a repair. */
function failureOf({ receiver, applier }: ChannelFacts, names: ChannelNames): SluiceError | undefined {
  if (applier.state === "stopped")
    throw applier.error === null
      ? changed(names, "another session stopped the applier")
      : threadFailure("applier", applier.error, names);
  if (receiver.state === "running") return undefined;
  if (receiver.error === null) {
    if (receiver.state === "stopped") throw changed(names, "another session stopped the receiver");
    return undefined;
  }
  return receiverFailure(receiver.state, receiver.error, names);
}

function receiverFailure(state: "connecting" | "stopped", error: ThreadError, names: ChannelNames): SluiceError {
  const failure = threadFailure("receiver", error, names);
  if (state === "stopped" || !isPassing("receiver", error, names)) throw failure;
  return failure;
}

const changed = ({ object }: ChannelNames, what: string): SluiceError =>
  new SluiceError({
    code: "SERVER_RUNNING_ELSEWHERE",
    object,
    what: `cannot catch up, ${what} meanwhile`,
    fix: "find out which user did it and why, then run `pulumi up` again",
  });

/** Speed from the first look on: seconds pass in bursts, transactions too. */
class Pace {
  #first: { readonly at: number; readonly missing: bigint } | undefined;

  say(missing: bigint, { applier }: ChannelFacts): string {
    const now = performance.now();
    this.#first ??= { at: now, missing };
    const seconds = (now - this.#first.at) / 1000;
    const applied = Number(this.#first.missing - missing);
    const rate = seconds > 0 ? applied / seconds : 0;
    const percent = this.#first.missing === 0n ? 100 : (applied / Number(this.#first.missing)) * 100;
    const parts = [
      `${percent.toFixed(1)} %`,
      `behind ${Number(missing).toLocaleString("en")} transactions`,
      applier.lagSeconds === null ? "" : `lag ${String(applier.lagSeconds)} s`,
      rate > 0 ? `${Math.round(rate).toLocaleString("en")}/s` : "",
      percent >= 1 && rate > 0 ? `about ${sayDuration(Number(missing) / rate)} left` : "",
    ];
    return parts.filter((part) => part !== "").join(" · ");
  }
}
