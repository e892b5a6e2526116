import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../../../../provider/host/host";
import { localTransport } from "../../../../../provider/host/local";
import type { Service } from "../../../../../provider/host/service/declaration";
import {
  lookAtService,
  makeService,
  readServiceOutput,
  removeService,
  startService,
  stopService,
} from "../../../../../provider/host/service/service";
import { supervisorFunctions } from "../../../../../provider/host/service/supervisor";
import { ShellHost } from "../../../../../provider/host/shell-host";
import { silent } from "../../../../../provider/report";
import { awaitCondition, done, waiting } from "../../../../../provider/wait";
import { restart, serviceIn } from "./services";

jest.setTimeout(20_000); // real processes, on a machine that may have other work

let host: Host;
let directory: string;
const started: Service[] = [];
const stopping = { object: "the service", withinSeconds: 10, allowKill: true, report: silent };

beforeAll(() => {
  host = new ShellHost(localTransport());
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice's services "));
});
afterEach(async () => {
  for (const service of started.splice(0)) await stopService(host, service, stopping);
  rmSync(directory, { recursive: true });
});
afterAll(() => host.close());

const path = (name: string) => join(directory, name);
const text = (name: string) => (existsSync(path(name)) ? readFileSync(path(name), "utf8") : "");
const lines = (name: string) => text(name).split("\n").slice(0, -1);

function writeProgram(name: string, body: string): void {
  writeFileSync(path(name), `#!/bin/sh\n${body}\n`);
  chmodSync(path(name), 0o755);
}

/** A program that notes its starts beside what `body` does. */
async function begin(body: string, changes: Partial<Service> = {}): Promise<Service> {
  writeProgram("program", `echo "$1" >>"${directory}/starts"\n${body}`);
  const service = serviceIn(directory, changes);
  started.push(service);
  expect(await makeService(host, service)).toEqual({ changed: true });
  expect(await makeService(host, service)).toEqual({ changed: false });
  await startService(host, service);
  return service;
}

const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<undefined> =>
  awaitCondition<undefined>({
    object: "the service",
    what,
    withinSeconds: 10,
    everyMillis: 20,
    check: async () => ((await holds()) ? done(undefined) : waiting("not yet")),
  });
const untilEnded = (service: Service) => until("it to end", async () => !(await lookAtService(host, service)).running);

/** The program's exit codes, one a start. */
const endsWith = (codes: string) => `n=$(wc -l <"${directory}/starts"); set -- ${codes}; shift $((n - 1)); exit "$1"`;
const untilTerm = "trap 'exit 0' TERM; while :; do sleep 0.05; done";

test.each([
  ["16 16 0", 3, null],
  ["1", 1, "exit code 1"],
  ["139 16 0", 3, null],
  ["2 2 2 2 2 2 2", 5, "exit code 2"],
])("a program that ends with %s is started %i times", async (codes, times, exit) => {
  const service = await begin(endsWith(codes), { restart });
  await untilEnded(service);
  expect(lines("starts")).toEqual(Array.from({ length: times }, () => "first word"));
  expect(await lookAtService(host, service)).toMatchObject({ pid: null, exit, enabled: false });
});

test("a program without a restart policy is started once, with its environment, and what it printed is kept", async () => {
  const service = await begin('echo "<$NOTE>"; echo oops >&2; exit 16', { environment: { NOTE: "it's $HOME" } });
  await untilEnded(service);
  expect(lines("starts")).toHaveLength(1);
  expect(await readServiceOutput(host, service, 5)).toEqual(["<it's $HOME>", "oops"]);
});

test("a start beside a running service starts nothing, TERM ends it cleanly, and nothing is left after its removal", async () => {
  const service = await begin(untilTerm, { restart });
  await until("its start", () => lines("starts").length > 0);
  const before = await lookAtService(host, service);
  expect(before.running).toBe(true);
  await startService(host, service);
  expect((await lookAtService(host, service)).pid).toBe(before.pid);
  await stopService(host, service, stopping);
  await stopService(host, service, stopping);
  expect(await lookAtService(host, service)).toMatchObject({ running: false, exit: null });
  expect(lines("starts")).toHaveLength(1);
  await removeService(host, service);
  await removeService(host, service);
  expect(["supervise.sh", "state", "output"].filter((name) => existsSync(path(name)))).toEqual([]);
});

