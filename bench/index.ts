// npm run bench. What is measured, and the last results: docs/measurements.md.
import { whyNoLab } from "../test/harness/lab";
import { readLoad, readMachine } from "./machine";
import { measure } from "./measure";
import { readOptions, usage } from "./options";
import { closePlace, openPlace } from "./place";
import { renderResults, resultsOf, toJson } from "./table";

const startedAt = performance.now();
const say = (text: string): void =>
  void process.stderr.write(`bench: [${String(Math.round((performance.now() - startedAt) / 1000))} s] ${text}\n`);

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    console.log(usage);
    return;
  }
  const why = await whyNoLab();
  if (why !== undefined) throw new Error(`the benchmark needs the lab: ${why}`);
  const place = await openPlace(options.dataMegabytes, say);
  try {
    const before = readLoad();
    const measured = await measure(place, options, say);
    const results = resultsOf(place, await readMachine(place, before), measured);
    console.log(options.json ? JSON.stringify(toJson(results), null, 2) : renderResults(results));
  } finally {
    if (!options.keep) await closePlace(say);
  }
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
