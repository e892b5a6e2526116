import { SluiceError } from "./errors";

/** The same as `engines` in package.json. An ES module through require (decision 0008); @pulumi/pulumi wants Node 22 itself. */
export const oldestNode = "22.12.0";

/** Throws NODE_TOO_OLD. A program, Pulumi's provider process and the command call this before they load anything else. */
export function requireNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split(".").map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new SluiceError({
    code: "NODE_TOO_OLD",
    object: "pulumi-sluice",
    what: "cannot run, Node is too old",
    found: `Node ${version} (${process.execPath})`,
    needs: `Node ${oldestNode} or newer`,
    fix: "install a newer Node, or put the folder of a newer one first on PATH; `node --version` shows which one runs",
  });
}
