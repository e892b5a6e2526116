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
 * All hosts of the live and e2e floors, started before their first file: adding one later would mend what a test has just cut off.
 * `source` is shared by all files, which only read it or add accounts and tables of their own; `source2` is of another shop, for
 * replicas of several sources; `source3` is cut off, `source4` is given other databases, `source5` is kept busy, and `source7` is
 * seeded from whole, by one file each; `source6` is given databases of their own by the files that dump nothing else.
 */
const testHosts = [
  ...["source", "source2", "source3", "source4", "source5", "source6", "source7"],
  "staging",
  "staging2",
];

/** One test file needs fewer: `SLUICE_TEST_HOSTS=source,staging` starts only these. */
const wantedHosts = process.env["SLUICE_TEST_HOSTS"]?.split(",") ?? testHosts;

/**
 * Runs in jest's parent process, before the first file that needs the lab. `SLUICE_TEST_LAB=dev` uses a lab that is already up,
 * adds to it the hosts that it lacks, and leaves it up.
 */
export async function startTestLab(): Promise<void> {
  process.env["SLUICE_TEST_LAB"] = given ?? testLabName;
  if (given === undefined) await stopLab(testLabName);
  const lab = await findLab(given ?? testLabName);
  if (lab !== undefined && wantedHosts.every((host) => lab.hosts.has(host))) return;
  await startLab({ name: given ?? testLabName, hosts: wantedHosts, dataMegabytes: 5, log });
}

export async function stopTestLab(): Promise<void> {
  if (given === undefined) await stopLab(testLabName);
}

/** The lab of this run. */
export async function requireLab(): Promise<Lab> {
  const lab = await findLab(process.env["SLUICE_TEST_LAB"]);
  if (lab === undefined) throw new Error("these tests need a lab: npm test starts one, or set SLUICE_TEST_LAB");
  return lab;
}
