import { awaitCondition, done, waiting, within } from "../../../provider/wait";
import { problemOf } from "./host/problems";

const base = { object: "server orders", what: "it to answer", everyMillis: 8 };

test("answers with the value of the first look that has one", async () => {
  const told: string[] = [];
  let looks = 0;
  const value = await awaitCondition({
    ...base,
    withinSeconds: 5,
    onWait: (why) => told.push(why),
    check: async () => (++looks < 4 ? waiting(`look ${looks}`) : done(looks)),
  });
  expect([value, told]).toEqual([4, ["look 1", "look 2", "look 3"]]);
});

test("gives up at the limit, with the last reason in the first line", async () => {
  let looks = 0;
  const problem = await problemOf(
    awaitCondition({
      ...base,
      withinSeconds: 0.05,
      fix: "start it",
      check: async () => waiting(`refused, look ${++looks}`),
    }),
  );
  expect(looks).toBeGreaterThan(3);
  expect(problem.message).toBe(
    `server orders: waited 0.05 s for it to answer; last state: refused, look ${looks} (TIMEOUT_REACHED)\n  fix     start it`,
  );
});

test("looks once more at the limit, however long the pauses are", async () => {
  const startedAt = performance.now();
  let looks = 0;
  await problemOf(
    awaitCondition({ ...base, everyMillis: 60_000, withinSeconds: 0.1, check: async () => waiting(`look ${++looks}`) }),
  );
  expect(looks).toBeGreaterThan(1);
  expect(looks).toBeLessThan(4); // a timer may be a millisecond early
  expect(performance.now() - startedAt).toBeGreaterThan(99);
});

test("ends with the error of a look that failed", async () => {
  const failing = awaitCondition({
    ...base,
    withinSeconds: 5,
    check: () => Promise.reject(new Error("no such server")),
  });
  await expect(failing).rejects.toThrow("no such server");
});

test("ends at once with the reason of its signal, before a look, during one and during a pause", async () => {
  const before = AbortSignal.abort(new Error("stopped before"));
  let looks = 0;
  const check = async () => (looks++, waiting("not yet"));
  await expect(awaitCondition({ ...base, withinSeconds: 5, signal: before, check })).rejects.toThrow("stopped before");
  expect(looks).toBe(0);

  const looking = new AbortController();
  const look = async () => (looking.abort(new Error("stopped during a look")), waiting("not yet"));
  const pauses = { ...base, everyMillis: 80_000, withinSeconds: 100 };
  await expect(awaitCondition({ ...pauses, signal: looking.signal, check: look })).rejects.toThrow("during a look");

  const during = new AbortController();
  const wait = awaitCondition({
    ...pauses,
    signal: during.signal,
    check,
    onWait: () => {
      setImmediate(() => during.abort(new Error("stopped during")));
    },
  });
  await expect(wait).rejects.toThrow("stopped during");
  expect(looks).toBe(1);
});

test("within gives the value in time, else what the limit makes, and the error either way", async () => {
  expect(await within(5, Promise.resolve("value"), () => "late")).toBe("value");
  expect(await within(0.01, new Promise<string>(() => undefined), () => "late")).toBe("late");
  await expect(within(5, Promise.reject(new Error("broken")), () => "late")).rejects.toThrow("broken");
});
