import { posix } from "node:path";
import { isProblem, type SluiceError } from "../../provider/errors";
import type { HostReader } from "../../provider/host/host";
import {
  hashPassword,
  readChannel,
  readReplica,
  type ChannelFacts,
  type ReplicaFacts,
} from "../../provider/mysql/channel/facts";
import { lastFailure, type Failure } from "../../provider/mysql/channel/errors/errors";
import { readFilterFile } from "../../provider/mysql/channel/filter-file";
import {
  compareRules,
  filterKinds,
  filtersOf,
  noFilters,
  noRules,
  planRules,
  type FilterKind,
  type FilterRules,
  type Filters,
} from "../../provider/mysql/channel/filters";
import type { SeenSettings } from "../../provider/mysql/channel/settings";
import { channelHealth, lagOf } from "../../provider/mysql/channel/status";
import { needsRoot, readTlsWords, sayTls } from "../../provider/mysql/channel/tls-files";
import type { ChannelNames } from "../../provider/mysql/channel/errors/thread";
import { noTrace, type Trace } from "../../provider/mysql/channel/beginning";
import { readChannelSource, type ChannelSource } from "../../provider/mysql/channel/source";
import type { Mark } from "../../provider/mark/mark";
import { formerRowMark, readRowMark } from "../../provider/mark/row";
import { isLeftWritable } from "../../provider/mysql/read-only";
import type { MysqlReader } from "../../provider/mysql/reader";
import type { Observed as ObservedOf, Readers } from "../../provider/room";
import { isSameMount, notMounted, readMount, type Mount } from "../../provider/storage/mount";
import { endpointOf } from "../../provider/endpoint";
import { unseen, unwell, type Health, type ServerSeen, type Status } from "../../provider/status";
import { channelOf, markedAs, namesOf, replicaOf, sourceOf, type Declaration } from "./schema";

/** What the mark of a channel records. */
export interface ChannelRecord extends Trace {
  /** False from a start of the threads until the replica has caught up once. */
  readonly caughtUp: boolean;
}

export type ChannelMark = Mark<ChannelRecord>;

export interface SettledChannel extends SeenSettings {
  readonly autoPosition: boolean;
  readonly rules: FilterRules;
  /** The option file that keeps the filters over a restart. */
  readonly filterFile: { readonly isPossible: boolean; readonly text: string | null };
  /** Threads of the running applier; null while it is stopped. */
  readonly workers: number | null;
  readonly receives: boolean;
  readonly applies: boolean;
  readonly sourceUuid: string;
  /** The error that a thread stopped on; missing in older states. */
  readonly failure?: Failure | null;
}

export interface Settled {
  readonly server: { readonly version: string; readonly uuid: string; readonly serverId: number } | null;
  /** Null where nothing of it was ever recorded; without an identity where only its trace is left. */
  readonly mark: ChannelMark | null;
  /** An earlier run lifted the replica's super_read_only and could not set it back. Absent in older states. */
  readonly isLeftWritable?: boolean;
  readonly channel: SettledChannel | null;
  /** The file system that the directory of a managed replica is on; null where it is not managed, or nobody can tell. */
  readonly mount: Mount | null;
}

export type Live =
  | { readonly kind: "silent"; readonly problem: SluiceError }
  | {
      readonly kind: "seen";
      readonly replica: ReplicaFacts;
      readonly channel: ChannelFacts | null;
      readonly source: ChannelSource | null;
      readonly sourceProblem: SluiceError | null;
    };

export type Observed = ObservedOf<Settled, Live>;

export const nothingRecorded: ChannelRecord = { caughtUp: false, ...noTrace };

/** What is on the mark; marks of an early version lack some of it. */
export const recordOf = (mark: ChannelMark | null): ChannelRecord => ({ ...nothingRecorded, ...mark?.record });

export const blank: Settled = { server: null, mark: null, channel: null, mount: null };

/** In a state of version 1 owner and note stand for the mark. */
export function migrate({ owner, note, ...settled }: Readonly<Record<string, unknown>>): Settled {
  const mark =
    owner == null && note == null
      ? null
      : formerRowMark<ChannelRecord>((owner ?? "") as string, { ...(note as object) });
  return { ...settled, mark } as unknown as Settled;
}

