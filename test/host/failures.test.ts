import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { startDynamicHost, type CallFailure, type DynamicHost } from "../harness/dynamic-host";
import { beside, fileUrn, makeFileProgram, type FileProgram } from "../harness/file-program";

jest.setTimeout(60_000); // a provider process starts in 0.4 s on an idle machine; the other floors run beside this one

let files: FileProgram;

beforeAll(async () => {
  files = await makeFileProgram();
});
afterAll(() => files.remove());

const failureOf = async (call: Promise<unknown>): Promise<CallFailure> =>
  call.then(
    () => {
      throw new Error("the call did not fail");
    },
    (failure: unknown) => failure as CallFailure,
  );

const inputsFor = (place: string, properties: Record<string, unknown> = {}) => ({
  host: "local",
  directory: files.place(place),
  text: "hello",
  parts: 2,
  partSeconds: 60,
  failure: "none",
  ...properties,
  ...beside(),
});

describe("a create that fails half-way", () => {
  test("keeps the resource with its __provider, so that update continues and delete removes it", async () => {
    await using host = await startDynamicHost(files.program);
    const inputs = inputsFor("half", { failure: "expected", password: "hunter2" });
    const { message, initFailed } = await failureOf(host.create(inputs));
    const text = [
      "files half@local: cannot write the text, the pen is dry (COMMAND_FAILED)",
      "  found   password «secret»",
      "  needs   ink",
      "  fix     fill it",
      "  step    4 of 5, write-text; steps 1-3 are done",
    ].join("\n");
    expect(message).toBe(text);
    expect(initFailed).toMatchObject({
      id: `local:${files.place("half")}`,
      reasons: [text],
      properties: { ...beside(), parts: 2, count: "2", __sluice: { identity: { name: "shop/dev/one" } } },
    });
    expect(JSON.stringify(initFailed?.properties["password"])).toContain("1b47061264138c4ac30d75fd1eb44270");

    const state = { ...initFailed?.properties, password: "hunter2" };
    const { properties } = await host.update("id", state, { ...inputs, failure: "none" });
    expect(properties).toMatchObject({ text: "hello" });
    expect(readFileSync(`${files.place("half")}/part-1`, "utf8")).toBe("1\n");
    await host.delete("id", state);
    expect(existsSync(files.place("half"))).toBe(false);
  });

  test("before anything was made keeps nothing", async () => {
    await using host = await startDynamicHost(files.program);
    writeFileSync(files.place("in-the-way"), "");
    const { initFailed, message } = await failureOf(host.create(inputsFor("in-the-way/below")));
    expect(message).toContain("1 of 4, claim; no step is done");
    expect(initFailed).toBeUndefined();
  });
});

describe("errors as Pulumi shows them", () => {
  test("an expected one has no JavaScript stack, on the resource or on the stack", async () => {
    await using host = await startDynamicHost(files.program);
    const newer = { ...inputsFor("newer"), __sluice: { stateVersion: 99, owner: "a", settled: null } };
    const { message } = await failureOf(host.read("id", newer));
    expect(message).toContain("STATE_TOO_NEW");
    expect(`${message}\n${host.printed()}`).not.toMatch(/^\s+at /m);
    expect(host.printed()).toBe(
      "sluice: cannot read the stack's state, a newer pulumi-sluice wrote it (STATE_TOO_NEW): details are printed under the resource\n",
    );
  });

  test("an unexpected one keeps its stack and says that it is a bug; no secret in either", async () => {
    await using host = await startDynamicHost(files.program);
    const { message } = await failureOf(host.create(inputsFor("bug", { failure: "bug", password: "hunter2" })));
    expect(message).toMatch(
      /^files bug@local: stopped by an unexpected error: text is not writable: «secret» \(INTERNAL_ERROR\)\n/,
    );
    expect(message).toContain("this is a bug in pulumi-sluice");
    expect(message).toMatch(/^\s+at write-text .*file-room\.ts/m);
    expect(message + host.printed()).not.toContain("hunter2");
  });

  test("an uncaught one ends the call instead of leaving it hanging", async () => {
    await using host = await startDynamicHost(files.program);
    const { message } = await failureOf(host.create(inputsFor("uncaught", { failure: "uncaught" })));
    expect(message).toContain("unexpected error: nobody listens");
    // The process goes on: the next call is served.
    expect((await host.check(inputsFor("next"))).failures).toEqual([]);
  });
});

