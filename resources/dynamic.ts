import "../provider/require-node"; // first: an old Node is named before it fails on something it cannot load
import { dynamicProvider } from "../provider/pulumi/adapter";
import { watchEngine } from "../provider/pulumi/engine";
import { rooms } from "./rooms";

watchEngine();

const providers = new Map(rooms.map((room) => [room.kind, dynamicProvider(room)]));

/** What the shell in Pulumi's state asks for by name. The signature is part of the state format: never change it. */
export function provider(kind: string): ReturnType<typeof dynamicProvider> {
  const found = providers.get(kind);
  if (found === undefined)
    throw new Error(`pulumi-sluice has no resource ${kind}; install the version the stack was made with`);
  return found;
}
