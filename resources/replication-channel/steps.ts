import { isProblem, SluiceError } from "../../provider/errors";
import type { Host } from "../../provider/host/host";
import { endOf, noTrace } from "../../provider/mysql/channel/beginning";
import { readChannel, readReplica, type ReplicaFacts, type ThreadError } from "../../provider/mysql/channel/facts";
import { readFilterFile, writeFilterFile } from "../../provider/mysql/channel/filter-file";
import { changeReplicationFilter, keptFilters, type FilterRules } from "../../provider/mysql/channel/filters";
import {
  assignedUuid,
  assignsGtids,
  changeDelay,
  changeReceiver,
  pointChannel,
  sayPosition,
} from "../../provider/mysql/channel/settings";
import { removeTlsFiles, tlsFilesOf, writeTlsFiles, type TlsFiles } from "../../provider/mysql/channel/tls-files";
import {
  awaitApplied,
  awaitRunning,
  readTarget,
  skipOutside,
  type ChannelWait,
} from "../../provider/mysql/channel/wait";
import type { MysqlClient } from "../../provider/mysql/reader";
import { errnoOf } from "../../provider/mysql/fault/fault";
import { changeRowMark } from "../../provider/mark/row";
import { withBriefLock } from "../../provider/mysql/lock/lock";
import { sealAgain } from "../../provider/mysql/read-only";
import { sql, type Statement } from "../../provider/mysql/sql";
import { isOurs, markOf } from "../../provider/mark/mark";
import { requireOurs } from "../../provider/mark/refusals";
import { isSame } from "../../provider/plan/plan";
import { resetReplicaAll, skipTransaction, startReplica, stopReplica, variableName } from "../../provider/mysql/terms";
import { setVariable } from "../../provider/mysql/options/variables";
import type { Performers, Seal, StepContext } from "../../provider/room";
import { nothingRecorded, recordOf, type ChannelMark, type ChannelRecord, type Live, type Settled } from "./facts";
import type { ChannelStep } from "./plan";
import { channelOf, claimedAs, markedAs, namesOf, replicaOf, sourceOf, type Declaration } from "./schema";

type Context = StepContext<Declaration, Settled, Live>;

const noChannelErrno = 3074; // ER_REPLICA_CHANNEL_DOES_NOT_EXIST

