import type { Program } from "../test/harness/program";
import { workByHand, type Way } from "./by-hand";
import { phases, readCosts, readPhases, type Cost, type Phases } from "./output";
import { manyRows, openMany } from "./many";
import type { Options } from "./options";
import { readProcessorSeconds, settle, type Place } from "./place";
import type { RowName } from "./rows";
import { openBare, openPair, oursDirectory, setVariant, time, type Method } from "./program";

/** One run of one row. */
export interface Sample {
  readonly row: RowName;
  readonly seconds: number;
  readonly phases?: Phases;
  /** Of both hosts. */
  readonly processorSeconds?: number;
}

export interface Measured {
  readonly samples: readonly Sample[];
  /** By method of seeding, each operation of both resources once. */
  readonly costs: Readonly<Partial<Record<Method, readonly Cost[]>>>;
  /** Why a run by hand is missing: the last reason of each way. */
  readonly failed: Readonly<Record<string, string>>;
}

const rowOf = { dump: "up-dump", clone: "up-clone" } as const;
const handRowOf = { mysqldump: "mysqldump-mysql", mydumper: "mydumper-myloader", CLONE: "clone-instance" } as const;
const bareRowOf = { empty: "pulumi-empty-program", plain: "pulumi-plain-resources" } as const;

const ways: Readonly<Record<Method, readonly Way[]>> = { dump: ["mysqldump", "mydumper"], clone: ["CLONE"] };
const shortestLimitSeconds = 60; // of mydumper, before anything else was measured
const up = ["up", "--yes", "--skip-preview"] as const;

/**
 * Every row is run once unmeasured, which fills caches and counts what operations cost; then the rows take turns, so that what
 * else the machine does meets all of them.
 */
export async function measure(place: Place, options: Options, say: (text: string) => void): Promise<Measured> {
  const samples: Sample[] = [];
  const costs: Partial<Record<Method, readonly Cost[]>> = {};
  const methods = (["dump", "clone"] as const).filter((method) => options.only.includes(rowOf[method]));
  const measuresNothing = options.only.includes("up-nothing");
  const measuresMany = options.only.some((row) => row.endsWith("-100-channels"));
  const failed = new Map<Way, string>();
  const tryByHand = async (way: Way, optionText: string): Promise<Phases | undefined> => {
    if (failed.has(way)) return undefined;
    const slowest = Math.max(...samples.map(({ seconds }) => seconds), shortestLimitSeconds);
    const limitSeconds =
      way === "mydumper" ? Math.min(options.limitSeconds, Math.ceil(slowest * 3)) : options.limitSeconds;
    try {
      return await workByHand(place, way, optionText, limitSeconds);
    } catch (error) {
      // Version 0.10 sometimes hangs with a 9.x server: then only its row ends here.
      if (way !== "mydumper") throw error;
      failed.set(way, error instanceof Error ? error.message : String(error));
      say(`${handRowOf[way]} failed: ${failed.get(way) ?? ""}`);
      return undefined;
    }
  };
  const bare = { empty: await openBare("empty"), plain: await openBare("plain") };
  const prepared: { method: Method; program: Program; optionText: string }[] = [];
  for (const method of methods.length === 0 ? (measuresNothing ? (["dump"] as const) : []) : methods) {
    say(`warming up, and counting round trips: ${method}`);
    const program = await openPair(place, method);
    const { counted, optionText } = await countOnce(place, program, method, options.limitSeconds);
    costs[method] = counted;
    prepared.push({ method, program, optionText });
    if (methods.length > 0) for (const way of ways[method]) await tryByHand(way, optionText);
  }
  for (const program of [bare.empty, bare.plain]) await time(program, ["up", "--yes"], options.limitSeconds);
  const many = measuresMany ? await openMany(place, options.limitSeconds, say) : undefined;

  const take = (sample: Sample): void => {
    samples.push(sample);
    say(`${sample.row}: ${sample.seconds.toFixed(1)} s`);
  };
  /** With what the hosts' processors did meanwhile. */
  const counting = async <T>(work: () => Promise<T>): Promise<{ result: T; processorSeconds: number }> => {
    await settle(place);
    const before = await readProcessorSeconds(place);
    const result = await work();
    return { result, processorSeconds: (await readProcessorSeconds(place)) - before };
  };
  for (let run = 1; run <= options.runs; run += 1) {
    say(`run ${String(run)} of ${String(options.runs)}`);
    for (const { method, program, optionText } of prepared) {
      const { result, processorSeconds } = await counting(() => time(program, up, options.limitSeconds));
      const { seconds, output } = result;
      if (methods.length > 0) take({ row: rowOf[method], seconds, phases: readPhases(output), processorSeconds });
      if (measuresNothing && method === prepared[0]?.method) {
        take({ row: "up-nothing", seconds: (await time(program, ["up", "--yes"], options.limitSeconds)).seconds });
        for (const name of ["empty", "plain"] as const)
          take({
            row: bareRowOf[name],
            seconds: (await time(bare[name], ["up", "--yes"], options.limitSeconds)).seconds,
          });
      }
      await time(program, ["destroy", "--yes", "--skip-preview"], options.limitSeconds);
      if (methods.length === 0) continue;
      for (const way of ways[method]) {
        const { result: parts, processorSeconds: used } = await counting(() => tryByHand(way, optionText));
        if (parts === undefined) continue;
        const whole = phases.reduce((sum, phase) => sum + parts[phase], 0);
        take({ row: handRowOf[way], seconds: whole, phases: parts, processorSeconds: used });
      }
    }
    if (many !== undefined)
      for (const row of manyRows(options.only))
        take({ row, seconds: await many.run(row, bare.plain, options.limitSeconds) });
  }
  await many?.close();
  for (const program of [bare.empty, bare.plain, ...prepared.map((one) => one.program)]) await program.remove();
  return { samples, costs, failed: Object.fromEntries(failed) };
}

/** A whole life: create, nothing to do, read, update, delete. */
async function countOnce(
  place: Place,
  program: Program,
  method: Method,
  limitSeconds: number,
): Promise<{ counted: Cost[]; optionText: string }> {
  const run = async (...args: string[]): Promise<Cost[]> =>
    readCosts((await time(program, [...args, "--yes", "--debug"], limitSeconds)).output);
  const created = await run("up", "--skip-preview");
  const { stdout: optionText } = await place.staging.run(["cat", `${oursDirectory(method)}/my.cnf`]);
  const idle = await run("up");
  if (idle.length > 0) throw new Error(`an update with nothing to do ran operations: ${JSON.stringify(idle)}`);
  // One after another: counters belong to the process.
  const read = await run("refresh", "--skip-preview", "--parallel=1");
  await setVariant(program, "second");
  const updated = await run("up", "--skip-preview");
  await setVariant(program, "first");
  const removed = await run("destroy", "--skip-preview");
  return { counted: [...created, ...updated, ...read, ...removed], optionText };
}
