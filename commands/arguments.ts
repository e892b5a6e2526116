import { SluiceError } from "../provider/errors";
import { nearest } from "../provider/schema/words";

/** What the command line asks for. */
export type Order =
  { readonly command: "help" } | { readonly command: "version" } | ({ readonly command: "status" } & StatusOptions);

export interface StatusOptions {
  readonly json: boolean;
  /** Absent: the stack that is selected in the folder. */
  readonly stack?: string;
  readonly cwd?: string;
}

export const usage = `sluice - what Sluice keeps downstream of a production MySQL

  sluice status [--json] [--stack NAME] [--cwd DIR]
      Reads the stack's state through the Pulumi CLI, asks the servers, and prints the topology.
      Ends with 0 if everything was seen and is as the last \`pulumi up\` declared it, with 1 if not: a server or channel
      that does not run, failed, drifted (settings too) or could not be asked, and a source that does not let its channel in.
        --json         for machines
        --stack NAME   another stack than the selected one
        --cwd DIR      the folder of the Pulumi program; default: this one
  sluice help
  sluice --version
`;

const commands = ["status", "help"];
const flags = ["--json"];
const settings = ["--stack", "--cwd"];

/** Throws ARGUMENT_INVALID, with the nearest known word. */
export function parseArguments(words: readonly string[]): Order {
  const [command, ...rest] = words;
  if (words.some((word) => word === "--help" || word === "-h")) return { command: "help" };
  if (command === undefined || command === "help") return { command: "help" };
  if (command === "--version" || command === "-v" || command === "version") return { command: "version" };
  if (command !== "status") throw unknown("command", command, commands);
  return { command, ...parseStatus(rest) };
}

function parseStatus(words: readonly string[]): StatusOptions {
  const read = { json: false } as { json: boolean; stack?: string; cwd?: string };
  const left = words.flatMap((word) => (/^--[^=]+=/.test(word) ? splitOnce(word) : [word]));
  while (left.length > 0) {
    const word = left.shift() ?? "";
    if (word === "--json") read.json = true;
    else if (word === "--stack") read.stack = valueOf(word, left.shift());
    else if (word === "--cwd") read.cwd = valueOf(word, left.shift());
    else throw unknown("option", word, [...flags, ...settings]);
  }
  return read;
}

const splitOnce = (word: string): string[] => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)];

function valueOf(option: string, value: string | undefined): string {
  if (value !== undefined && value !== "" && !value.startsWith("--")) return value;
  throw new SluiceError({
    code: "ARGUMENT_INVALID",
    object: "sluice",
    what: `option ${option} needs a value`,
    fix: "see `sluice help`",
  });
}

function unknown(what: string, word: string, known: readonly string[]): SluiceError {
  const near = nearest(word, known);
  return new SluiceError({
    code: "ARGUMENT_INVALID",
    object: "sluice",
    what: `has no ${what} ${word}${near === undefined ? "" : `; did you mean ${near}?`}`,
    fix: "see `sluice help`",
  });
}
