import { createHash } from "node:crypto";
import path from "node:path";
import { findLab, startLab, stopLab, type Lab } from "../../lab/index.ts";

/**
 * The lab the live and e2e floors run on. jest calls `startTestLab` before the first of their files and `stopTestLab` after the
 * last; `whyNoLab` decides in `npm test` whether these floors can run at all.
 */

/** Why the lab cannot run here, in a sentence with the way out; undefined where it can. */
export async function whyNoLab(): Promise<string | undefined> {
  if (process.platform !== "linux") return `the lab needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "the lab needs root (namespaces, mounts): run npm test as root";
  return undefined;
}

/** One lab a checkout: a second run after a crash finds the first one's and clears it away; two checkouts do not meet. */
const testLabName = `test-${createHash("sha256")
  .update(path.resolve(__dirname, "..", ".."))
  .digest("hex")
  .slice(0, 6)}`;

const log = (line: string) => void process.stderr.write(`lab: ${line}\n`);
const given = process.env["SLUICE_TEST_LAB"];

/**
 * Runs in jest's parent process, before the first file that needs the lab. `SLUICE_TEST_LAB=dev` uses a lab that is already up,
 * and leaves it up.
 */
export async function startTestLab(): Promise<void> {
  if (given !== undefined) return;
  process.env["SLUICE_TEST_LAB"] = testLabName;
  await stopLab(testLabName);
  await startLab({ name: testLabName, dataMegabytes: 5, log });
}

export async function stopTestLab(): Promise<void> {
  if (given === undefined) await stopLab(testLabName);
}

/** The lab of this run, with these hosts; further ones (`source2`, `runner`) are added to it. */
export async function testLab(hosts: readonly string[] = ["source", "staging"]): Promise<Lab> {
  const name = process.env["SLUICE_TEST_LAB"] ?? testLabName;
  const lab = await findLab(name);
  if (lab !== undefined && hosts.every((host) => lab.hosts.has(host))) return lab;
  return startLab({ name, hosts, dataMegabytes: 5 });
}