export const perform: Performers<Declaration, Settled, Live, ChannelStep> = {
  // If the channel had no mark, an older record is ignored; the record of another state of the same name is kept.
  "claim-channel": async ({ adopts }, context) => {
    const isUnmarked = context.seen.settled.mark?.identity == null;
    await record(context, () => (adopts && isUnmarked ? noTrace : {}), { seal: null });
  },

  "seal-replica": async (_step, context) => {
    await sealAgain(await replicaIn(context));
  },

  "stop-channel": async ({ threads }, context) => {
    const mysql = await replicaIn(context);
    const thread = threads === "both" ? undefined : threads;
    const limit = { withinSeconds: context.declared.stopSeconds };
    await unlessGone(mysql.execute(stopReplica(mysql.server, channelOf(context.declared), thread), limit));
  },

  "point-channel": async ({ position, insteadOf }, context) => {
    const { declared, seen } = context;
    if (position === null) throw new Error("a channel without a start position; this is a bug in pulumi-sluice");
    const mysql = await replicaIn(context);
    const [replica, before] = await Promise.all([
      readReplica(mysql, channelOf(declared)),
      readChannel(mysql, channelOf(declared)),
    ]);
    const source = seen.live?.kind === "seen" ? seen.live.source : null;
    const modes = { source: source?.gtidMode ?? "", replica: replica.gtidMode };
    const uuid = before?.assignedUuid ?? assignedUuid(channelOf(declared), replica.uuid);
    const assigns = assignsGtids(position, modes) ? uuid : null;
    const at = { position, files: await prepareTls(context, replica), assigns };
    await set(mysql, context, pointChannel(mysql.server, channelOf(declared), declared, at));
    // By file, the end position of an earlier channel stays recorded until this one ends: it may never connect.
    await record(context, () => (position.by === "gtid" ? noTrace : { start: insteadOf ?? sayPosition(position) }));
  },

  "change-channel": async ({ receiver, delay }, context) => {
    const { declared } = context;
    const mysql = await replicaIn(context);
    const channel = channelOf(declared);
    const files = receiver ? await prepareTls(context, await readReplica(mysql, channel)) : null;
    if (receiver) await set(mysql, context, changeReceiver(mysql.server, channel, declared, files));
    if (delay) await set(mysql, context, changeDelay(mysql.server, channel, declared.delaySeconds));
  },

  "set-filters": async ({ rules }, context) => {
    if (rules === null) throw new Error("a channel without known filters; this is a bug in pulumi-sluice");
    const mysql = await replicaIn(context);
    await set(mysql, context, changeReplicationFilter(rules, channelOf(context.declared)));
    await keepFilters(rules, mysql, context);
  },

  "keep-filters": async ({ rules }, context) => keepFilters(rules, await replicaIn(context), context),

  "start-channel": async ({ workers }, context) => {
    const { declared } = context;
    const mysql = await replicaIn(context);
    const statement = startReplica(mysql.server, channelOf(declared));
    const wait = await waitOf(context, mysql);
    await skipOutside(wait);
    // A removal that was killed before it removed the channel has recorded it as ended.
    await record(context, ({ start, ended }) => ({ caughtUp: false, start: start ?? ended?.start ?? null }));
    if (workers === null) await mysql.execute(statement);
    else await startWith(workers, mysql, statement);
    await awaitRunning({ ...wait, withinSeconds: startWithinSeconds });
  },

  "await-applied": async ({ withinSeconds }, context) => {
    const { declared } = context;
    const mysql = await replicaIn(context);
    const channel = await readChannel(mysql, channelOf(declared));
    const source = await context.mysql(sourceOf(declared), "source");
    const target = await readTarget(source, channel?.autoPosition === false ? "file" : "gtid");
    await awaitApplied({ ...(await waitOf(context, mysql)), withinSeconds }, target);
    await record(context, () => ({ caughtUp: true }));
  },

  "remove-channel": async (_step, context) => {
    const { declared } = context;
    const mysql = await replicaIn(context);
    const channel = channelOf(declared);
    const facts = await readChannel(mysql, channel);
    if (facts !== null) await record(context, (trace) => ({ start: null, ended: endOf(facts, trace) }));
    const host = await hostIn(context);
    if (host !== null) {
      // Files first: a repeated run finds them through the channel.
      const { dataDirectory } = await readReplica(mysql, channel);
      await removeTlsFiles(host, tlsFilesOf({ socket: declared.replica.socket, dataDirectory }, channel));
      const file = await readFilterFile(host, dataDirectory, channel);
      if (file.text !== null) await writeFilterFile(host, file, null);
    }
    await unlessGone(mysql.execute(resetReplicaAll(mysql.server, channel)));
  },

  "release-channel": async (_step, context) =>
    changeRowMark<ChannelRecord>(await replicaIn(context), markedAs(context.declared), (mark) => {
      if (!isOurs(mark?.identity, context.identity)) return mark;
      const { start, ended } = recordOf(mark);
      return start === null && ended === null ? null : markOf(null, { ...nothingRecorded, start, ended });
    }),
};

export const seal: Seal<Declaration, Settled, Live> = {
  of: ({ mark }) => mark?.identity?.seal ?? null,
  write: async (text, context) => {
    const mark = await record(context, () => ({}), { seal: text });
    return { ...context.seen.settled, mark };
  },
};

const startWithinSeconds = 120; // two attempts to connect, at mysqld's replica_net_timeout of 60 s each
const otherWithinSeconds = 300; // a few statements of at most 60 s (provider/mysql/client.ts) and files
const spareSeconds = 30; // so that the work's own limit is reached first, with its own words

export function withinSeconds(step: ChannelStep, { stopSeconds }: Declaration): number {
  if (step.kind === "stop-channel") return stopSeconds + spareSeconds;
  return step.kind === "await-applied" ? step.withinSeconds + spareSeconds : otherWithinSeconds;
}

const replicaIn = (context: Context): Promise<MysqlClient> => context.mysql(replicaOf(context.declared));

const hostIn = async (context: Context): Promise<Host | null> => {
  const { host } = context.declared.replica;
  return host === undefined ? null : context.host(host);
};

