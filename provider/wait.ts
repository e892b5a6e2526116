import { SluiceError } from "./errors";

/** The result of a look at the condition: the awaited value, or why it is still missing. */
export type Look<T> = { readonly done: T } | { readonly waiting: string };

export const waiting = (why: string): { readonly waiting: string } => ({ waiting: why });
export const done = <T>(value: T): { readonly done: T } => ({ done: value });

export interface Wait<T> {
  /** The thing that is waited for, as errors name it: `host stage-1`, `channel orders@stage-1:3307`. */
  readonly object: string;
  /** The condition; reads on from "waited 60 s for ...": `the server to answer as sluice`. */
  readonly what: string;
  readonly withinSeconds: number;
  /**
   * Longest pause between two looks. Until then a pause is an eighth of the time waited so far (at least a sixteenth of the
   * longest), so that a quick change is noticed quickly.
   */
  readonly everyMillis: number;
  readonly check: () => Promise<Look<T>>;
  /** Aborted: the wait ends at once with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each look that was not the last, with the reason it gave. */
  readonly onWait?: ((why: string, waitedSeconds: number) => void) | undefined;
  /** What the reader can do when the limit is reached. */
  readonly fix?: string | undefined;
}

/** Looks until the condition holds. Throws TIMEOUT_REACHED with the last reason. A look that throws ends the wait. */
export async function awaitCondition<T>(wait: Wait<T>): Promise<T> {
  const startedAt = performance.now();
  const endsAt = startedAt + wait.withinSeconds * 1000;
  for (;;) {
    wait.signal?.throwIfAborted();
    const look = await wait.check();
    if ("done" in look) return look.done;
    const now = performance.now();
    if (now >= endsAt) throw limitReached(wait, look.waiting);
    wait.onWait?.(look.waiting, (now - startedAt) / 1000);
    wait.signal?.throwIfAborted(); // aborted during the look: the pause would miss the event
    const pauseMillis = Math.min(Math.max((now - startedAt) / 8, wait.everyMillis / 16), wait.everyMillis);
    await pause(Math.ceil(Math.min(pauseMillis, endsAt - now)), wait.signal);
  }
}

function limitReached(
  wait: Pick<Wait<unknown>, "object" | "what" | "withinSeconds" | "fix">,
  why: string,
): SluiceError {
  return new SluiceError({
    code: "TIMEOUT_REACHED",
    object: wait.object,
    what: `waited ${wait.withinSeconds} s for ${wait.what}; last state: ${why}`,
    ...(wait.fix === undefined ? {} : { fix: wait.fix }),
  });
}

/** The promise's value, or what `onLimit` makes when it takes longer. The timer never outlives the promise. */
export async function within<T>(withinSeconds: number, promise: Promise<T>, onLimit: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<"limit">((resolve) => {
    timer = setTimeout(() => resolve("limit"), withinSeconds * 1000);
  });
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), limit]);
    return first === "limit" ? await onLimit() : first.value;
  } finally {
    clearTimeout(timer);
  }
}

function pause(millis: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new Error("the wait was ended"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, millis);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
