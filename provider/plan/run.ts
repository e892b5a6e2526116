import { sayDuration } from "../duration";
import { asProblem, SluiceError } from "../errors";
import type { AnyRoom, Observed, Operation } from "../room";
import { saying, type Plan, type Step } from "./plan";

const graceMillis = 3_000; // for a step that is asked to stop; the process ends 4 s after an interrupt (pulumi/engine.ts)
const longestMillis = 2 ** 31 - 1; // a timer with a longer limit fires at once; 24 days

type Seen = Observed<object, object>;

/** Runs the steps in order, each within its limit. The first that fails ends the run; its error says which step it was. */
export async function runPlan(plan: Plan, seen: Seen, operation: Operation): Promise<void> {
  for (const [index, step] of plan.steps.entries()) {
    try {
      await runStep(step, `${String(index + 1)}/${String(plan.steps.length)}`, seen, operation);
    } catch (error) {
      const where = `${String(index + 1)} of ${String(plan.steps.length)}, ${step.kind}; ${doneBefore(index)}`;
      throw new SluiceError({ ...asProblem(operation.drivers.object, error).problem, step: where });
    }
  }
}

async function runStep(step: Step, place: string, seen: Seen, operation: Operation): Promise<void> {
  const { room, declared, identity, drivers } = operation;
  const { what } = saying(room.say, step);
  const limitSeconds = room.withinSeconds(step, declared);
  const limit = new AbortController();
  const signal = AbortSignal.any([drivers.signal, limit.signal]);
  signal.throwIfAborted();
  const timer = setTimeout(
    () => {
      limit.abort(timeoutError(drivers.object, what, limitSeconds));
    },
    Math.min(limitSeconds * 1000, longestMillis),
  );
  const startedAt = performance.now();
  const report = {
    ...drivers.report,
    progress: (text: string) => {
      drivers.report.progress(`[${place}] ${what}: ${text}`);
    },
  };
  drivers.report.progress(`[${place}] ${what}`);
  try {
    await stoppable(signal, perform(step, { ...drivers, signal, report, declared, identity, seen }, room));
  } catch (error) {
    // The reason for the abort says more than a driver's own AbortError.
    throw signal.aborted && !(error instanceof SluiceError) ? signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
  drivers.report.say(`${place} ${what} · ${sayTaken((performance.now() - startedAt) / 1000)}`);
}

const sayTaken = (seconds: number): string => (seconds < 60 ? `${seconds.toFixed(1)} s` : sayDuration(seconds));

async function perform(step: Step, context: unknown, room: AnyRoom): Promise<void> {
  const performers = room.perform as Readonly<Record<string, (step: Step, context: unknown) => Promise<void>>>;
  const performer = performers[step.kind];
  if (performer === undefined) throw new Error(`no performer for the step ${step.kind}`);
  await performer(step, context);
}

/** Settles with the work. Once the signal fires, the work has a moment to stop; then its reason is the answer. */
async function stoppable(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const settled = new AbortController();
  const abortion = new Promise<never>((_, reject) => {
    const onAbort = () => {
      const timer = setTimeout(reject, graceMillis, signal.reason);
      settled.signal.addEventListener("abort", () => {
        clearTimeout(timer);
      });
    };
    signal.addEventListener("abort", onAbort, { once: true, signal: settled.signal });
  });
  try {
    await Promise.race([work, abortion]);
  } finally {
    settled.abort();
  }
}

const timeoutError = (object: string, what: string, limitSeconds: number): SluiceError =>
  new SluiceError({
    code: "TIMEOUT_REACHED",
    object,
    what: `cannot ${what}, the limit of ${String(limitSeconds)} s is reached`,
    fix: "run `pulumi up` again to continue; raise the limit in the program if the work is expected to take longer",
  });

/** Only what is done: a failed seeding starts again with empty data, so the next plan may repeat any of these steps. */
function doneBefore(index: number): string {
  if (index === 0) return "no step is done";
  return index === 1 ? "step 1 is done" : `steps 1-${String(index)} are done`;
}
