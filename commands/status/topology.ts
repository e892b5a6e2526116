import { isUnseen, unseen, unwell, type Health, type LineShown, type ServerSeen } from "../../provider/status";
import type { Sight } from "./look";

/** A server with the lines below it, and the servers that it feeds. */
export interface ServerNode {
  readonly server: ServerSeen;
  /** The resource's name; null for a server that no resource made. */
  readonly name: string | null;
  readonly health: Health | null;
  readonly lines: readonly LineNode[];
  readonly fed: readonly ServerNode[];
}

export interface LineNode {
  readonly noun: string;
  readonly name: string;
  readonly health: Health;
}

export interface Topology {
  readonly roots: readonly ServerNode[];
  /** Objects of kinds that this version does not know: they stand below no server. */
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

interface Line extends LineShown {
  readonly health: Health;
}

/** Servers that nothing flows into are roots; the others stand under each server that feeds them. A ring of servers is shown too. */
export function planTopology(sights: readonly Sight[]): Topology {
  const lines = sights.flatMap((sight): Line[] => {
    const { status } = sight;
    if (status === null || "server" in status.shows) return [];
    return [{ ...status.shows, health: healthOfLine(sight, status.health, sights) }];
  });
  const servers = withReasons(serversOf(sights, lines));
  const shown = new Set<string>();
  const grow = (endpoint: string, above: readonly string[]): ServerNode => {
    const { seen, name, health } = servers.get(endpoint) ?? { seen: unseen(endpoint), name: null, health: null };
    const isFirst = !shown.has(endpoint);
    shown.add(endpoint);
    const feeds = lines.filter(({ flow }) => flow?.from.endpoint === endpoint);
    // A ring ends where it meets itself.
    const fed = above.includes(endpoint) ? [] : [...new Set(feeds.map(({ below }) => below.endpoint))].sort();
    const path = [...above, endpoint];
    return {
      server: seen,
      name,
      health,
      lines: linesHere(lines, endpoint, above.at(-1), isFirst),
      fed: fed.map((next) => grow(next, path)),
    };
  };
  const isFed = new Set(lines.flatMap(({ below, flow }) => (flow === null ? [] : [below.endpoint])));
  const sorted = [...servers.keys()].sort();
  const roots = sorted.filter((endpoint) => !isFed.has(endpoint)).map((endpoint) => grow(endpoint, []));
  const ring = sorted
    .filter((endpoint) => !shown.has(endpoint))
    .flatMap((endpoint) => (shown.has(endpoint) ? [] : [grow(endpoint, [])]));
  const strangers = sights.flatMap((sight) =>
    sight.status === null && sight.problem !== null ? [{ object: sight.object, health: healthOf(sight, null) }] : [],
  );
  return { roots: [...roots, ...ring], strangers, ...summarise([...servers.values()], lines, strangers) };
}

/** Flows from the server above; and what does not flow, where the server is shown first. */
function linesHere(lines: readonly Line[], endpoint: string, above: string | undefined, isFirst: boolean): LineNode[] {
  const here = lines.filter(({ below }) => below.endpoint === endpoint);
  const flows = here.filter(({ flow }) => flow !== null && flow.from.endpoint === above);
  const others = here.filter(({ flow }) => flow === null && isFirst);
  return [flows, others].flatMap((some) =>
    some
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ noun, name, health }) => ({ noun, name, health })),
  );
}

/** Every server once: what its own room saw of it, else what was seen through the lines that name it. */
function serversOf(sights: readonly Sight[], lines: readonly Line[]): Map<string, Server> {
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
    if (sight.status !== null && "server" in sight.status.shows)
      add(sight.status.shows.server, sight.name, healthOf(sight, sight.status.health));
  for (const { below } of lines) add(below, null, below.health);
  for (const { flow } of lines) {
    if (flow === null) continue;
    add(flow.from, null, null);
    const known = servers.get(flow.from.endpoint);
    if (known !== undefined)
      servers.set(flow.from.endpoint, { ...known, health: both(known.health, flow.from.health) });
  }
  return servers;
}

/** A server that answers one object may refuse another: both are said, each once. */
function both(one: Health | null, other: Health | null): Health | null {
  if (one === null || other === null || one.isWell || other.isWell)
    return one === null || (one.isWell && other !== null && !other.isWell) ? other : one;
  if (one.words.split("; ").includes(other.words)) return one;
  return { ...one, words: `${one.words}; ${other.words}`, fix: one.fix ?? other.fix };
}

/** A server that was not queried, because its channels could not be read. */
function withReasons(servers: Map<string, Server>): Map<string, Server> {
  for (const [endpoint, server] of servers)
    if (server.health === null && isUnseen(server.seen)) servers.set(endpoint, { ...server, health: notAsked });
  return servers;
}

const notAsked: Health = { isWell: false, words: "not queried, because no channel to or from it could be read" };

const merge = (first: ServerSeen, second: ServerSeen): ServerSeen => ({
  endpoint: first.endpoint,
  version: first.version ?? second.version,
  isReadOnly: first.isReadOnly ?? second.isReadOnly,
  binlogFormat: first.binlogFormat ?? second.binlogFormat,
  hasGtids: first.hasGtids ?? second.hasGtids,
  health: first.health ?? second.health,
});

/** All objects of a host have the same connection error: it is printed once, in the server's line. */
function healthOfLine(sight: Sight, health: Health, sights: readonly Sight[]): Health {
  const said = sights.some(
    ({ status, problem }) => status !== null && "server" in status.shows && problem?.message === sight.problem?.message,
  );
  if (sight.problem === null || !said) return healthOf(sight, health);
  return { isWell: false, words: "not read, because its server was not", code: sight.problem.code };
}

/** An object that could not be read is not healthy, whatever is stored of it. */
function healthOf({ problem, object }: Sight, health: Health | null): Health {
  if (problem === null) return health ?? { isWell: true, words: "" };
  return unwell(problem.problem, object);
}

function summarise(
  servers: readonly Server[],
  lines: readonly Line[],
  strangers: Topology["strangers"],
): Pick<Topology, "isWell" | "summary"> {
  const all = [...servers, ...lines, ...strangers];
  const ill = all.filter(({ health }) => health !== null && !health.isWell).length;
  const nouns = [...new Set(lines.map(({ noun }) => noun))];
  if (all.length === 0) return { isWell: true, summary: "This stack has no resources of Sluice." };
  if (ill > 0) {
    const said = ill === 1 ? "1 needs attention" : `${String(ill)} need attention`;
    const counted = nouns.map((noun) => plural(lines.filter((line) => line.noun === noun).length, noun));
    const parts = [plural(servers.length, "server"), ...counted, plural(strangers.length, "unknown resource")];
    return { isWell: false, summary: `Of ${parts.filter((part) => part !== "").join(" and ")}, ${said}.` };
  }
  const lags = lines.flatMap(({ flow }) => (flow === null || flow.lagSeconds === null ? [] : [flow.lagSeconds]));
  const [noun, ...others] = nouns;
  if (noun === undefined || others.length > 0 || lags.length < lines.length)
    return {
      isWell: true,
      summary: `All ${["server", ...nouns].map((one) => `${one}s`).join(" and ")} are as declared.`,
    };
  const lag = `${String(Math.max(...lags))} s`;
  return {
    isWell: true,
    summary:
      lines.length === 1
        ? `The ${noun} is running, its lag is ${lag}.`
        : `All ${noun}s are running, the longest lag is ${lag}.`,
  };
}

const plural = (n: number, noun: string): string => (n === 0 ? "" : `${String(n)} ${noun}${n === 1 ? "" : "s"}`);
