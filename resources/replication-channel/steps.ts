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
import { changeMark, type ServerMark } from "../../provider/mysql/ownership";
import { withServerLock } from "../../provider/mysql/lock/lock";
import { sealAgain } from "../../provider/mysql/read-only";
import { sql, type Statement } from "../../provider/mysql/sql";
import { isOurs, requireOurs, type Owner } from "../../provider/ownership";
import { isSame } from "../../provider/plan/plan";
import { resetReplicaAll, skipTransaction, startReplica, stopReplica, variableName } from "../../provider/mysql/terms";
import { setVariable } from "../../provider/mysql/options/variables";
import type { Performers, Seal, StepContext } from "../../provider/room";
import { notedOn, nothingNoted, type Live, type Note, type Settled } from "./observe";
import { foundOn, type ChannelStep } from "./plan";
import { channelOf, claimedAs, markOf, namesOf, replicaOf, sourceOf, type Declaration } from "./schema";

type Context = StepContext<Declaration, Settled, Live>;

const noChannelErrno = 3074; // ER_REPLICA_CHANNEL_DOES_NOT_EXIST

export const perform: Performers<Declaration, Settled, Live, ChannelStep> = {
  // Of a channel that nobody had marked, an older trace says nothing; that of another state of the same name holds.
  "claim-channel": ({ adopts }, context) =>
    note(context, () => ({ seal: null, ...(adopts && context.seen.settled.owner === null && noTrace) })),

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
    if (position === null) throw new Error("a channel without a place to begin; this is a bug in pulumi-sluice");
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
    // By file, where an earlier channel ended stays noted until this one ends: it may never connect.
    await note(context, () => (position.by === "gtid" ? noTrace : { start: insteadOf ?? sayPosition(position) }));
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
    // A removal that was killed before it forgot the channel has noted it as ended.
    await note(context, ({ start, ended }) => ({ caughtUp: false, start: start ?? ended?.start ?? null }));
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
    await note(context, () => ({ caughtUp: true }));
  },

  "remove-channel": async (_step, context) => {
    const { declared } = context;
    const mysql = await replicaIn(context);
    const channel = channelOf(declared);
    const facts = await readChannel(mysql, channel);
    if (facts !== null) await note(context, (trace) => ({ start: null, ended: endOf(facts, trace) }));
    const host = await hostIn(context);
    if (host !== null) {
      // Files first: the channel is what a repeated run finds them by.
      const { dataDirectory } = await readReplica(mysql, channel);
      await removeTlsFiles(host, tlsFilesOf({ socket: declared.replica.socket, dataDirectory }, channel));
      const file = await readFilterFile(host, dataDirectory, channel);
      if (file.text !== null) await writeFilterFile(host, file, null);
    }
    await unlessGone(mysql.execute(resetReplicaAll(mysql.server, channel)));
  },

  "release-channel": async (_step, context) =>
    changeMark(await replicaIn(context), markOf(context.declared), (mark) => {
      const { found, noted } = readNote(mark);
      if (found === null || !isOurs(found, context)) return mark;
      const { start, ended } = noted;
      return start === null && ended === null ? null : { owner: null, note: { ...nothingNoted, start, ended } };
    }),
};

export const seal: Seal<Declaration, Settled, Live> = {
  of: ({ note: { seal: found } }) => found,
  write: async (text, context) => {
    await note(context, () => ({ seal: text }));
    const { settled } = context.seen;
    return { ...settled, owner: context.owner, note: { ...settled.note, seal: text } };
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

/** The mark as it is now, with something new noted on it. */
async function note(context: Context, change: (noted: Note) => Partial<Note>): Promise<void> {
  const thing = markOf(context.declared);
  await changeMark(await replicaIn(context), thing, (mark) => {
    const { found, noted } = readNote(mark);
    // Somebody who came in through another host or stack may have claimed it since it was looked at.
    const { adopt } = context.declared;
    if (found !== null)
      requireOurs({ object: context.object, owner: context, found, adopt, ...claimedAs(channelOf(context.declared)) });
    const next = { owner: context.owner, note: { ...noted, ...change(noted) } };
    return isSame(next, mark) ? mark : next;
  });
}

function readNote(mark: ServerMark | null): { readonly found: Owner | null; readonly noted: Note } {
  const noted = notedOn(mark);
  return { found: foundOn({ owner: mark?.owner ?? null, note: noted }), noted };
}

async function prepareTls(context: Context, { dataDirectory }: ReplicaFacts): Promise<TlsFiles | null> {
  const { declared } = context;
  const host = await hostIn(context);
  if (host === null) return null;
  const files = tlsFilesOf({ socket: declared.replica.socket, dataDirectory }, channelOf(declared));
  await writeTlsFiles(host, files, declared.source.tls, dataDirectory);
  return files;
}

/** Runs a statement that sets the channel; what the server does not take is our own error. */
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
  const { declared, object, owner, report } = context;
  const channel = channelOf(declared);
  const text = keptFilters(rules, channel, owner);
  const host = await hostIn(context);
  const { dataDirectory } = await readReplica(mysql, channel);
  const file = await readFilterFile(host, dataDirectory, channel);
  if (host !== null && file.isPossible) return writeFilterFile(host, file, text);
  if (text === null) return;
  report.say(
    `${object}: a restarted mysqld forgets filters and starts the channel without them; put these lines into the replica's option file:\n${text}`,
  );
}

/** The server's variable is what any applier is started with; it is lent for the moment of the start. */
const startWith = (workers: number, mysql: MysqlClient, statement: Statement): Promise<void> =>
  withServerLock(mysql, "sluice.workers", async () => {
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

/** Skips the transaction that the applier stopped on, and lets it go on behind it. */
async function skip(mysql: MysqlClient, { declared, object, report }: Context, error: ThreadError, why: string) {
  const channel = channelOf(declared);
  // The counter of a replica is one for all its channels: the next applier that starts takes it.
  await withServerLock(mysql, "sluice.skip", async () => {
    for (const statement of skipTransaction(mysql.server, channel, error.transaction)) await mysql.execute(statement);
  });
  report.say(`${object}: skipped transaction ${error.transaction}: ${why}`);
}

/** Stopping and forgetting what is not there is done already. */
async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (errnoOf(error) !== noChannelErrno) throw error;
  }
}
