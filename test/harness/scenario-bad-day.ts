import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ChildProcess } from "node:child_process";
import type { LabHost } from "../../lab/index.ts";
import { awaitCondition, done, waiting } from "../../provider/wait";
import type { Program, Ran } from "./program";
import { runScript, type Place } from "./scenario-lab";

const everyMillis = 100;
const shownWithinSeconds = 180; // an initialised and started server, on two cores that do much else

/** The CLI at work, to be disturbed. */
export interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  output(): string;
  /** Waits until the text has been printed; fails at once when the CLI ends without it. */
  shows(text: string | RegExp): Promise<void>;
}

export function startRun(program: Program, words: readonly string[]): Run {
  let output = "";
  let isOver = false;
  const { child, ended } = program.start(words);
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  void ended.finally(() => (isOver = true));
  const isShown = (text: string | RegExp) => (typeof text === "string" ? output.includes(text) : text.test(output));
  return {
    child,
    ended,
    output: () => output,
    shows: (text) =>
      awaitCondition({
        object: `pulumi ${words.join(" ")}`,
        what: `it to print ${String(text)}`,
        withinSeconds: shownWithinSeconds,
        everyMillis,
        check: async () => {
          if (isShown(text)) return done(undefined);
          if (isOver) throw new Error(`it ended without ${String(text)}:\n${output}`);
          return waiting(output.slice(-500));
        },
      }),
  };
}

/** Ctrl-C as a terminal sends it: to every process of the CLI's group. */
export function pressCtrlC({ child }: Run): void {
  if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
}

/** The CLI alone, as the kernel's memory killer does it: nothing it started is told. */
export async function killCli({ child }: Run): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** A seeding that stands still. */
export interface HeldSeed {
  /** Process and moment it was started: another start would say something else. */
  readonly started: string;
  release(): Promise<void>;
}

/** Stops every process of the seed job in its tracks, once the first table is on its way; `earlier` is the job of before. */
export async function holdSeed(host: LabHost, place: Place, earlier?: HeldSeed): Promise<HeldSeed> {
  const look = `[ -d "$DIRECTORY/data/shop" ] && cat "$DIRECTORY/job/seed/started" || :`;
  const started = await awaitCondition({
    object: `seed job in ${place.directory}`,
    what: "it to load the first database",
    withinSeconds: shownWithinSeconds,
    everyMillis,
    check: async () => {
      const text = await runScript(host, look, place);
      return text === "" || text === earlier?.started ? waiting("it has not begun") : done(text);
    },
  });
  const unit = started.split(" ").at(-1) ?? "";
  await host.run(["systemctl", "kill", "--signal=STOP", unit]);
  return { started, release: async () => void (await host.run(["systemctl", "kill", "--signal=CONT", unit])) };
}

/** What the job on the host says of its start; empty when there is none. */
export const readJobStart = (host: LabHost, place: Place): Promise<string> =>
  runScript(host, `cat "$DIRECTORY/job/seed/started" 2>/dev/null || :`, place);

const orphanWithinSeconds = 20; // engine.ts ends within 4 s; the rest is for two busy cores

/** The program's provider processes end by themselves. */
export const providersEnd = (program: Program): Promise<void> =>
  awaitCondition({
    object: `program ${program.directory}`,
    what: "its provider processes to end by themselves",
    withinSeconds: orphanWithinSeconds,
    everyMillis,
    check: async () => {
      const left = processesIn(program.directory).filter(({ words }) => words.includes("dynamic-provider"));
      return left.length === 0 ? done(undefined) : waiting(left.map(({ pid }) => pid).join(", "));
    },
  });

/** What a killed CLI left of Pulumi's own. */
export function endProcesses(program: Program): void {
  for (const { pid } of processesIn(program.directory)) process.kill(pid, "SIGKILL");
}

function processesIn(directory: string): { readonly pid: number; readonly words: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (readlinkSync(`/proc/${name}/cwd`) !== directory) return [];
        return [{ pid: Number(name), words: readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ") }];
      } catch {
        return []; // it has ended, or is not ours to look at
      }
    });
}
