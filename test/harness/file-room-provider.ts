import { dynamicProvider } from "../../provider/pulumi/adapter";
import { watchEngine } from "../../provider/pulumi/engine";
import { fileRoom } from "./file-room";

watchEngine();

const files = dynamicProvider(fileRoom);

/** What resources/dynamic.ts is for the package, for the file room alone. */
export function provider(kind: string): typeof files {
  if (kind !== fileRoom.kind) throw new Error(`no ${kind} here`);
  return files;
}
