import { EngineLog } from "../../../../provider/pulumi/log";
import type { Engine, LogRequest } from "../../../../provider/pulumi/sdk";

/** An engine that answers each call when it is told to. */
class SlowEngine {
  readonly got: string[] = [];
  readonly #answers: (() => void)[] = [];

  readonly engine: Engine = {
    newMetadata: () => ({}),
    newRequest: () => {
      const line: Record<string, unknown> = {};
      const set = (key: string) => (value: unknown) => void (line[key] = value);
      return {
        line,
        setSeverity: set("severity"),
        setMessage: set("text"),
        setUrn: set("urn"),
        setEphemeral: set("ephemeral"),
      } as LogRequest;
    },
    client: {
      log: (request, _metadata, _options, done) => {
        const { line } = request as unknown as { line: Record<string, unknown> };
        this.got.push(
          `${String(line["urn"])} ${line["ephemeral"] === true ? "~" : "="} ${String(line["text"])} (${String(line["severity"])})`,
        );
        this.#answers.push(() => done(null));
      },
      getChannel: () => {
        throw new Error("nobody watches");
      },
    },
  };

  /** Answers the oldest call, and lets what waits for it go on. */
  async answer(): Promise<void> {
    this.#answers.shift()?.();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
}

test("lines go one after another: the engine serves calls in any order", async () => {
  const slow = new SlowEngine();
  const report = new EngineLog(slow.engine).reportFor("a");
  report.say("one");
  report.debug("two");
  report.say("three");
  expect(slow.got).toEqual(["a = one (1)"]);
  await slow.answer();
  expect(slow.got).toEqual(["a = one (1)", "a = two (0)"]);
  await slow.answer();
  expect(slow.got.at(-1)).toBe("a = three (1)");
});

test("progress that was not sent yet is replaced by the newer one, of the same resource only", async () => {
  const slow = new SlowEngine();
  const log = new EngineLog(slow.engine);
  const [a, b] = [log.reportFor("a"), log.reportFor("b")];
  b.say("begun");
  a.progress("1 %");
  for (const percent of [2, 3, 4]) a.progress(`${String(percent)} %`);
  log.endRow("a");
  b.progress("5 %");
  a.say("done");
  for (let call = 0; call < 5; call += 1) await slow.answer();
  expect(slow.got).toEqual(["b = begun (1)", "a ~ 4 % (1)", "b ~ 5 % (1)", "a = done (1)"]);
});

describe("progress of a row", () => {
  /** Every line is answered at once; the clock stands still until the test moves it. */
  const begin = () => {
    jest.useFakeTimers();
    const slow = new SlowEngine();
    const log = new EngineLog(slow.engine);
    const after = async (millis: number) => {
      await jest.advanceTimersByTimeAsync(millis);
      for (let call = 0; call < 5; call += 1) await slow.answer();
    };
    return { slow, log, after, texts: () => slow.got.map((line) => /~ (.*) \(1\)$/.exec(line)?.[1]) };
  };
  afterEach(() => jest.useRealTimers());

  test("is shown once a second at first, the newest each time", async () => {
    const { log, after, texts } = begin();
    const report = log.reportFor("a");
    for (let tenth = 0; tenth < 14; tenth += 1) {
      report.progress(`step ${String(tenth)}`);
      await after(100);
    }
    expect(texts()).toEqual(["step 0", "step 9"]);
    await after(1000);
    expect(texts()).toEqual(["step 0", "step 9", "step 13"]);
  });

  test("is shown more and more seldom in a long work, at least every 30 s", async () => {
    const { log, after, texts } = begin();
    const report = log.reportFor("a");
    for (let second = 0; second < 3600; second += 1) {
      report.progress(`second ${String(second)}`);
      await after(1000);
    }
    const shown = texts().map((text) => Number(text?.split(" ").at(-1)));
    const pauses = shown.slice(1).map((second, index) => second - (shown[index] ?? 0));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(31);
    expect(shown.length).toBeLessThan(160);
    expect(shown.length).toBeGreaterThan(120);
  });

  test("never loses what was said last before the work ended", async () => {
    const { log, after, texts } = begin();
    const report = log.reportFor("a");
    for (const text of ["observing", "[1/1] start it", "as declared"]) report.progress(text);
    log.endRow("a");
    await after(0);
    expect(texts()).toEqual(["observing", "as declared"]);
    report.progress("observing"); // the next call for the same resource
    await after(0);
    expect(texts()).toEqual(["observing", "as declared", "observing"]);
  });

  test("is said once while it stays the same, and does not wait for another row", async () => {
    const { log, after, texts } = begin();
    const [a, b] = [log.reportFor("a"), log.reportFor("b")];
    for (const report of [a, a, b]) report.progress("starts");
    await after(60_000);
    expect(texts()).toEqual(["starts", "starts"]);
  });
});

test("flush waits for what was said, and for what is said meanwhile", async () => {
  const slow = new SlowEngine();
  const log = new EngineLog(slow.engine);
  const report = log.reportFor("a");
  report.say("one");
  let isFlushed = false;
  const flushed = log.flush().then(() => (isFlushed = true));
  report.say("two");
  await slow.answer();
  expect([isFlushed, slow.got.length]).toEqual([false, 2]);
  await slow.answer();
  await flushed;
  report.say("three");
  expect(slow.got.at(-1)).toBe("a = three (1)");
});

test("with nothing said there is nothing to wait for", async () => {
  await new EngineLog(undefined).flush();
});
