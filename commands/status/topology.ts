import { unseen, type ChannelStatus, type Health, type ServerSeen } from "../../provider/status";
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
  const servers = serversOf(sights, channels);
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
  return { roots: [...roots, ...ring], strangers, ...summarise(sights, channels) };
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
  for (const { source, replica } of channels) {
    add(source, null, null);
    add(replica, null, null);
  }
  return servers;
}

const merge = (first: ServerSeen, second: ServerSeen): ServerSeen => ({
  endpoint: first.endpoint,
  version: first.version ?? second.version,
  isReadOnly: first.isReadOnly ?? second.isReadOnly,
  binlogFormat: first.binlogFormat ?? second.binlogFormat,
  hasGtids: first.hasGtids ?? second.hasGtids,
});

/** The same host says the same of everything on it: the server's line says it once. */
function healthOfChannel(sight: Sight, health: Health, sights: readonly Sight[]): Health {
  const said = sights.some(
    ({ status, problem }) => status?.is === "server" && problem?.message === sight.problem?.message,
  );
  if (sight.problem === null || !said) return healthOf(sight, health);
  return { isWell: false, words: "not seen, for the reason its server was not" };
}

/** What could not be looked at is not well, whatever is remembered of it. */
function healthOf({ problem, object }: Sight, health: Health | null): Health {
  if (problem === null) return health ?? { isWell: true, words: "" };
  const { problem: words, code } = problem;
  const where = words.object === object ? "" : `${words.object}: `;
  return { isWell: false, words: `${where}${words.what} (${code})`, fix: words.fix };
}

function summarise(sights: readonly Sight[], channels: readonly ChannelStatus[]): Pick<Topology, "isWell" | "summary"> {
  const ill = sights.filter((sight) => !healthOf(sight, sight.status?.health ?? null).isWell).length;
  if (sights.length === 0) return { isWell: true, summary: "This stack holds nothing of Sluice." };
  if (ill > 0) {
    const said = ill === 1 ? "1 needs a look" : `${String(ill)} need a look`;
    return { isWell: false, summary: `Of ${counted(sights, channels)}, ${said}.` };
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

function counted(sights: readonly Sight[], channels: readonly ChannelStatus[]): string {
  const others = sights.length - channels.length;
  const parts = [plural(others, "server"), plural(channels.length, "channel")].filter((part) => part !== "");
  return parts.join(" and ");
}

const plural = (n: number, noun: string): string => (n === 0 ? "" : `${String(n)} ${noun}${n === 1 ? "" : "s"}`);
