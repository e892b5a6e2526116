import type { AnyRoom } from "../../provider/room";
import { unwell } from "../../provider/status";
import type { StatusOptions } from "../arguments";
import { lookAround, type Sight } from "./look";
import { renderTopology } from "./render";
import type { StackObject } from "./stack";
import { planTopology, type Topology } from "./topology";

export interface Answer {
  readonly text: string;
  readonly isWell: boolean;
}

/** Asks the servers of the objects, and says what it saw. */
export async function answer(
  objects: readonly StackObject[],
  rooms: readonly AnyRoom[],
  options: Pick<StatusOptions, "json">,
  columns: number,
): Promise<Answer> {
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
