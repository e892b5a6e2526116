import type { Words } from "../../plan/plan";
import type { Health } from "../../status";
import type { SeedFacts } from "./job";
import type { SeedMethod } from "./request";

/** A plan's words about a seeding. */
export interface SeedingSaid {
  readonly method: SeedMethod;
  readonly from: string;
  /** A preview after an interrupted run does not know whether a seeding was started. */
  readonly resumes: boolean | "where it was begun";
  /** The program accepts rows that a dump rounds. */
  readonly inexact?: true;
  /** Objects that stay out. */
  readonly ignored?: readonly string[];
}

export const saySeed = ({ method, from, resumes, inexact, ignored }: SeedingSaid): Words => ({
  what: [
    `${resumes === true ? "continue seeding" : "seed"}${clause(seedWords[method](from))}${withoutWords(ignored)}`,
    ...(resumes === "where it was begun" ? ["continues if the interrupted run has started it"] : []),
    ...(inexact === true ? [inexactWords] : []),
  ].join("; "),
  ...(onSource[method] !== undefined && { interrupts: onSource[method] }),
});

export const sayTrial = ({ from, ignored }: Pick<SeedingSaid, "from" | "ignored">): Words => ({
  what: `try the definitions of ${from} on a temporary empty server${withoutWords(ignored)}`,
});

const withoutWords = (ignored: readonly string[] = []): string =>
  ignored.length === 0 ? "" : `, without ${ignored.join(", ")}`;

const clause = (text: string): string => (text === "" ? "" : ` ${text}`);

const inexactWords = "FLOAT values are rounded to six digits, tables that are not InnoDB's are of a later moment";

/** The effect on the source. */
const onSource: Readonly<Partial<Record<SeedMethod, string>>> = {
  dump: "writers on the source wait for up to 2 s once, and it keeps old rows until the load ends; prefer a replica of production",
  clone: "on a source older than 8.0.27, DDL waits until it is copied",
};

const seedWords: Readonly<Record<SeedMethod, (from: string) => string>> = {
  dump: (from) => `by a dump of ${from}`,
  clone: (from) => `by cloning ${from}`,
  file: (from) => `from ${from}`,
  none: () => "with nothing: it stays empty",
};

/** The health of a server whose data is not complete. */
export const seedingHealth: Readonly<Record<SeedFacts["state"], Health>> = {
  none: unfinished("claimed, not seeded yet", "run `pulumi up`: it continues"),
  running: unfinished("being seeded", "wait for the `pulumi up` that seeds it, or run it: it waits for the job"),
  finished: unfinished("seeded, not finished yet", "run `pulumi up`: it continues"),
  failed: unfinished(
    "seeding failed",
    "run `pulumi up`: it reports the error, or starts the seeding again with empty data",
  ),
};

function unfinished(words: string, fix: string): Health {
  return { isWell: false, words, fix };
}
