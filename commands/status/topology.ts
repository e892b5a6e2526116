import { isUnseen, unseen, unwell, type ChannelStatus, type Health, type ServerSeen } from "../../provider/status";
import type { Sight } from "./look";

/** A server with what flows out of it. */
export interface ServerNode {
  readonly server: ServerSeen;
  /** The resource's name; null for a server that is not ours. */
  readonly name: string | null;
  readonly health: Health | null;
  readonly replicas: readonly ReplicaNode[];
}

/** A replica, under one of its sources, with the channels that come from there. */
export interface ReplicaNode extends ServerNode {
  readonly channels: readonly ChannelNode[];
}

export interface ChannelNode {
  readonly channel: string;
  readonly lagSeconds: number | null;
  readonly health: Health;
}

export interface Topology {
  readonly roots: readonly ServerNode[];
  /** Objects that stand in no tree, because nobody knows what they are. */
  readonly strangers: readonly { readonly object: string; readonly health: Health }[];
  readonly isWell: boolean;
  /** The closing sentence. */
  readonly summary: string;
}

interface Server {
  readonly seen: ServerSeen;
  readonly name: string | null;
  readonly health: Health | null;
}

/** Sources at the root, replicas under each of their sources. Nothing is left out, a ring of servers neither. */
export function planTopology(sights: readonly Sight[]): Topology {
  const channels = sights.flatMap((sight) =>
    sight.status?.is === "channel"
      ? [{ ...sight.status, health: healthOfChannel(sight, sight.status.health, sights) }]
      : [],
  );
  const servers = withReasons(serversOf(sights, channels));
  const fed = new Set(channels.map(({ replica }) => replica.endpoint));
  const shown = new Set<string>();
  const grow = (endpoint: string, above: readonly string[]): ServerNode => {
    shown.add(endpoint);
    const { seen, name, health } = servers.get(endpoint) ?? { seen: unseen(endpoint), name: null, health: null };
    const from = channels.filter(({ source }) => source.endpoint === endpoint);
    const into = [...new Set(from.map(({ replica }) => replica.endpoint))].sort();
    const path = [...above, endpoint];
    const replicas = into.map((replica): ReplicaNode => {
      const node = path.includes(replica) ? leaf(servers, replica) : grow(replica, path);
      return {
        ...node,
        channels: from
          .filter((channel) => channel.replica.endpoint === replica)
          .sort(byName)
          .map(channelNode),
      };
    });
    return { server: seen, name, health, replicas };
  };
  const sorted = [...servers.keys()].sort();
  const roots = sorted.filter((endpoint) => !fed.has(endpoint)).map((endpoint) => grow(endpoint, []));
  const ring = sorted
    .filter((endpoint) => !shown.has(endpoint))
    .flatMap((endpoint) => (shown.has(endpoint) ? [] : [grow(endpoint, [])]));
  const strangers = sights.flatMap((sight) =>
    sight.status === null && sight.problem !== null ? [{ object: sight.object, health: healthOf(sight, null) }] : [],
  );
  return { roots: [...roots, ...ring], strangers, ...summarise([...servers.values()], channels, strangers) };
}

const byName = (one: ChannelStatus, other: ChannelStatus): number => (one.channel < other.channel ? -1 : 1);
const channelNode = ({ channel, lagSeconds, health }: ChannelStatus): ChannelNode => ({ channel, lagSeconds, health });

function leaf(servers: ReadonlyMap<string, Server>, endpoint: string): ServerNode {
  const { seen, name, health } = servers.get(endpoint) ?? { seen: unseen(endpoint), name: null, health: null };
  return { server: seen, name, health, replicas: [] };
}

