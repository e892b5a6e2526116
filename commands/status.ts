import { withHost } from "../provider/host/pool";
import type { AnyRoom } from "../provider/room";
import { unwell } from "../provider/status";
import type { StatusOptions } from "./arguments";
import { lookAround, type Sight } from "./status/look";
import { renderTopology } from "./status/render";
import { readStack } from "./status/stack";
import { planTopology, type Topology } from "./status/topology";

export interface Answer {
  readonly text: string;
  readonly isWell: boolean;
}

/** Reads the stack's state, asks the servers, and says what it saw. Changes nothing. */
export async function status(options: StatusOptions, rooms: readonly AnyRoom[], columns: number): Promise<Answer> {
  const objects = await withHost("local", (host) => readStack(host, options));
  const sights = await lookAround(objects, rooms);
  const topology = planTopology(sights);
  const text = options.json ? renderJson(topology, sights) : renderTopology(topology, columns);
  return { text, isWell: topology.isWell };
}

/** The same facts, flat. Keys are only ever added. */
function renderJson({ isWell, summary }: Topology, sights: readonly Sight[]): string {
  const objects = sights.map(({ name, kind, object, status: seen, steps, problem }) => ({
    name,
    kind,
    object,
    ...seen?.json,
    health: problem === null ? seen?.health : unwell(problem.problem, object),
    steps,
  }));
  return `${JSON.stringify({ isWell, summary, objects }, null, 2)}\n`;
}
