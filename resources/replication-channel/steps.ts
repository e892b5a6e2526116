import { isProblem, SluiceError } from "../../provider/errors";
import type { Host } from "../../provider/host/host";
import { readChannel, readReplica, type ReplicaFacts } from "../../provider/mysql/channel/facts";
import { readFilterFile, writeFilterFile } from "../../provider/mysql/channel/filter-file";
import { changeReplicationFilter, type FilterRules } from "../../provider/mysql/channel/filters";
import {
  changeDelay,
  changeReceiver,
  pointChannel,
  sayEndpoint,
  sayPosition,
} from "../../provider/mysql/channel/settings";
import { removeTlsFiles, tlsFilesOf, writeTlsFiles, type TlsFiles } from "../../provider/mysql/channel/tls-files";
import { awaitApplied, awaitRunning, readTarget, type ChannelWait } from "../../provider/mysql/channel/wait";
import type { MysqlClient } from "../../provider/mysql/client";
import { errnoOf } from "../../provider/mysql/fault";
import { readMark, removeMark, withServerLock, writeMark } from "../../provider/mysql/ownership";
import { sql, type Statement } from "../../provider/mysql/sql";
import { requireOurs } from "../../provider/ownership";
import { resetReplicaAll, startReplica, stopReplica, variableName } from "../../provider/mysql/terms";
import { setVariable } from "../../provider/mysql/variables";
import type { Performers, Seal, StepContext } from "../../provider/room";
import { nothingNoted, type Live, type Note, type Settled } from "./observe";
import { keptFilters, type ChannelStep } from "./plan";
import { channelOf, markOf, replicaOf, sourceOf, type Declaration } from "./schema";

type Context = StepContext<Declaration, Settled, Live>;

const noChannelErrno = 3074; // ER_REPLICA_CHANNEL_DOES_NOT_EXIST
const anonymousModes = new Set(["OFF", "OFF_PERMISSIVE"]);

export const perform: Performers<Declaration, Settled, Live, ChannelStep> = {
  "claim-channel": (_step, context) => note(context, {}),

  "stop-channel": async ({ threads }, context) => {
    const mysql = await replicaIn(context);
    const thread = threads === "both" ? undefined : threads;
    const limit = { withinSeconds: context.declared.stopSeconds };
    await unlessGone(mysql.execute(stopReplica(mysql.server, channelOf(context.declared), thread), limit));
  },

  "point-channel": async ({ position }, context) => {
    const { declared, seen } = context;
    if (position === null) throw new Error("a channel without a place to begin; this is a bug in pulumi-sluice");
    const mysql = await replicaIn(context);
    const replica = await readReplica(mysql, channelOf(declared));
    const source = seen.live?.kind === "seen" ? seen.live.source : null;
    const assignsGtids =
      position.by === "file" && anonymousModes.has(source?.gtidMode ?? "") && replica.gtidMode === "ON";
    const files = await prepareTls(context, replica);
    await set(
      mysql,
      context,
      pointChannel(mysql.server, channelOf(declared), declared, { position, files, assignsGtids }),
    );
    await note(context, { start: position.by === "file" ? sayPosition(position) : null });
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
    await note(context, { caughtUp: false });
    if (workers === null) await mysql.execute(statement);
    else await startWith(workers, mysql, statement);
    await awaitRunning({ ...(await waitOf(context, mysql)), withinSeconds: startWithinSeconds });
  },

  "await-applied": async ({ withinSeconds }, context) => {
    const { declared } = context;
    const mysql = await replicaIn(context);
    const channel = await readChannel(mysql, channelOf(declared));
    const source = await context.mysql(sourceOf(declared), "source");
    const target = await readTarget(source, channel?.autoPosition === false ? "file" : "gtid");
    await awaitApplied({ ...(await waitOf(context, mysql)), withinSeconds }, target);
    await note(context, { caughtUp: true });
  },

  "remove-channel": async (_step, context) => {
    const { declared } = context;
    const mysql = await replicaIn(context);
    const channel = channelOf(declared);
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

  "release-channel": async (_step, context) => removeMark(await replicaIn(context), markOf(context.declared)),
};

export const seal: Seal<Declaration, Settled, Live> = {
  of: ({ note: { seal: found } }) => found,
  write: async (text, context) => {
    await note(context, { seal: text });
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
async function note(context: Context, change: Partial<Note>): Promise<void> {
  const mysql = await replicaIn(context);
  const object = markOf(context.declared);
  const mark = await readMark(mysql, object);
  // Somebody who came in through another host or stack may have claimed it since it was looked at.
  const noted = { ...nothingNoted, ...(mark?.note as Partial<Note> | undefined) };
  const found = mark && { owner: mark.owner, seal: noted.seal };
  const { adopt } = context.declared;
  if (found !== null) requireOurs({ object: context.object, owner: context, found, adopt, thing: object });
  await writeMark(mysql, object, { owner: context.owner, note: { ...noted, ...change } });
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
  const { declared, object, signal, report } = context;
  const names = {
    object,
    channel: channelOf(declared),
    source: sayEndpoint(declared.source),
    user: declared.source.user,
    server: mysql.server,
  };
  return { mysql, names, signal, report };
}

/** Stopping and forgetting what is not there is done already. */
async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (errnoOf(error) !== noChannelErrno) throw error;
  }
}
