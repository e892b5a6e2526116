import { parseArgs } from "node:util";
import { ownRows, rowsFor, type OwnRow } from "./rows";

export interface Options {
  readonly runs: number;
  readonly dataMegabytes: number;
  readonly limitSeconds: number;
  /** Rows to measure, each with its peers. */
  readonly only: readonly OwnRow[];
  readonly json: boolean;
  readonly keep: boolean;
}

export const usage = `usage: npm run bench -- [OPTIONS]

Measures Sluice and the same work done by hand, in turns, on a lab of its own.

  --data-megabytes N   size of the source's data (default 300)
  --runs N             measured runs of each row (default 3)
  --quick              one run of each row
  --only PREFIX        only rows whose names begin so, with their peers (repeatable; default all):
                       ${ownRows.join(", ")}
  --limit-seconds N    longest time one measured command may take (default 1800)
  --json               print the results as JSON
  --keep               leave the lab up`;

export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "data-megabytes": { type: "string", default: "300" },
      runs: { type: "string", default: "3" },
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      "limit-seconds": { type: "string", default: "1800" },
      json: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    runs: values.quick ? 1 : wholeNumber("runs", values.runs),
    dataMegabytes: wholeNumber("data-megabytes", values["data-megabytes"]),
    limitSeconds: wholeNumber("limit-seconds", values["limit-seconds"]),
    only: rowsFor(values.only),
    json: values.json,
    keep: values.keep,
  };
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Error(`--${name} needs a whole number from 1, and not "${text}"`);
}
