import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { oldestNode, requireNode } from "../../provider/node-version";

const root = path.resolve(__dirname, "..", "..");
const entries = ["dist/resources/index.js", "dist/resources/dynamic.js", "dist/commands/sluice.js"];

/** Loads the file as the given version of Node would find itself. */
function load(file: string, version: string) {
  const script = `
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: ${JSON.stringify(version)} } });
    process.argv.splice(1, 0, ${JSON.stringify(path.join(root, file))});
    require(${JSON.stringify(path.join(root, file))});
    setTimeout(() => process.exit(), 100);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script, "--", "help"], { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

test("a program, the provider and the command refuse an old Node in the same words", () => {
  for (const file of entries) {
    const { status, output } = load(file, "20.20.2");
    expect({ file, status }).toEqual({ file, status: 1 });
    expect(output).toContain("pulumi-sluice: cannot run, Node is too old (NODE_TOO_OLD)");
    expect(output).toContain("found   Node 20.20.2");
    expect(output).toContain(`needs   Node ${oldestNode} or newer`);
  }
});

test("all of them load in the oldest Node that package.json names", () => {
  const { engines } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  expect(`${engines.node}.0`).toBe(`>=${oldestNode}`);
  for (const file of entries) expect({ file, ...load(file, oldestNode) }).toMatchObject({ file, status: 0 });
});

test.each(["22.12.0", "22.13.1", "23.0.0", "24.11.0"])("Node %s is new enough", (version) => {
  expect(() => {
    requireNode(version);
  }).not.toThrow();
});

test.each(["18.20.4", "20.20.2", "22.11.0"])("Node %s is too old", (version) => {
  expect(() => {
    requireNode(version);
  }).toThrow("NODE_TOO_OLD");
});