export async function observe(declared: Declaration, look: Readers, remembered: Settled | null): Promise<Observed> {
  let mysql: MysqlReader;
  try {
    mysql = await look.mysql(replicaOf(declared));
  } catch (error) {
    if (!isProblem(error, "SERVER_NOT_ANSWERING")) throw error;
    // A server that is gone took its channels along; one that is stopped still has them.
    const settled = (await isGone(declared, look, remembered)) ? blank : (remembered ?? blank);
    return { settled, live: { kind: "silent", problem: error } };
  }
  const name = channelOf(declared);
  const host = declared.replica.host === undefined ? null : await look.host(declared.replica.host);
  const directory = directoryOf(declared);
  const [replica, channel, mark, isLeft, source, mount] = await Promise.all([
    readReplica(mysql, name),
    readChannel(mysql, name),
    readRowMark<ChannelRecord>(mysql, markedAs(declared)),
    isLeftWritable(mysql),
    readSource(declared, look),
    host === null || directory === null ? null : mountOf(host, directory),
  ]);
  const settled: Settled = {
    server: { version: replica.server.version, uuid: replica.uuid, serverId: replica.serverId },
    mark,
    ...(isLeft && { isLeftWritable: true }),
    channel:
      channel === null
        ? null
        : await settle(declared, channel, namesOf(look.object, declared, replica, channel), { replica, host }),
    mount,
  };
  return { settled, live: { kind: "seen", replica, channel, ...source } };
}

export const exists = ({ channel, mark }: Settled): boolean => channel !== null || mark?.identity != null;

async function settle(
  declared: Declaration,
  channel: ChannelFacts,
  names: ChannelNames,
  { replica, host }: { readonly replica: ReplicaFacts; readonly host: HostReader | null },
): Promise<SettledChannel> {
  const { isPossible, text } = await readFilterFile(host, replica.dataDirectory, channelOf(declared));
  return {
    address: channel.address,
    port: channel.port,
    user: channel.user,
    passwordMatches: channel.passwordHash === hashPassword(declared.source.password),
    tls: await readTlsWords(host, channel.tls),
    connectRetrySeconds: channel.connectRetrySeconds,
    retryCount: channel.retryCount,
    heartbeatSeconds: channel.heartbeatSeconds,
    delaySeconds: channel.delaySeconds,
    autoPosition: channel.autoPosition,
    rules: channel.rules,
    filterFile: { isPossible, text },
    workers: channel.workers,
    receives: channel.receiver.state !== "stopped",
    applies: channel.applier.state !== "stopped",
    sourceUuid: channel.sourceUuid,
    failure: lastFailure(channel, names),
  };
}

/** Asked through the replica's host, since that is where rows will come from. A source that is down is no error here. */
async function readSource(
  declared: Declaration,
  look: Readers,
): Promise<{ source: ChannelSource | null; sourceProblem: SluiceError | null }> {
  try {
    const mysql = await look.mysql(sourceOf(declared), "source");
    const withLogs = typeof declared.start === "object" && declared.start.file !== undefined;
    return { source: await readChannelSource(mysql, withLogs), sourceProblem: null };
  } catch (error) {
    if (isProblem(error)) return { source: null, sourceProblem: error };
    throw error;
  }
}

/** `<directory>/run/mysqld.sock`. */
const directoryOf = ({ replica }: Declaration): string | null =>
  replica.host === undefined || replica.socket === undefined ? null : posix.dirname(posix.dirname(replica.socket));

const mountOf = async (host: HostReader, directory: string): Promise<Mount | null> =>
  readMount(host, directory, { asRoot: await needsRoot(host) });

/** Without its directory there is no server; one whose file system is not mounted is there all the same. */
async function isGone(declared: Declaration, look: Readers, remembered: Settled | null): Promise<boolean> {
  const directory = directoryOf(declared);
  if (directory === null || declared.replica.host === undefined) return false;
  const host = await look.host(declared.replica.host);
  if ((await host.inspect(directory, { asRoot: await needsRoot(host) })).kind !== "absent") return false;
  const [was, is] = [remembered?.mount ?? null, await mountOf(host, directory)];
  if (was !== null && is !== null && !isSameMount(was, is)) throw notMounted(look.object, directory, was, is);
  return true;
}

