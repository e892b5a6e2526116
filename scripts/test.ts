// npm test [-- FLOOR...] [JEST OPTION...]: every floor of tests in order, then the totals.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startTestLab, stopTestLab, whyNoLab } from "../test/harness/lab";
import { requirePulumi } from "./pulumi-cli/cli";
import { addResults, renderFloor, renderTotals, type Floor, type FloorResult } from "./test-totals";

const root = resolve(__dirname, "..");
const floors: readonly Floor[] = [
  { name: "unit", needsLab: false },
  { name: "contract", needsLab: false },
  { name: "host", needsLab: false },
  { name: "live", needsLab: true },
  { name: "e2e", needsLab: true, needsPulumi: true },
];

/** jest itself complains after 1 second; a loaded machine gets ten times that. */
const lingerLimitSeconds = 10;

/** Ctrl-C reaches jest too; it ends first, and no further floor is begun. */
let interrupted = false;
process.on("SIGINT", () => (interrupted = true));

/** Slow tests report as they go. Three files at a time: two leave a quarter of two cores idle (measured), and all share one lab. */
const onLab = [
  ...["--reporters", join(root, "scripts", "test-progress.ts")],
  ...["--testSequencer", join(root, "scripts", "slowest-first.ts")],
  ...["--maxWorkers", "3"],
];

/** jest itself leaves one core to a person who is at work, which is half of two. */
const everyCore = ["--maxWorkers", "100%"];

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => floors.some((floor) => floor.name === arg));
  const options = args.filter((arg) => !names.includes(arg));
  const wanted = floors.filter((floor) => names.length === 0 || names.includes(floor.name));

  const results: FloorResult[] = [];
  let lab: Lab | undefined;
  try {
    for (const floor of wanted) {
      if (interrupted) return 130;
      if (floor.needsLab) lab ??= await openLab();
      const obstacle =
        (floor.needsLab ? lab?.obstacle : undefined) ?? (floor.needsPulumi ? await openCli() : undefined);
      console.error(`\n== ${floor.name}${obstacle === undefined ? "" : `: not run, ${obstacle.reason}`}`);
      results.push(await runFloor(floor, options, obstacle));
    }
  } finally {
    if (lab !== undefined && lab.obstacle === undefined) await stopTestLab();
  }
  if (interrupted) return 130;
  console.log(`\n${results.map(renderFloor).join("\n")}\n`);
  const totals = addResults(results);
  console.log(renderTotals(totals));
  return totals.failed === 0 ? 0 : 1;
}

interface Obstacle {
  readonly reason: string;
  /** False if the machine cannot run it; in CI it must. */
  readonly isFailure: boolean;
}

interface Lab {
  readonly obstacle: Obstacle | undefined;
}

/** One lab for all floors that need it; jest finds it in the environment and starts none of its own. */
async function openLab(): Promise<Lab> {
  const reason = await whyNoLab();
  if (reason !== undefined) return { obstacle: { reason, isFailure: isContinuousIntegration() } };
  try {
    await startTestLab();
    return { obstacle: undefined };
  } catch (error) {
    console.error(error);
    return { obstacle: { reason: "the lab did not start", isFailure: true } };
  }
}

/** Building it the first time takes longer than any test may. */
async function openCli(): Promise<Obstacle | undefined> {
  try {
    await requirePulumi((text) => console.error(`sluice: ${text}`));
    return undefined;
  } catch (error) {
    console.error(error);
    return { reason: "there is no Pulumi CLI", isFailure: true };
  }
}

/** One jest process; where there is an obstacle, jest only counts the tests, for no name matches the pattern. */
async function runFloor(
  floor: Floor,
  options: readonly string[],
  obstacle: Obstacle | undefined,
): Promise<FloorResult> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  const report = join(folder, "report.json");
  const startedAt = Date.now();
  try {
    const end = await runJest(
      [
        ...["--selectProjects", floor.name, "--passWithNoTests"],
        ...(obstacle === undefined && floor.needsLab ? onLab : everyCore),
        ...(obstacle === undefined ? [] : ["--testNamePattern", "^nothing is run$", "--silent"]),
        ...options,
      ],
      report,
      obstacle === undefined ? {} : { SLUICE_TESTS_COUNT_ONLY: "1" },
    );
    if (end === "lingers") {
      console.error(
        `jest does not end after the ${floor.name} tests: one of them leaves a socket, timer or process behind`,
      );
      console.error("  fix     node_modules/.bin/node node_modules/.bin/jest --detectOpenHandles FILE");
    }
    const counts = existsSync(report) ? readCounts(report) : { passed: 0, failed: 0, skipped: 0 };
    // Also without a failed test: a broken set-up, an obsolete snapshot under --ci, a run that does not end.
    const failedOtherwise = end !== "passed" && counts.failed === 0;
    const failed = counts.failed + (failedOtherwise || obstacle?.isFailure === true ? 1 : 0);
    return { floor, ...counts, failed, seconds: (Date.now() - startedAt) / 1000, skipReason: obstacle?.reason };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** jest is ended when it is still there a while after it has written its report; with a leak it would stay for ever. */
async function runJest(
  args: readonly string[],
  report: string,
  environment: NodeJS.ProcessEnv,
): Promise<"passed" | "failed" | "lingers"> {
  const jest = [
    join(root, "node_modules", "jest", "bin", "jest.js"),
    "--rootDir",
    root,
    "--json",
    "--outputFile",
    report,
  ];
  const loader = join(root, "scripts", "typescript.cjs");
  const child = spawn(process.execPath, ["--require", loader, ...jest, ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    // All to standard error: standard output is for the totals.
    stdio: ["inherit", 2, 2],
  });
  let lingers = false;
  const watch = setInterval(() => {
    if (!existsSync(report) || Date.now() - statSync(report).mtimeMs < lingerLimitSeconds * 1000) return;
    lingers = true;
    child.kill("SIGKILL");
  }, 1000);
  try {
    const [exitCode] = (await once(child, "close")) as [number | null];
    if (lingers) return "lingers";
    return exitCode === 0 ? "passed" : "failed";
  } finally {
    clearInterval(watch);
  }
}

interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

/** A file that could not be loaded has no tests to count: it is one failure. */
function readCounts(report: string) {
  const found = JSON.parse(readFileSync(report, "utf8")) as JestReport;
  return {
    passed: found.numPassedTests,
    failed: found.numFailedTests + found.numRuntimeErrorTestSuites,
    skipped: found.numPendingTests + found.numTodoTests,
  };
}

function isContinuousIntegration(): boolean {
  return !["", "0", "false", undefined].includes(process.env["CI"]);
}

void main(process.argv.slice(2)).then((exitCode) => (process.exitCode = exitCode));
