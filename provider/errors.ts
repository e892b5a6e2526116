import type { Code } from "./error-codes";

/** Everything an error says. `what` reads on from `object`: "channel orders@db-1:3307" + "cannot start: ...". */
export interface Problem {
  readonly code: Code;
  /** The thing the error is about, with its address: `staging database orders@stage-1:3307`. */
  readonly object: string;
  /** What failed, and why, in plain words; complete alone, without a full stop. */
  readonly what: string;
  /** Values that were seen. */
  readonly found?: string;
  /** Values that are needed. */
  readonly needs?: string;
  /** An imperative the reader can do: a property of Sluice, a statement, a command. */
  readonly fix?: string;
  /** Where in a plan it happened: `2 of 4, seed; step 1 is done`. */
  readonly step?: string;
  /** The last lines a program printed, or the driver's own words. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/** The one expected error. Rendered text is the message and the stack: Pulumi prints `stack` for four of six calls. */
export class SluiceError extends Error {
  readonly code: Code;
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(renderProblem(problem), problem.cause === undefined ? undefined : { cause: problem.cause });
    this.name = "SluiceError";
    this.code = problem.code;
    this.problem = problem;
    this.stack = this.message;
  }

  /** Pulumi prints `${error}` before the message; the name would only repeat what the code says. */
  override toString(): string {
    return this.message;
  }
}

/** Line one is complete alone; then found, needs, fix, step, each on its own line; then what a program printed. */
export function renderProblem(problem: Problem): string {
  const lines = [`${problem.object}: ${problem.what} (${problem.code})`];
  const add = (label: string, text: string | undefined) => {
    if (text === undefined || text === "") return;
    const [first, ...rest] = text.split("\n");
    lines.push(`  ${label.padEnd(7)} ${first ?? ""}`, ...rest.map((line) => `  ${" ".repeat(7)} ${line}`));
  };
  add("found", problem.found);
  add("needs", problem.needs);
  add("fix", problem.fix);
  add("step", problem.step);
  add("cause", problem.detail);
  return lines.join("\n");
}

export const isProblem = (error: unknown, ...any: readonly Code[]): error is SluiceError =>
  error instanceof SluiceError && (any.length === 0 || any.includes(error.code));

/** The thrown error as a SluiceError; an unexpected one becomes INTERNAL_ERROR and carries its stack. */
export function asProblem(object: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const { message, stack } = thrown instanceof Error ? thrown : { message: String(thrown), stack: undefined };
  return new SluiceError({
    code: "INTERNAL_ERROR",
    object,
    what: `stopped by an unexpected error: ${message.split("\n")[0] ?? ""}`,
    fix: "this is a bug in pulumi-sluice: report it with these lines",
    detail: stack ?? message,
    cause: thrown,
  });
}

/** The message of a thrown value, for `detail` and for reasons. */
export function wordsOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}
