import { randomUUID } from "node:crypto";
import { asProblem, SluiceError } from "./errors";
import { underLocks } from "./locks";
import { absent, isSame, saying, type Absent, type Plan, type Step } from "./plan/plan";
import { count, renderDifference, reportPlan } from "./plan/render";
import { runPlan } from "./plan/run";
import type { AnyRoom, Observed, Operation, Readers } from "./room";

export type Seen = Observed<object, object>;

/** The work stopped half-way: what was created so far stays in Pulumi's state, and the next `up` continues. */
export class PartlyDone extends Error {
  constructor(
    readonly failure: SluiceError,
    readonly settled: object | null,
    /** Kept in state from now on: the run that completes the object uses it. */
    readonly seal: string | null,
  ) {
    super(failure.message, { cause: failure });
    this.name = "PartlyDone";
    this.stack = this.message;
  }
}

const rounds = 3; // a started server shows what a stopped one could not; more would only repeat

/** What exists after create or update, for the state. */
export interface Converged {
  readonly settled: object;
  readonly seal: string;
}

/**
 * create and update: lock, observe, plan, run, observe again, until the plan is empty. Then it is complete, and gets
 * its seal.
 */
export async function converge(operation: Operation): Promise<Converged> {
  const { room, declared } = operation;
  return underLocks(room.locks(declared), operation.identity.name, operation.drivers, async (drivers) => {
    const seen = await towards(declared, { ...operation, drivers });
    return sealed(seen, { ...operation, drivers });
  });
}

async function sealed(seen: Seen, { room, declared, identity, drivers }: Operation): Promise<Converged> {
  const seal = identity.seal ?? randomUUID();
  if (room.seal.of(seen.settled) === seal) return { settled: seen.settled, seal };
  const { object } = drivers;
  try {
    drivers.signal.throwIfAborted();
    return { settled: (await room.seal.write(seal, { ...drivers, declared, identity, seen })) as object, seal };
  } catch (error) {
    throw new PartlyDone(asProblem(object, error), seen.settled, seal);
  }
}

/** delete: the same flow, planned towards absence. */
export async function remove(operation: Operation): Promise<void> {
  const { room, declared } = operation;
  await underLocks(room.locks(declared), operation.identity.name, operation.drivers, async (drivers) => {
    const { settled } = await towards(absent, { ...operation, drivers });
    if (room.exists(settled)) drivers.report.say(`${drivers.object}: not removed, another resource owns it`);
  });
}

/** One that only reads. */
export type Looking = Omit<Operation, "drivers" | "identity"> & { readonly drivers: Readers };

/** read: what exists now, or undefined. */
export async function look({ room, declared, drivers, before }: Looking): Promise<Seen | undefined> {
  const seen = await observe(room, declared, drivers, before?.settled ?? null);
  const unseen = room.unseenBecause?.(seen, drivers.object);
  if (unseen !== undefined) throw unseen;
  return room.exists(seen.settled) ? seen : undefined;
}

const observe = async (room: AnyRoom, declared: object, readers: Readers, remembered: object | null): Promise<Seen> =>
  (await room.observe(declared, readers, remembered)) as Seen;

async function towards(wanted: object | Absent, operation: Operation): Promise<Seen> {
  const { room, declared, drivers, before, identity } = operation;
  const done: Plan[] = [];
  let seen: Seen | undefined;
  try {
    for (;;) {
      drivers.signal.throwIfAborted();
      drivers.report.progress("observing");
      seen = await observe(room, declared, drivers, seen?.settled ?? before?.settled ?? null);
      const plan = planFor(wanted, seen, operation);
      if (plan.steps.length === 0) {
        drivers.report.progress(wanted === absent ? "nothing is left" : "as declared");
        return seen;
      }
      // The same steps would do the same again, and a seeding takes hours.
      if (done.length === rounds || done.some((earlier) => isSame(earlier, plan))) throw notConverging(plan, operation);
      if (wanted !== absent) sayBeyondPreview(plan, operation);
      done.push(plan);
      await runPlan(plan, seen, operation);
    }
  } catch (error) {
    if (done.length === 0) throw error;
    const failure = asProblem(drivers.object, error);
    if (wanted === absent) throw failure; // Pulumi keeps what it could not delete
    // Another resource came first and owns the object.
    if (before === null && failure.code.startsWith("OWNERSHIP_")) throw failure;
    const settled = await settledNow(operation, seen);
    // Nothing was created yet: Pulumi has nothing to keep.
    if (before === null && settled.isCurrent && settled.value !== null && !room.exists(settled.value)) throw failure;
    const isUnsealed = settled.value !== null && room.seal.of(settled.value) === null;
    throw new PartlyDone(failure, settled.value, identity.seal ?? (isUnsealed ? randomUUID() : null));
  }
}

/**
 * A preview knows only what is stored in state, and nothing of a new object. If a plan changes more than the preview
 * showed (a channel that `adopt` takes over, a setting changed by hand), it is printed with all its values before it
 * runs.
 */
function sayBeyondPreview(plan: Plan, operation: Operation): void {
  const { room, drivers } = operation;
  const shown = new Set(previewed(operation).flatMap((step) => valuesIn(room, step)));
  if (plan.steps.every((step) => valuesIn(room, step).every((value) => shown.has(value)))) return;
  reportPlan(drivers.report, `${drivers.object}, found during up`, plan, room.say);
}

function previewed(operation: Operation): readonly Step[] {
  const { room, declared, before } = operation;
  const settled = before?.settled ?? (room.blank as object);
  try {
    return planFor(declared, { settled, live: null }, operation).steps;
  } catch (error) {
    if (error instanceof SluiceError) return []; // refused because of the state, not because of what exists now
    throw error;
  }
}

const valuesIn = (room: AnyRoom, step: Step): string[] =>
  (saying(room.say, step).because ?? []).map((one) => `${step.kind} ${renderDifference(one)}`);

const planFor = (wanted: object | Absent, seen: Seen, { room, identity, drivers, before }: Operation): Plan =>
  room.plan(wanted, seen, { identity, before, object: drivers.object });

/** After a failure, state should hold what really exists; if that cannot be observed, the last observation. */
async function settledNow(
  { room, declared, drivers, before }: Operation,
  seen: Seen | undefined,
): Promise<{ readonly value: object | null; readonly isCurrent: boolean }> {
  const last = { value: seen?.settled ?? before?.settled ?? null, isCurrent: false };
  if (drivers.signal.aborted) return last;
  try {
    const { settled } = await observe(room, declared, drivers, last.value);
    return { value: settled, isCurrent: true };
  } catch {
    return last; // the first failure is the one to report
  }
}

function notConverging(plan: Plan, { room, drivers }: Operation): SluiceError {
  return new SluiceError({
    code: "STATE_NOT_CONVERGING",
    object: drivers.object,
    what: `still differs from its declaration, ${count(plan.steps.length, "step")} would have to run again`,
    found: plan.steps
      .map((step) => {
        const { what, because = [] } = saying(room.say, step);
        return because.length === 0 ? what : `${what} (${because.map(renderDifference).join(", ")})`;
      })
      .join("\n"),
    needs: "nothing left to do after the steps have run",
    fix: "find the program or administrator that changes the same object; if there is none, this is a bug in pulumi-sluice",
  });
}
