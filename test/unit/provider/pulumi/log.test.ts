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

test("progress that nobody has seen is replaced by the newer one, of the same resource only", async () => {
  const slow = new SlowEngine();
  const log = new EngineLog(slow.engine);
  const [a, b] = [log.reportFor("a"), log.reportFor("b")];
  a.progress("1 %");
  for (const percent of [2, 3, 4]) a.progress(`${String(percent)} %`);
  b.progress("5 %");
  a.say("done");
  for (let call = 0; call < 5; call += 1) await slow.answer();
  expect(slow.got).toEqual(["a ~ 1 % (1)", "a ~ 4 % (1)", "b ~ 5 % (1)", "a = done (1)"]);
});

test("the same progress is said once", async () => {
  const slow = new SlowEngine();
  const report = new EngineLog(slow.engine).reportFor("a");
  for (const text of ["starts", "starts", "runs", "starts"]) {
    report.progress(text);
    await slow.answer();
  }
  expect(slow.got).toEqual(["a ~ starts (1)", "a ~ runs (1)", "a ~ starts (1)"]);
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
