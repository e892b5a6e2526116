import { setTimeout as delay } from "node:timers/promises";
import { LabError } from "./errors.ts";

export interface WaitOptions {
  /** The condition, as a sentence that finishes "waiting until ". */
  readonly until: string;
  readonly withinSeconds: number;
  readonly log?: (line: string) => void;
}

/** Between two looks. A host boots in about 800 ms, so 25 ms costs at most 3 % of it. */
const lookEveryMillis = 25;
/** A wait says why it still waits after this long: what a reader takes for "it hangs". */
const speakEveryMillis = 5_000;

/** Looks again until `look` answers something else than undefined; an error of `look` is the reason it still waits. */
export async function awaitCondition<T>(options: WaitOptions, look: () => Promise<T | undefined>): Promise<T> {
  const startedAt = Date.now();
  let lastSpokenAt = startedAt;
  let why = "";
  for (;;) {
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
    } catch (error) {
      why = lastLine(error instanceof Error ? error.message : String(error));
    }
    const now = Date.now();
    if (now - startedAt > options.withinSeconds * 1_000) {
      throw new LabError(`waited ${options.withinSeconds} s until ${options.until}, without success`, {
        ...(why === "" ? {} : { found: why }),
      });
    }
    if (now - lastSpokenAt > speakEveryMillis) {
      lastSpokenAt = now;
      options.log?.(`waiting until ${options.until} (${Math.round((now - startedAt) / 1_000)} s)${why && `: ${why}`}`);
    }
    await delay(lookEveryMillis);
  }
}

/** Of a program that failed: what it said last, not the command line. */
function lastLine(message: string): string {
  return (message.trimEnd().split("\n").at(-1) ?? "").trim().replace(/^found\s+/, "");
}
