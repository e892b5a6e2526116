import { SluiceError } from "../../../../provider/errors";
import { runPlan } from "../../../../provider/plan/run";
import { silent } from "../../../../provider/report";
import type { AnyRoom, Drivers } from "../../../../provider/room";

type Perform = (step: { kind: string }, context: { signal: AbortSignal; report: Drivers["report"] }) => Promise<void>;

/** Runs the steps with the given performers; answers with what was said. */
async function run(
  perform: Record<string, Perform>,
  kinds: readonly string[],
  options: { limit?: number; signal?: AbortSignal } = {},
) {
  const lines: string[] = [];
  const progress: string[] = [];
  const report = {
    ...silent,
    say: (text: string) => lines.push(text),
    progress: (text: string) => progress.push(text),
  };
  const room = {
    perform,
    say: Object.fromEntries(kinds.map((kind) => [kind, () => ({ what: `do ${kind}` })])),
    withinSeconds: () => options.limit ?? 60,
  } as unknown as AnyRoom;
  const drivers = {
    report,
    object: "files a@local",
    signal: options.signal ?? new AbortController().signal,
  } as unknown as Drivers;
  const seen = { settled: {}, live: null };
  const identity = { kind: "FileRoom", name: "p/s/n", seal: null };
  const operation = { room, declared: {}, identity, before: null, drivers };
  const error = await runPlan({ steps: kinds.map((kind) => ({ kind })) }, seen, operation).then(
    () => undefined,
    (thrown: unknown) => thrown as SluiceError,
  );
  return { lines: lines.map((line) => line.replace(/\d+\.\d s/, "T s")), progress, error };
}

const never: Perform = () => new Promise(() => undefined);
const nothing: Perform = () => Promise.resolve();

test("runs the steps in order and says each when it is done", async () => {
  const order: string[] = [];
  const note: Perform = async ({ kind }, { report }) => {
    report.progress("half");
    order.push(kind);
  };
  expect(await run({ a: note, b: note }, ["a", "b"])).toEqual({
    lines: ["1/2 do a · T s", "2/2 do b · T s"],
    progress: ["[1/2] do a", "[1/2] do a: half", "[2/2] do b", "[2/2] do b: half"],
    error: undefined,
  });
  expect(order).toEqual(["a", "b"]);
});

describe("a step that fails", () => {
  const problem = new SluiceError({ code: "STORAGE_FULL", object: "disk", what: "is full", fix: "make room" });

  test("ends the run and is named", async () => {
    const ran: string[] = [];
    const { error } = await run(
      { a: nothing, b: nothing, c: () => Promise.reject(problem), d: async () => void ran.push("d") },
      ["a", "b", "c", "d"],
    );
    expect(error?.problem).toEqual({
      ...problem.problem,
      step: "3 of 4, c; steps 1-2 are done",
    });
    expect(error?.message.split("\n")[0]).toBe("disk: is full (STORAGE_FULL)");
    expect(ran).toEqual([]);
  });

  test.each([
    [["x"], "1 of 1, x; no step is done"],
    [["a", "x"], "2 of 2, x; step 1 is done"],
  ])("%j is told as: %s", async (kinds, step) => {
    const { error } = await run({ a: nothing, x: () => Promise.reject(problem) }, kinds);
    expect(error?.problem.step).toBe(step);
  });

  test("with an unexpected error keeps its stack in the text", async () => {
    const bug = new TypeError("cannot read x");
    const { error } = await run({ a: () => Promise.reject(bug) }, ["a"]);
    expect(error?.code).toBe("INTERNAL_ERROR");
    expect(error?.message).toContain("run.test.ts");
  });

  test("without a performer is a bug", async () => {
    const { error } = await run({}, ["a"]);
    expect(error?.message).toContain("no performer for the step a");
  });
});

describe("the time limit", () => {
  test("ends a step that honours the signal, at once", async () => {
    const honour: Perform = (_step, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("AbortError")));
      });
    const { error } = await run({ a: honour }, ["a"], { limit: 0.02 });
    expect(error?.message.split("\n")[0]).toBe(
      "files a@local: cannot do a, the limit of 0.02 s is reached (TIMEOUT_REACHED)",
    );
  });

  test("ends a step that ignores the signal, after a moment", async () => {
    const { error } = await run({ a: never }, ["a"], { limit: 0.02 });
    expect(error?.code).toBe("TIMEOUT_REACHED");
  });

  test("leaves the step's own words where it has some", async () => {
    const own = new SluiceError({ code: "TIMEOUT_REACHED", object: "mysqld", what: "still recovers, 80 %" });
    const honour: Perform = (_step, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(own));
      });
    const { error } = await run({ a: honour }, ["a"], { limit: 0.02 });
    expect(error?.problem.what).toBe("still recovers, 80 %");
  });

  test("may be longer than a timer can be", async () => {
    const { error, lines } = await run({ a: nothing }, ["a"], { limit: 30 * 86_400 });
    expect([error, lines]).toEqual([undefined, ["1/1 do a · T s"]]);
  });
});

describe("when the operation is stopped", () => {
  const gone = new SluiceError({ code: "ENGINE_GONE", object: "sluice", what: "stopped" });

  test("the running step ends with the reason, and no further one begins", async () => {
    const stop = new AbortController();
    const ran: string[] = [];
    const stopping: Perform = (_step, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("connection closed")));
        stop.abort(gone);
      });
    const { error } = await run({ a: stopping, b: async () => void ran.push("b") }, ["a", "b"], {
      signal: stop.signal,
    });
    expect(error?.code).toBe("ENGINE_GONE");
    expect(ran).toEqual([]);
  });

  test("a step that was nearly done is done, and the next does not begin", async () => {
    const stop = new AbortController();
    const ran: string[] = [];
    const finishing: Perform = async ({ kind }) => {
      ran.push(kind);
      stop.abort(gone);
    };
    const { error, lines } = await run({ a: finishing, b: finishing }, ["a", "b"], { signal: stop.signal });
    expect(ran).toEqual(["a"]);
    expect(lines).toEqual(["1/2 do a · T s"]);
    expect(error?.problem.step).toBe("2 of 2, b; step 1 is done");
  });
});
