import { isOurs } from "../../mark/mark";
import { requireOurs } from "../../mark/refusals";
import { layoutOf } from "../../mysql/instance/layout";
import {
  otherStorage,
  requireFreePort,
  requireSameMachine,
  requireUsablePlace,
  strangeFiles,
} from "../../mysql/instance/refusals";
import type { Plan, Step } from "../../plan/plan";
import { unseenInstance, type Context, type InstanceLive, type InstanceSettled, type Seen } from "./facts";
import type { InstanceStep } from "./say";
import type { InstanceDeclaration } from "./schema";

export const directoryNamed = (directory: string) => ({
  thing: `directory ${directory}`,
  another: "another `directory`",
});

/** All refusals before a step is planned. */
export function refuseInstance(wanted: InstanceDeclaration, seen: Seen, context: Context): void {
  const { settled, live } = seen;
  const { object, identity, before } = context;
  const remembered = before?.settled?.mark ?? null;
  const unseen = unseenInstance(seen, object);
  if (unseen !== undefined && isOurs(settled.mark?.identity, identity)) throw unseen;
  if (live !== null && settled.mark === null && before !== null && remembered !== null)
    requireSameMachine(object, wanted, before.declared);
  refuseOwner(wanted, seen, context);
  if (live !== null) refusePlace(wanted, settled, live, object);
  const { directory, storage } = wanted;
  if (settled.storageKind !== null && storage !== "auto" && storage !== settled.storageKind)
    throw otherStorage(object, directory, settled.storageKind, storage);
}

function refuseOwner({ directory, adopt }: InstanceDeclaration, { settled, live }: Seen, context: Context): void {
  const { object, identity } = context;
  if (settled.directory === "ours")
    requireOurs({ object, identity, found: settled.mark?.identity ?? null, adopt, ...directoryNamed(directory) });
  if (settled.directory === "foreign files" && !(adopt && settled.unclaimedData))
    throw strangeFiles(object, directory, live?.strangers ?? []);
}

function refusePlace(wanted: InstanceDeclaration, settled: InstanceSettled, live: InstanceLive, object: string): void {
  const { directory, port, state } = wanted;
  requireUsablePlace({ object, layout: layoutOf(directory), port }, live, {
    isClaimed: settled.mark !== null,
    isAdopted: settled.unclaimedData,
    runs: state === "running",
    mayAdjust: wanted.confine === "adjust",
  });
  // Before the server is stopped for a port that it cannot have.
  if (state === "running" && !listensOn(port, settled)) requireFreePort(live, object, port);
}

const listensOn = (port: number, { instance, server }: InstanceSettled): boolean =>
  instance?.running === true && [undefined, String(port)].includes(server?.variables["port"]);

/**
 * Refuses a plan that needs programs which are missing on the host. A server that runs and is as declared does not need
 * them, and neither does a server that is only stopped. `also`: steps of the room that run mysqld or its clients.
 */
export function requireBinaries<S extends Step>(
  { baseDirectory }: InstanceDeclaration,
  { settled, live }: Seen,
  { steps }: Plan<S>,
  also: readonly S["kind"][],
): void {
  if (live === null || live.binariesProblem === null) return;
  const { binaries } = settled;
  const areOthers = binaries === null || binaries.baseDirectory !== (baseDirectory ?? null);
  const needing: readonly string[] = [...withMysqld, ...also];
  if (areOthers || steps.some(({ kind }) => needing.includes(kind))) throw live.binariesProblem;
}

const withMysqld: readonly InstanceStep["kind"][] = [
  "claim-directory",
  "configure",
  "initialise-data",
  "start-server",
  "restart-server",
];