describe("the engine's lines", () => {
  test("progress is on the resource's row, steps stay, in order; secrets are in neither", async () => {
    await using host = await startDynamicHost(files.program);
    await host.create(inputsFor("lines", { password: "hunter2" }));
    const shown = host.lines.filter(({ severity }) => severity > 0);
    const lines = shown.map(({ text, ephemeral }) => `${ephemeral ? "~" : "="} ${text.replace(/\d+\.\d s/, "T s")}`);
    expect(lines.filter((line) => line.startsWith("="))).toEqual([
      "= 1/5 claim the directory · T s",
      "= 2/5 add part 1 · T s",
      "= 3/5 add part 2 · T s",
      "= 4/5 write the text · T s",
      "= 5/5 set the password · T s",
    ]);
    expect(lines[0]).toBe("~ observing");
    // Steps that are over within a second have their own lines and no progress; the last progress is always there.
    expect(lines.at(-1)).toBe("~ as declared");
    expect(new Set(host.lines.map(({ urn }) => urn))).toEqual(new Set([fileUrn("one")]));
    expect(lines.join("\n")).not.toContain("hunter2");
    expect(host.printed()).toBe("");
  });

  test("reach the engine past a proxy that the environment names", async () => {
    const env = { http_proxy: "http://127.0.0.1:9", https_proxy: "http://127.0.0.1:9", no_proxy: "" };
    await using host = await startDynamicHost(files.program, { env });
    await host.create(inputsFor("proxied"));
    expect(host.lines.map(({ text }) => text)).toContain("as declared");
    expect(host.printed()).toBe("");
  });

  test("an engine that answers no log calls is done without: lines go to the process's output", async () => {
    await using host = await startDynamicHost(files.program, { refusesLines: true });
    await host.create(inputsFor("deaf"));
    expect(host.printed()).toContain("1/4 claim the directory");
  });
});

/** A create that waits at its second step, with the gate to let it go on. */
async function startSlow(host: DynamicHost, place: string) {
  const gate = files.place(`${place}-gate`);
  const inputs = inputsFor(place, { gate });
  const call = host.create(inputs).then(
    () => "done" as const,
    (failure: unknown) => failure as CallFailure,
  );
  await host.awaitLine(({ text }) => text.includes("the gate is closed"));
  return { inputs, call, open: () => writeFileSync(gate, "") };
}

/** Pulumi gives a provider 5 s. */
const endsInTime = async (host: DynamicHost): Promise<number> => {
  const startedAt = performance.now();
  await host.ended;
  return (performance.now() - startedAt) / 1000;
};

describe("a provider whose engine is gone", () => {
  test("stops at the next step and ends within 5 s; the next run continues", async () => {
    await using host = await startDynamicHost(files.program);
    const { inputs, open } = await startSlow(host, "killed");
    host.killEngine();
    expect(await endsInTime(host)).toBeLessThan(5);
    open();
    expect(existsSync(`${files.place("killed")}/marker`)).toBe(true);
    expect(existsSync(`${files.place("killed")}/part-1`)).toBe(false);
    await using next = await startDynamicHost(files.program);
    await next.create(inputs);
    expect(readFileSync(`${files.place("killed")}/part-2`, "utf8")).toBe("2\n");
  });

  test("ends at once when nothing is at work", async () => {
    await using host = await startDynamicHost(files.program);
    await host.check(inputsFor("idle"));
    host.killEngine();
    expect(await endsInTime(host)).toBeLessThan(5);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("interrupted by %s answers what it can, and ends", async (signal) => {
    await using host = await startDynamicHost(files.program);
    const { call } = await startSlow(host, signal);
    host.process.kill(signal);
    expect(await call).toMatchObject({
      message: expect.stringContaining("sluice: stopped, this provider was interrupted (ENGINE_GONE)"),
      initFailed: { id: `local:${files.place(signal)}` },
    });
    expect(await endsInTime(host)).toBeLessThan(5);
    expect(await host.ended).toEqual({ code: 1, signal: null });
  });
});
