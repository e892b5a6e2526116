import type { SluiceError } from "../../provider/errors";
import type { ChannelFacts, ReplicaFacts } from "../../provider/mysql/channel/facts";
import type { Failure } from "../../provider/mysql/channel/errors/errors";
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
import { sayTls } from "../../provider/mysql/channel/tls-files";
import { noTrace, type Trace } from "../../provider/mysql/channel/beginning";
import type { ChannelSource } from "../../provider/mysql/channel/source";
import type { Mark } from "../../provider/mark/mark";
import { formerRowMark } from "../../provider/mark/row";
import type { Observed as ObservedOf } from "../../provider/room";
import { notMounted, type Mount, type Unmounted } from "../../provider/storage/mount";
import { endpointOf } from "../../provider/endpoint";
import { unseen, unwell, type Health, type ServerSeen, type Status } from "../../provider/status";
import { namesOf, type Declaration } from "./schema";

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
  /** Null if nothing of it was ever recorded; without an identity where only its trace is left. */
  readonly mark: ChannelMark | null;
  /** An earlier run lifted the replica's super_read_only and could not set it back. Absent in older states. */
  readonly isLeftWritable?: boolean;
  readonly channel: SettledChannel | null;
  /** The file system that the directory of a managed replica is on; null if the replica is not managed, or the system does not say. */
  readonly mount: Mount | null;
}

export type Live =
  | {
      readonly kind: "silent";
      readonly problem: SluiceError;
      /** The replica's directory is absent, and so is the file system that it was on. `settled` is what is remembered. */
      readonly unmounted: Unmounted | null;
    }
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

export const exists = ({ channel, mark }: Pick<Settled, "channel" | "mark">): boolean =>
  channel !== null || mark?.identity != null;

/** Why the channel cannot be observed in its replica. */
export const unseenBecause = ({ live }: Observed, object: string): SluiceError | undefined =>
  live?.kind === "silent" && live.unmounted !== null ? notMounted(object, live.unmounted) : undefined;

/** Output-only properties. */
export const outputs = (_declared: Declaration, { server, channel }: Settled): Readonly<Record<string, unknown>> => ({
  sourceUuid: channel?.sourceUuid ?? "",
  replicaUuid: server?.uuid ?? "",
  positioning: channel?.autoPosition === false ? "file" : "gtid",
});

/** The observed settings, in the form of the program; settings that are as declared keep the program's text. */
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

/** Of a CA that is not the declared one, only the fingerprint is known. */
const tlsOf = (words: string): unknown => (words === "off" || words === "required" ? words : { ca: words });

/** Without the rules that are not declared but follow from what the replica holds. */
function declaredFilters({ filters, replica }: Declaration, rules: FilterRules): Filters {
  const following = planRules(noFilters, replica.holds);
  const isDeclared = (kind: FilterKind, rule: string) =>
    !following[kind].includes(rule) || planRules(filters, undefined)[kind].includes(rule);
  const own = filterKinds.map((kind) => [kind, rules[kind].filter((rule) => isDeclared(kind, rule))] as const);
  return filtersOf({ ...noRules, ...Object.fromEntries(own) });
}

/** Its line in the topology. */
export function status(declared: Declaration, { live }: Observed, object: string): Status {
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