/** Every server once: what its own room saw of it, else what its channels saw. */
function serversOf(sights: readonly Sight[], channels: readonly ChannelStatus[]): Map<string, Server> {
  const servers = new Map<string, Server>();
  const add = (seen: ServerSeen, name: string | null, health: Health | null) => {
    const known = servers.get(seen.endpoint);
    servers.set(seen.endpoint, {
      seen: known === undefined ? seen : merge(known.seen, seen),
      name: known?.name ?? name,
      health: known?.health ?? health,
    });
  };
  for (const sight of sights)
    if (sight.status?.is === "server") add(sight.status.server, sight.name, healthOf(sight, sight.status.health));
  for (const { replica } of channels) add(replica, null, replica.health);
  for (const { source } of channels) {
    add(source, null, null);
    const known = servers.get(source.endpoint);
    if (known !== undefined) servers.set(source.endpoint, { ...known, health: both(known.health, source.health) });
  }
  return servers;
}

/** A server that answers one channel may refuse another: both are said, each once. */
function both(one: Health | null, other: Health | null): Health | null {
  if (one === null || other === null || one.isWell || other.isWell)
    return one === null || (one.isWell && other !== null && !other.isWell) ? other : one;
  if (one.words.split("; ").includes(other.words)) return one;
  return { ...one, words: `${one.words}; ${other.words}`, fix: one.fix ?? other.fix };
}

/** A server that nobody could ask, because what would have asked it could not be reached. */
function withReasons(servers: Map<string, Server>): Map<string, Server> {
  for (const [endpoint, server] of servers)
    if (server.health === null && isUnseen(server.seen)) servers.set(endpoint, { ...server, health: notAsked });
  return servers;
}

const notAsked: Health = { isWell: false, words: "not asked, because no channel to or from it could be looked at" };

const merge = (first: ServerSeen, second: ServerSeen): ServerSeen => ({
  endpoint: first.endpoint,
  version: first.version ?? second.version,
  isReadOnly: first.isReadOnly ?? second.isReadOnly,
  binlogFormat: first.binlogFormat ?? second.binlogFormat,
  hasGtids: first.hasGtids ?? second.hasGtids,
  health: first.health ?? second.health,
});

/** The same host says the same of everything on it: the server's line says it once. */
function healthOfChannel(sight: Sight, health: Health, sights: readonly Sight[]): Health {
  const said = sights.some(
    ({ status, problem }) => status?.is === "server" && problem?.message === sight.problem?.message,
  );
  if (sight.problem === null || !said) return healthOf(sight, health);
  return { isWell: false, words: "not seen, because its server was not", code: sight.problem.code };
}

/** What could not be looked at is not well, whatever is remembered of it. */
function healthOf({ problem, object }: Sight, health: Health | null): Health {
  if (problem === null) return health ?? { isWell: true, words: "" };
  return unwell(problem.problem, object);
}

function summarise(
  servers: readonly Server[],
  channels: readonly ChannelStatus[],
  strangers: Topology["strangers"],
): Pick<Topology, "isWell" | "summary"> {
  const all = [...servers, ...channels, ...strangers];
  const ill = all.filter(({ health }) => health !== null && !health.isWell).length;
  if (all.length === 0) return { isWell: true, summary: "This stack holds nothing of Sluice." };
  if (ill > 0) {
    const said = ill === 1 ? "1 needs a look" : `${String(ill)} need a look`;
    const parts = [plural(servers.length, "server"), plural(channels.length, "channel")];
    const others = plural(strangers.length, "unknown resource");
    return {
      isWell: false,
      summary: `Of ${[...parts, others].filter((part) => part !== "").join(" and ")}, ${said}.`,
    };
  }
  const lags = channels.flatMap(({ lagSeconds }) => (lagSeconds === null ? [] : [lagSeconds]));
  if (channels.length === 0) return { isWell: true, summary: "All servers are as declared." };
  if (lags.length < channels.length) return { isWell: true, summary: "All servers and channels are as declared." };
  const lag = `${String(Math.max(...lags))} s`;
  return {
    isWell: true,
    summary:
      channels.length === 1
        ? `The channel is running, its lag is ${lag}.`
        : `All channels are running, the longest lag is ${lag}.`,
  };
}

const plural = (n: number, noun: string): string => (n === 0 ? "" : `${String(n)} ${noun}${n === 1 ? "" : "s"}`);
