import { SluiceError } from "../../errors";
import type { Host } from "../../host/host";
import type { Identity } from "../../mark/mark";
import type { Subject } from "../../room";
import type { InstancePlace } from "./instance";
import { ensureOwnDirectory } from "./prepare";
import { planServerId } from "./server-id";
import { forgetServer, isListening, readNeighbours, registerServer, type Neighbour } from "./neighbours";

const lockName = "allocation";
const lockSeconds = 120; // a claim takes seconds; as many servers as a program declares may wait for each other

interface Claim extends Pick<Subject, "report" | "signal"> {
  readonly identity: Identity;
  /** Undefined: one is chosen. */
  readonly serverId: number | undefined;
  readonly source: Parameters<typeof planServerId>[1];
  /** The option file that the server will have. */
  readonly optionText: string;
}

/**
 * Claims a directory while no other claim on the host is under way, so that no port or server id is given twice. `mark` writes the
 * mark with the server id. Nothing is created if another server of Sluice, running or stopped, has the declared port or id.
 */
export async function claimAlone(
  host: Host,
  place: InstancePlace,
  { identity, report, signal, source, serverId: declared, optionText }: Claim,
  mark: (serverId: number) => Promise<void>,
): Promise<void> {
  const onWait = (why: string) => {
    report.progress(why);
  };
  await host.withLock(lockName, { withinSeconds: lockSeconds, holder: identity.name, onWait, signal }, async (lost) => {
    const neighbours = await readNeighbours(host, place);
    const listens = isListening(optionText);
    if (listens) requireOwnPort(place, neighbours);
    const seedText = `${identity.name} ${host.name} ${place.layout.directory}`;
    const serverId = planServerId(declared, source, seedText, neighbours);
    await registerServer(host, place, listens ? place.port : null);
    lost.throwIfAborted();
    await ensureOwnDirectory(host, place);
    await mark(serverId);
  });
}

/** Frees the port and server id for another server. May be repeated. */
export const releaseAlone = (host: Host, place: InstancePlace): Promise<void> =>
  host.withLock(lockName, { withinSeconds: lockSeconds, holder: place.object }, () => forgetServer(host, place));

/** A stopped server does not listen on its port, and can no longer be started once another one does. */
function requireOwnPort({ object, port }: InstancePlace, neighbours: readonly Neighbour[]): void {
  const taken = neighbours.find((neighbour) => neighbour.port === port);
  if (taken === undefined) return;
  throw new SluiceError({
    code: "SERVER_PORT_TAKEN",
    object,
    what: `cannot have port ${String(port)}, the server in ${taken.directory} on the same host has it`,
    found: `${taken.directory}/my.cnf or its declaration: port ${String(port)}`,
    needs: "a port that no other server of Sluice on the host has, running or stopped",
    fix: "choose another `port`, or remove the other server",
  });
}
