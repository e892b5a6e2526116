import type { Words } from "../../plan/plan";

/** The threads of a channel that one statement stops. */
export type Threads = "both" | "receiver" | "applier";

export function threadsOf(receiver: boolean, applier: boolean): Threads | null {
  if (receiver) return applier ? "both" : "receiver";
  return applier ? "applier" : null;
}

/** What a stop is, and what it interrupts until a later step; null: for good. */
export const sayStop = (threads: Threads, untilStep: number | null): Words => ({
  what: stopWords[threads],
  interrupts: interruptions[threads](untilStep === null ? "for good" : `until step ${String(untilStep)}`),
});

const stopWords: Readonly<Record<Threads, string>> = {
  both: "stop the channel",
  receiver: "stop the receiver",
  applier: "stop the applier",
};

const interruptions: Readonly<Record<Threads, (until: string) => string>> = {
  both: (until) => `rows stop arriving ${until}`,
  receiver: (until) => `rows stop being fetched ${until}; fetched rows are still applied`,
  applier: (until) => `rows stop being applied ${until}; they are still fetched`,
};
