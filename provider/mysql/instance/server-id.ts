import { createHash } from "node:crypto";
import { SluiceError } from "../../errors";
import type { SeedSource } from "../seed/source/facts";
import type { Neighbour } from "./neighbours";

const lowestServerId = 1_000_000; // numbers that people give by hand are smaller
const serverIdCount = 4_294_967_295 - lowestServerId; // server_id is an unsigned 32-bit number

/** The declared server id, or the first one that is free, on the host too, of a series that `seedText` begins. */
export function planServerId(
  wanted: number | undefined,
  source: Pick<SeedSource, "serverId" | "replicaIds" | "endpoint"> | null,
  seedText: string,
  neighbours: readonly Pick<Neighbour, "directory" | "serverId">[],
): number {
  const taken = new Set(source === null ? [] : [source.serverId, ...source.replicaIds]);
  const neighbour = neighbours.find(({ serverId }) => serverId === wanted);
  if (neighbour !== undefined) throw serverIdTaken(neighbour);
  if (wanted === undefined) {
    for (const { serverId } of neighbours) taken.add(serverId);
    const start = createHash("sha256").update(seedText).digest().readUInt32BE(0) % serverIdCount;
    let id = lowestServerId + start;
    while (taken.has(id)) id = id === lowestServerId + serverIdCount - 1 ? lowestServerId : id + 1;
    return id;
  }
  if (source === null || !taken.has(wanted)) return wanted;
  const isSource = wanted === source.serverId;
  throw new SluiceError({
    code: "CHANNEL_SERVER_ID_EQUAL",
    object: `source ${source.endpoint}`,
    what: isSource ? "has the server id that is declared for its copy" : "has a replica with the declared server id",
    found: `server ids in use: ${[...taken].join(", ")}`,
    needs: "a different server_id for each server",
    fix: "choose another `serverId`, or remove it: Sluice then chooses one",
  });
}

const serverIdTaken = ({ directory, serverId }: Pick<Neighbour, "directory" | "serverId">): SluiceError =>
  new SluiceError({
    code: "SERVER_ID_TAKEN",
    object: `server in ${directory}`,
    what: `has the declared server id ${String(serverId)}, and is on the same host`,
    needs: "a different server_id for each server, running or stopped",
    fix: "choose another `serverId`, or remove it: Sluice then chooses one",
  });
