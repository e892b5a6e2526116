import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, sh } from "../../../../../provider/host/command";
import type { Host } from "../../../../../provider/host/host";
import { awaitJob, endJob, forgetJob, type JobFacts, readJob, startJob } from "../../../../../provider/host/job/job";
import { localTransport } from "../../../../../provider/host/local";
import { ShellHost } from "../../../../../provider/host/shell-host";
import { sshTransport } from "../../../../../provider/host/ssh/transport";
import { awaitCondition, done, waiting } from "../../../../../provider/wait";
import { problemOf } from "../problems";
import { defaultHostKey, startServer, type TestServer } from "../ssh/ssh-server";

jest.setTimeout(20_000); // real processes, on a machine that may have other work

describe.each(["behind ssh", "local"])("a job on a host %s", (kind) => {
  let server: TestServer;
  let host: Host;
  let directory: string;
  let jobs = 0;

  beforeAll(async () => {
    server = await startServer();
    const address = {
      address: "127.0.0.1",
      port: server.port,
      user: "ana",
      password: "pass",
      hostKey: defaultHostKey.public,
    };
    host = new ShellHost(kind === "local" ? localTransport() : sshTransport(address));
    directory = mkdtempSync(join(tmpdir(), "sluice job's "));
  });
  afterAll(async () => {
    await host.close();
    await server.close();
    rmSync(directory, { recursive: true });
  });

  const newPlace = () => ({ directory, name: `job-${++jobs}` });
  const pathOf = (place: { readonly name: string }, name = "") => join(directory, place.name, name);
  const until = (holds: () => boolean): Promise<undefined> =>
    awaitCondition<undefined>({
      object: "the job",
      what: "what the test waits for",
      withinSeconds: 10,
      everyMillis: 20,
      check: async () => (holds() ? done(undefined) : waiting("not yet")),
    });
  /** A zombie is a line in a table, waiting for the reaper of this machine. */
  const isAlive = (pid: string): boolean => {
    try {
      return !/\) [ZX] /.test(readFileSync(`/proc/${pid.trim()}/stat`, "utf8"));
    } catch {
      return false;
    }
  };

  test("that was never started is absent", async () => {
    expect(await readJob(host, newPlace())).toEqual({ state: "absent", logTail: "", progressText: "" });
  });

  test("leaves its exit code, its log and its progress", async () => {
    const [good, bad] = [newPlace(), newPlace()];
    await startJob(host, {
      ...good,
      script: new Command(`echo out; echo err >&2; echo "all done" >"$SLUICE_JOB/progress"`),
    });
    await startJob(host, { ...bad, script: new Command("seq 1 100; exit 7") });
    const well = await awaitJob(host, good, { withinSeconds: 10 });
    expect(well).toMatchObject({ state: "succeeded", exitCode: 0, logTail: "out\nerr", progressText: "all done" });
    expect(well.startedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const badly = await awaitJob(host, bad, { withinSeconds: 10 });
    expect(badly).toMatchObject({ state: "failed", exitCode: 7, progressText: "" });
    expect(badly.logTail.split("\n")).toEqual(Array.from({ length: 20 }, (_, at) => String(at + 81)));
  });

  test("tells its progress while it runs", async () => {
    const place = newPlace();
    const script = new Command(
      `for n in 1 2 3; do echo "step $n" >progress.new; mv progress.new progress; while [ ! -e go$n ]; do sleep 0.02; done; done`,
    );
    await startJob(host, { ...place, script });
    const told: string[] = [];
    const ended = awaitJob(host, place, {
      withinSeconds: 20,
      onProgress: ({ progressText, state }: JobFacts) => {
        expect(state).toBe("running");
        told.push(progressText);
        if (progressText !== "") writeFileSync(pathOf(place, `go${progressText.slice(-1)}`), "");
      },
    });
    expect((await ended).state).toBe("succeeded");
    expect([...new Set(told)].filter((text) => text !== "")).toEqual(["step 1", "step 2", "step 3"]);
  });

  test("is started once, however often it is asked for, until it is forgotten", async () => {
    const place = newPlace();
    const log = join(directory, `${place.name}.log`);
    const order = { ...place, script: sh`echo ran >>${log}; while [ ! -e go ]; do sleep 0.02; done` };
    const first = await startJob(host, order);
    const again = await startJob(host, order);
    expect([first.state, again.state]).toEqual(["running", "running"]);
    expect((await problemOf(forgetJob(host, place))).message).toContain("cannot be deleted while it runs");
    writeFileSync(pathOf(place, "go"), "");
    await awaitJob(host, place, { withinSeconds: 10 });
    expect((await startJob(host, order)).state).toBe("succeeded");
    expect(readFileSync(log, "utf8")).toBe("ran\n");
    await forgetJob(host, place);
    await forgetJob(host, place);
    expect(existsSync(pathOf(place))).toBe(false);
    await startJob(host, { ...order, script: sh`echo ran >>${log}` });
    await awaitJob(host, place, { withinSeconds: 10 });
    expect(readFileSync(log, "utf8")).toBe("ran\nran\n");
  });

  test("is started once by many at the same time", async () => {
    const place = newPlace();
    const log = join(directory, `${place.name}.log`);
    await Promise.all(Array.from({ length: 4 }, () => startJob(host, { ...place, script: sh`echo ran >>${log}` })));
    expect((await awaitJob(host, place, { withinSeconds: 10 })).state).toBe("succeeded");
    expect(readFileSync(log, "utf8")).toBe("ran\n");
  });

  test("keeps secrets in files of its own, which end with it", async () => {
    const place = newPlace();
    const secret = "MARKER 'quoted' \\ $x\n";
    const script = new Command(`cat "$SLUICE_JOB/password.cnf"; while [ ! -e go ]; do sleep 0.02; done`);
    await startJob(host, { ...place, script, files: { "password.cnf": secret } });
    await until(() => readFileSync(pathOf(place, "log"), "utf8") === secret);
    expect(statSync(pathOf(place)).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(pathOf(place)))
      expect([name, statSync(pathOf(place, name)).mode & 0o077]).toEqual([name, 0]);
    const { stdout } = await host.query(
      new Command(
        `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c "MARKER 'quo[t]ed" || :`,
      ),
    );
    expect(stdout).toBe("0\n");
    writeFileSync(pathOf(place, "go"), "");
    await awaitJob(host, place, { withinSeconds: 10 });
    expect(existsSync(pathOf(place, "password.cnf"))).toBe(false);
  });

  test("outlives the host's connection and its own starter", async () => {
    const place = newPlace();
    const own = new ShellHost(
      kind === "local"
        ? localTransport()
        : sshTransport({
            address: "127.0.0.1",
            port: server.port,
            user: "ana",
            password: "pass",
            hostKey: defaultHostKey.public,
          }),
    );
    await startJob(own, { ...place, script: new Command("while [ ! -e go ]; do sleep 0.02; done; echo survived") });
    if (kind === "local") await own.close();
    else server.cut();
    expect((await readJob(host, place)).state).toBe("running");
    writeFileSync(pathOf(place, "go"), "");
    expect(await awaitJob(host, place, { withinSeconds: 10 })).toMatchObject({
      state: "succeeded",
      logTail: "survived",
    });
    await own.close();
  });

  test("is ended with all its processes, those in groups of their own too", async () => {
    const place = newPlace();
    const script = new Command(
      "timeout 50 sh -c 'echo $$ >pid1; sleep 51.1' & sleep 51.2 & echo $! >pid2; wait; sleep 51.3",
    );
    await startJob(host, { ...place, script });
    const pids = () =>
      ["pid1", "pid2"].map((name) =>
        existsSync(pathOf(place, name)) ? readFileSync(pathOf(place, name), "utf8") : "",
      );
    await until(() => pids().every((pid) => pid.endsWith("\n")));
    expect(pids().every(isAlive)).toBe(true);
    await endJob(host, place, { withinSeconds: 5 });
    expect(pids().some(isAlive)).toBe(false);
    expect(await readJob(host, place)).toMatchObject({ state: "failed", exitCode: 143 });
    await endJob(host, place, { withinSeconds: 5 });
    await endJob(host, newPlace(), { withinSeconds: 5 });
  });

  test("that ignores the wish to end is killed, and failed without an exit code", async () => {
    const place = newPlace();
    await startJob(host, { ...place, script: new Command("trap '' TERM; echo $$ >pid; while :; do sleep 0.1; done") });
    await until(() => existsSync(pathOf(place, "pid")) && readFileSync(pathOf(place, "pid"), "utf8").endsWith("\n"));
    await endJob(host, place, { withinSeconds: 0.3 });
    expect(isAlive(readFileSync(pathOf(place, "pid"), "utf8"))).toBe(false);
    const facts = await readJob(host, place);
    expect(facts.state).toBe("failed");
    expect(facts.exitCode).toBeUndefined();
  });

  test("is not taken for another process of the same number", async () => {
    const place = newPlace();
    await startJob(host, { ...place, script: new Command("exit 0") });
    await awaitJob(host, place, { withinSeconds: 10 });
    const started = readFileSync(pathOf(place, "started"), "utf8").split(" ");
    rmSync(pathOf(place, "status"));
    // This process lives, and was born at another time.
    writeFileSync(pathOf(place, "started"), [String(process.pid), ...started.slice(1)].join(" "));
    const facts = await readJob(host, place);
    expect(facts.state).toBe("failed");
    expect(facts.exitCode).toBeUndefined();
    // The same number and birth in another life of the machine.
    const birth = readFileSync(`/proc/${process.pid}/stat`, "utf8").replace(/.*\) /s, "").split(" ")[19] ?? "";
    writeFileSync(pathOf(place, "started"), `${process.pid} ${birth} another-boot ${started.slice(3).join(" ")}`);
    expect((await readJob(host, place)).state).toBe("failed");
    writeFileSync(pathOf(place, "started"), `${process.pid} ${birth} ${started.slice(2).join(" ")}`);
    expect((await readJob(host, place)).state).toBe("running");
  });

  test("stops being waited for at the limit, and at a signal, and runs on", async () => {
    const place = newPlace();
    await startJob(host, { ...place, script: new Command("echo copying >progress; sleep 52.1") });
    const late = await problemOf(awaitJob(host, place, { withinSeconds: 0.3 }));
    expect(late.code).toBe("TIMEOUT_REACHED");
    expect(late.message).toContain("last state: copying");
    const stop = new AbortController();
    const stopped = awaitJob(host, place, {
      withinSeconds: 30,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("Ctrl-C")),
    });
    await expect(stopped).rejects.toThrow("Ctrl-C");
    expect((await readJob(host, place)).state).toBe("running");
    await endJob(host, place, { withinSeconds: 5 });
  });

  test("that was never started cannot be waited for", async () => {
    expect((await problemOf(awaitJob(host, newPlace(), { withinSeconds: 5 }))).message).toContain(
      "it was never started",
    );
  });

  test.each(["UPPER", "a/b", "..", "", "a b"])("cannot be named %j", async (name) => {
    await expect(readJob(host, { directory, name })).rejects.toThrow(RangeError);
  });
});

test("waiting for a job continues while the host is away", async () => {
  const server = await startServer();
  const address = {
    address: "127.0.0.1",
    port: server.port,
    user: "ana",
    password: "pass",
    hostKey: defaultHostKey.public,
    connectSeconds: 1,
  };
  const host = new ShellHost(sshTransport(address));
  const directory = mkdtempSync(join(tmpdir(), "sluice-away-"));
  const place = { directory, name: "long" };
  await startJob(host, { ...place, script: new Command("while [ ! -e go ]; do sleep 0.02; done") });
  const reasons: string[] = [];
  const ended = awaitJob(host, place, {
    withinSeconds: 20,
    onWait: (why) => {
      reasons.push(why);
      if (reasons.length === 2) void server.listen(true);
    },
  });
  await server.listen(false);
  server.cut();
  writeFileSync(join(directory, "long", "go"), "");
  expect((await ended).state).toBe("succeeded");
  expect(reasons[0]).toContain("could not be restored");
  await host.close();
  await server.close();
  rmSync(directory, { recursive: true });
});
