import type { Health } from "../../status";

/** What is known about a managed server when its health is asked for. */
export interface InstanceSight {
  /** The directory has its mark. */
  readonly isThere: boolean;
  /** Its data is complete. */
  readonly isSeeded: boolean;
  readonly seeding: "none" | "running" | "finished" | "failed";
  readonly isRunning: boolean;
  /** The management account could log in. */
  readonly answers: boolean;
  readonly wanted: "running" | "stopped";
  /** Null if it was not asked. */
  readonly isReadOnly: boolean | null;
  readonly wantsReadOnly: boolean;
  /** Objects that its seeding left out. */
  readonly lacks?: readonly string[];
  readonly errorLog: string;
}

/** In the order in which a person would repair it. */
export function instanceHealth(seen: InstanceSight): Health {
  if (!seen.isThere) return ill("does not exist", "run `pulumi refresh`, then `pulumi up`, which creates it again");
  if (!seen.isSeeded) return seedingWords[seen.seeding];
  if (seen.wanted === "stopped")
    return seen.isRunning
      ? ill("running, declared stopped", "run `pulumi up --refresh`, which stops it")
      : { isWell: true, words: "stopped, as declared" };
  if (!seen.isRunning)
    return ill(
      "stopped, declared running",
      `run \`pulumi up --refresh\`, which starts it; ${seen.errorLog} says why it stopped`,
    );
  if (!seen.answers)
    return ill("running, does not answer", `it is starting or stuck: read ${seen.errorLog} on the host`);
  if (seen.isReadOnly === false && seen.wantsReadOnly)
    return ill("running, writable, declared read-only", "run `pulumi up --refresh`, which sets it back");
  return {
    isWell: true,
    words:
      seen.lacks === undefined || seen.lacks.length === 0 ? "running" : `running, without ${seen.lacks.join(", ")}`,
  };
}

const ill = (words: string, fix: string): Health => ({ isWell: false, words, fix });

const seedingWords: Readonly<Record<InstanceSight["seeding"], Health>> = {
  none: ill("claimed, not seeded yet", "run `pulumi up`: it continues"),
  running: ill("being seeded", "wait for the `pulumi up` that seeds it, or run it: it waits for the job"),
  finished: ill("seeded, not finished yet", "run `pulumi up`: it continues"),
  failed: ill("seeding failed", "run `pulumi up`: it reports the error, or starts the seeding again with empty data"),
};
