/** A limit over one or several waits was reached, or the work was interrupted. */
export class DeadlineReached extends Error {}

/** One limit over several waits. */
export class Deadline {
  readonly #reached: Promise<never>;
  #end: () => void = ignore;

  constructor(withinSeconds: number, signal?: AbortSignal) {
    this.#reached = new Promise((_resolve, reject) => {
      const give = () => reject(new DeadlineReached());
      const timer = setTimeout(give, withinSeconds * 1000);
      signal?.addEventListener("abort", give, { once: true });
      if (signal?.aborted) give();
      this.#end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", give);
      };
    });
    this.#reached.catch(ignore);
  }

  /** The work's result, or DeadlineReached; what comes too late goes to `discard`. */
  guard<T>(work: Promise<T>, discard: (late: T) => void = ignore): Promise<T> {
    const guarded = Promise.race([work, this.#reached]);
    guarded.catch(() => work.then(discard, ignore));
    return guarded;
  }

  end(): void {
    this.#end();
  }
}

function ignore(): void {
  // the caller has given up: a late failure is dropped
}