test("a program that does not end at TERM is killed only if that is allowed", async () => {
  const service = await begin("trap '' TERM; echo ready >>\"$0.ready\"; while :; do sleep 0.05; done");
  await until("its start", () => lines("program.ready").length > 0);
  const { pid } = await lookAtService(host, service);
  const short = { ...stopping, withinSeconds: 0.2 };
  await expect(stopService(host, service, { ...short, allowKill: false })).rejects.toMatchObject({
    code: "TIMEOUT_REACHED",
    message: expect.stringContaining(`process ${String(pid)} is shutting down`) as string,
  });
  expect((await lookAtService(host, service)).pid).toBe(pid);
  await stopService(host, service, short);
  expect((await lookAtService(host, service)).running).toBe(false);
});

test("a program that outlives its supervisor is known by its word, and is not started beside itself", async () => {
  const service = await begin(untilTerm, { restart });
  await until("its start", () => lines("starts").length > 0);
  const { pid } = await lookAtService(host, service);
  const supervisorPid = text("state").split(" ")[0] ?? "";
  process.kill(Number(supervisorPid), "SIGKILL");
  await startService(host, service);
  expect(await lookAtService(host, service)).toMatchObject({ running: true, pid });
  await stopService(host, service, stopping);
  expect(await lookAtService(host, service)).toMatchObject({ running: false, exit: "its supervisor has ended" });
});

test("a process of another program is none of the service's, whatever the state file says", async () => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)", "--", "--file=/srv/a b/my.cnf"]);
  try {
    await once(child, "spawn");
    const serves = (knownBy: string): boolean =>
      spawnSync("sh", [
        "-c",
        `${supervisorFunctions(serviceIn(directory, { knownBy })).text}\nvalue=${String(child.pid)}; serves`,
      ]).status === 0;
    expect(serves("--file=/srv/a b/my.cnf")).toBe(true);
    expect(serves("--file=/srv/other/my.cnf")).toBe(false);
  } finally {
    child.kill("SIGKILL");
    await once(child, "close");
  }
});

describe("a timed service", () => {
  const minute = 60;
  const noon = Date.parse("2026-11-21T12:00:00Z") / 1000;

  /** The service's `date` tells this, and its `sleep` is short: a day passes in a moment. */
  const setClock = (seconds: number) => writeFileSync(path("clock"), `${seconds}\n`);
  const setLooks = () => {
    mkdirSync(path("bin"));
    writeProgram("bin/date", `cat "${directory}/clock"`);
    writeProgram("bin/sleep", `echo "$1" >>"${directory}/looks"; exec /bin/sleep 0.02`);
  };
  const untilItLookedAgain = async () => {
    const looks = lines("looks").length;
    await until("its next look at the clock", () => lines("looks").length > looks + 1);
  };

  const beginTimed = async (body: string): Promise<Service> => {
    setLooks();
    setClock(noon);
    const PATH = `${path("bin")}:${process.env["PATH"] ?? ""}`;
    return begin(body, { type: "oneshot", timer: { everyMinutes: 30 }, environment: { PATH } });
  };

  test("runs when it is due and only then", async () => {
    const service = await beginTimed("exit 3");
    await untilItLookedAgain();
    expect(lines("starts")).toEqual([]);
    expect(await lookAtService(host, service)).toMatchObject({ running: true, pid: null, exit: null });
    setClock(noon + 30 * minute - 1);
    await untilItLookedAgain();
    expect(lines("starts")).toEqual([]);
    expect(lines("looks").at(-1)).toBe("1");
    setClock(noon + 30 * minute);
    await untilItLookedAgain();
    expect(lines("starts")).toHaveLength(1);
    expect(await lookAtService(host, service)).toMatchObject({ running: true, pid: null, exit: "exit code 3" });
    setClock(noon + 61 * minute);
    await untilItLookedAgain();
    expect(lines("starts")).toHaveLength(2);
  });

  test("makes up for the runs that it missed while it was down, once", async () => {
    const service = await beginTimed("exit 0");
    await untilItLookedAgain();
    await stopService(host, service, stopping);
    expect((await lookAtService(host, service)).running).toBe(false);
    setClock(noon + 24 * 60 * minute);
    await startService(host, service);
    await untilItLookedAgain();
    expect(lines("starts")).toHaveLength(1);
    await stopService(host, service, stopping);
    await startService(host, service);
    await untilItLookedAgain();
    expect(lines("starts")).toHaveLength(1);
  });

  test("ends its run when it is stopped", async () => {
    const service = await beginTimed(untilTerm);
    await untilItLookedAgain();
    setClock(noon + 30 * minute);
    await until("its run", async () => (await lookAtService(host, service)).pid !== null);
    await stopService(host, service, stopping);
    expect(await lookAtService(host, service)).toMatchObject({ running: false, pid: null });
    await removeService(host, service);
    expect(existsSync(path("state.due"))).toBe(false);
  });
});