/** Records something on the mark as it is now, and puts the channel's owner on it. Answers with the new mark. */
async function record(
  context: Context,
  change: (recorded: ChannelRecord) => Partial<ChannelRecord>,
  { seal: text }: { readonly seal?: string | null } = {},
): Promise<ChannelMark | null> {
  const { declared, object, identity } = context;
  let next: ChannelMark | null = null;
  await changeRowMark<ChannelRecord>(await replicaIn(context), markedAs(declared), (mark) => {
    const found = mark?.identity ?? null;
    // Another stack may have claimed the channel since it was observed, through another host.
    const claim = { object, identity, found, adopt: declared.adopt, ...claimedAs(channelOf(declared)) };
    if (found !== null) requireOurs(claim);
    const now = recordOf(mark);
    next = markOf({ ...identity, seal: text === undefined ? (found?.seal ?? null) : text }, { ...now, ...change(now) });
    return isSame(next, mark) ? mark : next;
  });
  return next;
}

async function prepareTls(context: Context, { dataDirectory }: ReplicaFacts): Promise<TlsFiles | null> {
  const { declared } = context;
  const host = await hostIn(context);
  if (host === null) return null;
  const files = tlsFilesOf({ socket: declared.replica.socket, dataDirectory }, channelOf(declared));
  await writeTlsFiles(host, files, declared.source.tls, dataDirectory);
  return files;
}

/** Runs a statement that sets the channel; a refused statement becomes CHANNEL_SETTINGS_REFUSED. */
async function set(mysql: MysqlClient, { object }: Context, statement: Statement): Promise<void> {
  try {
    await mysql.execute(statement);
  } catch (error) {
    if (!isProblem(error, "SERVER_QUERY_FAILED")) throw error;
    throw new SluiceError({
      ...error.problem,
      code: "CHANNEL_SETTINGS_REFUSED",
      object,
      what: "cannot be set, the replica refuses the statement",
      found: error.problem.what.replace(/^a statement failed: /, ""),
    });
  }
}

async function keepFilters(rules: FilterRules, mysql: MysqlClient, context: Context): Promise<void> {
  const { declared, object, identity, report } = context;
  const channel = channelOf(declared);
  const text = keptFilters(rules, channel, identity.name);
  const host = await hostIn(context);
  const { dataDirectory } = await readReplica(mysql, channel);
  const file = await readFilterFile(host, dataDirectory, channel);
  if (host !== null && file.isPossible) return writeFilterFile(host, file, text);
  if (text === null) return;
  report.say(
    `${object}: a restarted mysqld forgets filters and starts the channel without them; put these lines into the replica's option file:\n${text}`,
  );
}

/** Every applier is started with the server's variable; it is changed for the moment of the start. */
const startWith = (workers: number, mysql: MysqlClient, statement: Statement): Promise<void> =>
  withBriefLock(mysql, "sluice.workers", async () => {
    const name = variableName(mysql.server, "replica_parallel_workers");
    const row = await mysql.queryRow<{ value: string }>(
      sql`SELECT VARIABLE_VALUE AS value FROM performance_schema.global_variables WHERE VARIABLE_NAME = ${name}`,
    );
    await mysql.execute(setVariable(name, String(workers)));
    try {
      await mysql.execute(statement);
    } finally {
      await mysql.execute(setVariable(name, row?.value ?? String(workers)));
    }
  });

async function waitOf(context: Context, mysql: MysqlClient): Promise<Omit<ChannelWait, "withinSeconds">> {
  const { declared, signal, report } = context;
  const names = namesOf(context.object, declared, await readReplica(mysql, channelOf(declared)), null);
  return { mysql, names, signal, report, skip: (error, why) => skip(mysql, context, error, why) };
}

/** Skips the transaction that the applier stopped on, and lets the applier continue after it. */
async function skip(mysql: MysqlClient, { declared, object, report }: Context, error: ThreadError, why: string) {
  const channel = channelOf(declared);
  // The counter of a replica is one for all its channels: the next applier that starts takes it.
  await withBriefLock(mysql, "sluice.skip", async () => {
    for (const statement of skipTransaction(mysql.server, channel, error.transaction)) await mysql.execute(statement);
  });
  report.say(`${object}: skipped transaction ${error.transaction}: ${why}`);
}

/** A channel that does not exist counts as stopped and removed. */
async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (errnoOf(error) !== noChannelErrno) throw error;
  }
}