/** Output-only properties. */
export const outputs = (_declared: Declaration, { server, channel }: Settled): Readonly<Record<string, unknown>> => ({
  sourceUuid: channel?.sourceUuid ?? "",
  replicaUuid: server?.uuid ?? "",
  positioning: channel?.autoPosition === false ? "file" : "gtid",
});

/** What is really set, in the program's own words; what is as declared stands as it was written. */
export function asDeclared(declared: Declaration, { channel }: Settled): Readonly<Record<string, unknown>> {
  if (channel === null) return {};
  const { source } = declared;
  const rules = planRules(declared.filters, declared.replica.holds);
  return {
    source: {
      ...source,
      address: channel.address,
      port: channel.port,
      user: channel.user,
      ...(!channel.passwordMatches && { password: "" }),
      ...(channel.tls !== sayTls(source.tls) && { tls: tlsOf(channel.tls) }),
    },
    ...(compareRules(rules, channel.rules).length > 0 && { filters: declaredFilters(declared, channel.rules) }),
    delaySeconds: channel.delaySeconds,
    connectRetrySeconds: channel.connectRetrySeconds,
    retryCount: channel.retryCount,
    heartbeatSeconds: channel.heartbeatSeconds,
    ...(declared.workers !== undefined && channel.workers !== null && { workers: channel.workers }),
    state: channel.receives && channel.applies ? "running" : "stopped",
  };
}

/** Only its fingerprint is known of an authority that is not the declared one. */
const tlsOf = (words: string): unknown => (words === "off" || words === "required" ? words : { ca: words });

/** Without the rules that nobody declared, because they follow from what the replica holds. */
function declaredFilters({ filters, replica }: Declaration, rules: FilterRules): Filters {
  const following = planRules(noFilters, replica.holds);
  const isDeclared = (kind: FilterKind, rule: string) =>
    !following[kind].includes(rule) || planRules(filters, undefined)[kind].includes(rule);
  const own = filterKinds.map((kind) => [kind, rules[kind].filter((rule) => isDeclared(kind, rule))] as const);
  return filtersOf({ ...noRules, ...Object.fromEntries(own) });
}

/** Its line in the topology. */
export function statusOf(declared: Declaration, { live }: Observed, object: string): Status {
  const { source, replica, channel, state } = declared;
  const from = unseen(endpointOf({ host: replica.host, address: source.address, port: source.port }));
  const into = unseen(endpointOf(replica));
  if (live === null) return flowing(channel, from, into, null, { isWell: false, words: "not seen" });
  if (live.kind === "silent") {
    const { problem } = live.problem;
    return flowing(channel, from, unseen(into.endpoint, unwell(problem, problem.object)), null, unwell(problem));
  }
  return flowing(
    channel,
    live.source === null ? unseenSource(from, live.sourceProblem) : seenAs(from, live.source),
    seenAs(into, live.replica),
    lagOf(live.channel, live.sourceProblem),
    channelHealth(live.channel, state, namesOf(object, declared, live.replica, live.channel), live.sourceProblem),
  );
}

const flowing = (
  channel: string,
  source: ServerSeen,
  replica: ServerSeen,
  lagSeconds: number | null,
  health: Health,
): Status => ({
  shows: { noun: "channel", name: channel, below: replica, flow: { from: source, lagSeconds } },
  health,
  json: { is: "channel", channel, source, replica, lagSeconds },
});

const unseenSource = ({ endpoint }: ServerSeen, problem: SluiceError | null): ServerSeen =>
  unseen(endpoint, problem && unwell(problem.problem, problem.problem.object)); // its own row names it

const seenAs = (
  { endpoint }: ServerSeen,
  {
    server,
    isReadOnly,
    binlogFormat,
    gtidMode,
  }: Pick<ReplicaFacts, "server" | "isReadOnly" | "binlogFormat" | "gtidMode">,
): ServerSeen => ({
  endpoint,
  version: server.version,
  isReadOnly,
  binlogFormat,
  hasGtids: gtidMode === "ON",
  health: null,
});
