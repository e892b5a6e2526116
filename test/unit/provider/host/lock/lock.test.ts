import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sh } from "../../../../../provider/host/command";
import type { Host } from "../../../../../provider/host/host";
import { lockSessionWords, openLockSession } from "../../../../../provider/host/lock/session";
import { localTransport } from "../../../../../provider/host/local";
import { ShellHost } from "../../../../../provider/host/shell-host";
import { sshTransport } from "../../../../../provider/host/ssh/transport";
import { isProblem } from "../../../../../provider/errors";
import { awaitCondition, done, waiting } from "../../../../../provider/wait";
import { problemOf } from "../problems";
import { defaultHostKey, startServer, type TestServer } from "../ssh/ssh-server";

jest.setTimeout(20_000); // real processes, on a machine that may have other work

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const item of closing.splice(0).reverse()) await item.close();
});

const serve = async (settings = {}): Promise<TestServer> => {
  const server = await startServer(settings);
  closing.push(server);
  return server;
};
const reach = (server: TestServer | "local", connectSeconds = 5): Host => {
  const address = {
    address: "127.0.0.1",
    user: "ana",
    password: "pass",
    hostKey: defaultHostKey.public,
    connectSeconds,
  };
  const transport = server === "local" ? localTransport() : sshTransport({ ...address, port: server.port });
  const host = new ShellHost(transport);
  closing.push(host);
  return host;
};
let names = 0;
const newName = (): string => `test/${process.pid}/${++names}`;
const briefly = { withinSeconds: 0.5, holder: "ana's second run" };
const patiently = { withinSeconds: 10, holder: "ana's first run" };
const reading = (holder: string) => ({ withinSeconds: 0.5, holder, mode: "shared" as const });

/** Work that can be looked at from outside, and ended. */
function openWork(): {
  readonly work: (lost: AbortSignal) => Promise<string>;
  readonly entered: Promise<AbortSignal>;
  leave(): void;
} {
  let leave = () => {};
  let enter: (lost: AbortSignal) => void = () => {};
  const left = new Promise<string>((resolve) => (leave = () => resolve("worked")));
  const entered = new Promise<AbortSignal>((resolve) => (enter = resolve));
  return {
    work: (lost) => {
      enter(lost);
      return left;
    },
    entered,
    leave: () => leave(),
  };
}

describe.each(["behind ssh", "local"])("a lock on a host %s", (kind) => {
  const open = async (): Promise<[Host, Host]> => {
    const server = kind === "local" ? "local" : await serve();
    return [reach(server), reach(server)];
  };

  test("lets one in at a time, and the next one in when the first is done", async () => {
    const [first, second] = await open();
    const name = newName();
    const order: string[] = [];
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work).then(() => order.push("first"));
    await entered;
    const two = second.withLock(name, patiently, async () => order.push("second"));
    const twice = first.withLock(name, patiently, async () => order.push("second"));
    leave();
    await Promise.all([one, two, twice]);
    expect(order).toEqual(["first", "second", "second"]);
  });

  test("says who holds it, since when and how to end that, when it stays taken", async () => {
    const [first, second] = await open();
    const name = newName();
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work);
    await entered;
    const reasons: string[] = [];
    const problem = await problemOf(
      second.withLock(name, { ...briefly, onWait: (why) => reasons.push(why) }, async () => "never"),
    );
    expect(problem.code).toBe("LOCK_TAKEN");
    expect(problem.problem.found).toMatch(
      /^held by ana's first run since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(process \d+\)$/,
    );
    expect(problem.problem.fix).toMatch(/kill \d+$/);
    expect(reasons[0]).toContain("held by ana's first run since");
    leave();
    expect(await one).toBe("worked");
  });

  test("is waited for no longer once the signal is aborted, and stays with its holder", async () => {
    const [first, second] = await open();
    const name = newName();
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work);
    await entered;
    const gone = new AbortController();
    const onWait = () => void setImmediate(() => gone.abort(new Error("the engine is gone")));
    const options = { withinSeconds: 60, holder: "a run whose engine is gone", onWait, signal: gone.signal };
    await expect(second.withLock(name, options, async () => "never")).rejects.toThrow("the engine is gone");
    expect((await problemOf(second.withLock(name, briefly, async () => "never"))).problem.found).toContain("first run");
    leave();
    expect(await one).toBe("worked");
    expect(await second.withLock(name, briefly, async () => "free")).toBe("free");
  });

  test("is free again after work that failed", async () => {
    const [first, second] = await open();
    const name = newName();
    await expect(first.withLock(name, patiently, () => Promise.reject(new Error("no luck")))).rejects.toThrow(
      "no luck",
    );
    expect(await second.withLock(name, briefly, async () => "free")).toBe("free");
  });

  test("is one lock for each name, whatever the names hold", async () => {
    const [first, second] = await open();
    const odd = ["a/b", "a=2Fb", "../up", "-n", "", "with space", "ünï", "x".repeat(300), `${"x".repeat(299)}y`];
    const own = odd.map((name) => newName() + name);
    const entered: string[] = [];
    const nest = (host: Host, [name, ...rest]: string[]): Promise<unknown> =>
      name === undefined
        ? Promise.resolve()
        : host.withLock(name, briefly, () => (entered.push(name), nest(host, rest)));
    await nest(first, own);
    expect(entered).toEqual(own);
    await first.withLock(own[0] ?? "", briefly, () => nest(second, own.slice(1)));
  });

  test("is held by any number at once over one session", async () => {
    const [host] = await open();
    const held = Array.from({ length: 25 }, () => openWork());
    const all = held.map(({ work }) => host.withLock(newName(), patiently, work));
    await Promise.all(held.map(({ entered }) => entered));
    expect((await host.run(sh`echo commands still run`)).stdout).toBe("commands still run\n");
    for (const { leave } of held) leave();
    expect(await Promise.all(all)).toHaveLength(25);
  });

  test("is free when its host is closed", async () => {
    const [first, second] = await open();
    const name = newName();
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work).catch((error: unknown) => error);
    await entered;
    await first.close();
    leave();
    await one;
    expect(await second.withLock(name, patiently, async () => "free")).toBe("free");
  });
});

describe.each(["behind ssh", "local"])("a shared lock on a host %s", (kind) => {
  const open = async (): Promise<[Host, Host]> => {
    const server = kind === "local" ? "local" : await serve();
    return [reach(server), reach(server)];
  };

  test("is held by several at once, and an exclusive one waits for all of them and names them", async () => {
    const [first, second] = await open();
    const name = newName();
    const [one, two] = [openWork(), openWork()];
    const ones = first.withLock(name, reading("reader one"), one.work);
    await one.entered;
    const twos = second.withLock(name, reading("reader two"), two.work);
    await two.entered;
    const problem = await problemOf(second.withLock(name, briefly, async () => "never"));
    expect(problem.code).toBe("LOCK_TAKEN");
    expect(problem.problem.found).toMatch(
      /^held by reader (one|two) since \S+Z \(process \d+\) and reader (one|two) since \S+Z \(process \d+\)$/,
    );
    expect(problem.problem.fix).toMatch(/kill \d+ \d+$/);
    one.leave();
    expect(await ones).toBe("worked");
    const later = await problemOf(first.withLock(name, briefly, async () => "never"));
    expect(later.problem.found).toMatch(/^held by reader two since \S+Z \(process \d+\)$/);
    two.leave();
    expect(await twos).toBe("worked");
    expect(await first.withLock(name, briefly, async () => "free")).toBe("free");
  });

  test("waits for an exclusive one, and says who holds that", async () => {
    const [first, second] = await open();
    const name = newName();
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work);
    await entered;
    const problem = await problemOf(second.withLock(name, reading("a reader"), async () => "never"));
    expect([problem.code, problem.problem.found]).toEqual([
      "LOCK_TAKEN",
      expect.stringContaining("held by ana's first run since"),
    ]);
    const two = second.withLock(name, { ...reading("a reader"), withinSeconds: 10 }, async () => "read");
    leave();
    expect(await Promise.all([one, two])).toEqual(["worked", "read"]);
  });
});

describe("a shared lock over a connection that is cut", () => {
  /** Two readers, each over a server of its own. */
  const openReaders = async (name: string) => {
    const servers = [await serve(), await serve()] as const;
    const works = [openWork(), openWork()] as const;
    const hosts = servers.map((server) => reach(server));
    const done = hosts.map((host, index) =>
      host.withLock(name, reading(`reader ${index}`), works[index]?.work as never),
    );
    const [one, two] = [await works[0].entered, await works[1].entered];
    const leave = async () => {
      for (const { leave: end } of works) end();
      await Promise.all(done);
    };
    return { servers, lost: [one, two] as const, leave };
  };

  test("is taken again while other readers come and go", async () => {
    const name = newName();
    const { servers, lost, leave } = await openReaders(name);
    for (const server of servers) server.cut();
    const third = reach("local");
    expect(await third.withLock(name, reading("a third reader"), async () => "read")).toBe("read");
    await awaitCondition({
      object: "the lock's file",
      what: "two lines for each reader: one for each session that took the lock",
      withinSeconds: 10,
      everyMillis: 50,
      check: async () => {
        const text = readFileSync(join(directory, name.replaceAll("/", "=2F")), "utf8");
        const isTaken = ["reader 0", "reader 1"].every((reader) => text.split(reader).length === 3);
        return isTaken ? done(undefined) : waiting(text);
      },
    });
    expect(lost.map(({ aborted: isLost }) => isLost)).toEqual([false, false]);
    await leave();
    expect(await third.withLock(name, patiently, async () => "free")).toBe("free");
  });

  test("is taken from our own old session when the host has not noticed the cut", async () => {
    const name = newName();
    const { servers, lost, leave } = await openReaders(name);
    servers[0].abandon();
    await awaitLogins(servers[0], 2);
    await leave();
    expect(lost[0].aborted).toBe(false);
    expect(await reach("local").withLock(name, patiently, async () => "free")).toBe("free");
  });

  test("is lost, and its work is told, when an exclusive holder came in between", async () => {
    const name = newName();
    const server = await serve();
    const { work, entered, leave } = openWork();
    const one = reach(server).withLock(name, reading("a reader"), work);
    const lost = await entered;
    await server.listen(false);
    server.cut();
    const writer = openWork();
    const two = reach("local").withLock(name, patiently, writer.work);
    await writer.entered;
    await server.listen(true);
    await aborted(lost);
    expect(isProblem(lost.reason, "HOST_CONNECTION_LOST")).toBe(true);
    expect(String(lost.reason)).toContain("now it is held by ana's first run");
    writer.leave();
    leave();
    expect(await Promise.all([one, two])).toEqual(["worked", "worked"]);
  });

  test("ends an exclusive holder's claim that no other run had the lock", async () => {
    const name = newName();
    const server = await serve();
    const { work, entered, leave } = openWork();
    const one = reach(server).withLock(name, patiently, work);
    const lost = await entered;
    await server.listen(false);
    server.cut();
    const reader = openWork();
    const two = reach("local").withLock(name, { ...reading("a reader"), withinSeconds: 10 }, reader.work);
    await reader.entered;
    await server.listen(true);
    await aborted(lost);
    expect(String(lost.reason)).toContain("now it is held by a reader");
    reader.leave();
    leave();
    expect(await Promise.all([one, two])).toEqual(["worked", "worked"]);
  });
});

test("readers that were killed count as ended", async () => {
  const file = `test-killed-${process.pid}`;
  const start = async () => {
    const opened = await openLockSession(await localTransport().start(lockSessionWords(false), "lock"));
    if ("kind" in opened) throw new Error("no session");
    return opened;
  };
  const [one, two, three] = [await start(), await start(), await start()];
  const take = { id: 1, mode: "shared", file } as const;
  expect(await one.take({ ...take, tag: "shared-1", holder: "reader one" })).toMatchObject({
    kind: "held",
    holders: [],
  });
  expect(await two.take({ ...take, tag: "shared-2", holder: "reader two" })).toMatchObject({ kind: "held" });
  one.end();
  await one.over;
  const reply = await three.take({ ...take, mode: "exclusive", tag: "tag-3", holder: "a writer" });
  if (reply.kind !== "taken") throw new Error(reply.kind);
  const byTag = Object.fromEntries(reply.holders.map(({ tag, process: pid }) => [tag, pid]));
  expect(byTag).toEqual({ "shared-1": "-", "shared-2": expect.stringMatching(/^\d+$/) as string });
  await two.free(1);
  expect(await three.take({ ...take, mode: "exclusive", tag: "tag-3", holder: "a writer" })).toMatchObject({
    kind: "held",
  });
  await three.free(1);
  expect(existsSync(join(directory, file))).toBe(false);
  for (const session of [two, three]) {
    session.end();
    await session.over;
  }
});

describe("a lock over a connection that is cut", () => {
  test("is taken again if no other run had it, and its work continues", async () => {
    const server = await serve();
    const [first, second] = [reach(server), reach(await serve())];
    const name = newName();
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work);
    const lost = await entered;
    server.cut();
    await awaitLogins(server, 2);
    expect((await problemOf(second.withLock(name, briefly, async () => "never"))).code).toBe("LOCK_TAKEN");
    expect(lost.aborted).toBe(false);
    leave();
    expect(await one).toBe("worked");
    expect(await second.withLock(name, patiently, async () => "free")).toBe("free");
  });

  test("is taken from our own old session when the host has not noticed the cut", async () => {
    const server = await serve();
    const first = reach(server);
    const name = newName();
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work);
    const lost = await entered;
    server.abandon();
    await awaitLogins(server, 2);
    const second = reach("local");
    await awaitCondition({
      object: "the lock",
      what: "its holder to be the new session",
      withinSeconds: 10,
      everyMillis: 50,
      check: async () => {
        expect((await problemOf(second.withLock(name, briefly, async () => "never"))).code).toBe("LOCK_TAKEN");
        return lost.aborted ? Promise.reject(new Error("lost")) : done(undefined);
      },
    });
    leave();
    expect(await one).toBe("worked");
    expect(await second.withLock(name, patiently, async () => "free")).toBe("free");
  });

  test("that a run left behind can be ended as the error says, and its work is told", async () => {
    const server = await serve();
    const [first, second] = [reach(server, 1), reach("local")];
    const name = newName();
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work);
    const lost = await entered;
    await server.listen(false);
    server.abandon();
    await aborted(lost);
    const problem = await problemOf(second.withLock(name, briefly, async () => "never"));
    await second.run(sh`${(problem.problem.fix ?? "").split(" ").slice(-2)}`);
    expect(await second.withLock(name, patiently, async () => "free")).toBe("free");
    leave();
    expect(await one).toBe("worked");
    await server.listen(true);
  });

  test("is lost, and its work is stopped, if another run had it in between", async () => {
    const server = await serve();
    const [first, second] = [reach(server), reach("local")];
    const name = newName();
    const { work, entered, leave } = openWork();
    const one = first.withLock(name, patiently, work);
    const lost = await entered;
    await server.listen(false);
    server.cut();
    expect(await second.withLock(name, patiently, async () => "had it")).toBe("had it");
    await server.listen(true);
    await aborted(lost);
    expect(isProblem(lost.reason, "HOST_CONNECTION_LOST")).toBe(true);
    expect(String(lost.reason)).toContain("then another run held it");
    leave();
    expect(await one).toBe("worked");
  });

  test("is lost, and its work is told, when the host stays away", async () => {
    const server = await serve();
    const host = reach(server, 1);
    const { work, entered, leave } = openWork();
    const one = host.withLock(newName(), patiently, work);
    const lost = await entered;
    await server.listen(false);
    server.cut();
    await aborted(lost);
    expect(isProblem(lost.reason, "HOST_CONNECTION_LOST")).toBe(true);
    leave();
    expect(await one).toBe("worked");
    await server.listen(true);
  });
});

test("a lock is freed by the kernel when the process that holds it is killed", async () => {
  const name = newName();
  const root = join(__dirname, "../../../../..");
  const program = `
    require(${JSON.stringify(join(root, "scripts/typescript.cjs"))});
    const { withHost } = require(${JSON.stringify(join(root, "provider/host/pool"))});
    void withHost("local", (host) => host.withLock(${JSON.stringify(name)}, { withinSeconds: 5, holder: "a child" }, () => {
      process.stdout.write("held");
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    }));`;
  const child: ChildProcess = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  const host = reach("local");
  expect((await problemOf(host.withLock(name, briefly, async () => "never"))).code).toBe("LOCK_TAKEN");
  child.kill("SIGKILL");
  expect(await host.withLock(name, patiently, async () => "free")).toBe("free");
});

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

/** Where the locks of the user who runs these tests lie. */
const directory = process.getuid?.() === 0 ? "/run/sluice-lock" : `/tmp/sluice-lock-${String(process.getuid?.())}`;

test("the file of a lock goes when the lock is freed", async () => {
  const host = reach("local");
  const name = `test-file-${process.pid}`;
  await host.withLock(name, patiently, async () => {
    expect(readFileSync(join(directory, name), "utf8")).toContain("ana's first run");
  });
  expect(existsSync(join(directory, name))).toBe(false);
});

test("a process that is not a session of locks is not ended, whatever the file of a lock says", async () => {
  const name = `test-number-${process.pid}`;
  const host = reach("local");
  await host.withLock(newName(), briefly, async () => undefined); // makes the directory
  const holder = spawn("sh", ["-c", `exec 9>>"$1"; flock 9; echo held; exec sleep 60`, "sh", join(directory, name)]);
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  const victim = spawn("sleep", ["60"]);
  writeFileSync(join(directory, name), `our-tag ${String(victim.pid)} since holder\n`);
  const opened = await openLockSession(await localTransport().start(lockSessionWords(false), "lock"));
  if ("kind" in opened) throw new Error("no session");
  expect(await opened.take({ id: 1, mode: "exclusive", file: name, tag: "our-tag", holder: "us" })).toMatchObject({
    kind: "taken",
  });
  expect(victim.exitCode ?? victim.signalCode).toBeNull();
  opened.end();
  victim.kill();
  holder.kill();
  rmSync(join(directory, name));
});

testAsRoot("no other user can hold a lock of root, or write who holds it (needs root)", async () => {
  const [root, nobody] = [reach(await serve()), reach(await serve({ uid: 65_534 }))];
  const name = `test-others-${process.pid}`;
  await root.withLock(name, patiently, async () => {
    const { stderr } = await nobody.run(sh`flock -n ${join(directory, name)} true; echo x >${join(directory, name)}`, {
      accept: [0, 1, 2, 66],
    });
    expect(stderr).toMatch(/flock: .*Permission denied[^]*Permission denied/);
    expect(await nobody.withLock(name, briefly, async () => "a lock of its own")).toBe("a lock of its own");
  });
});

testAsRoot("a directory for locks that another user made first is refused (needs root)", async () => {
  const planted = "/tmp/sluice-lock-65534";
  rmSync(planted, { recursive: true, force: true });
  mkdirSync(planted, { mode: 0o777 });
  chownSync(planted, 65_533, 65_533);
  const problem = await problemOf(
    reach(await serve({ uid: 65_534 })).withLock(newName(), briefly, async () => "never"),
  );
  rmSync(planted, { recursive: true });
  expect(problem.problem.detail).toContain(`${planted} must be a directory of mode 0700 that belongs to user nobody`);
});

testAsRoot(
  "sessions of versions that shared a directory with every user take no lock any more (needs root)",
  async () => {
    const old = existsSync("/run/lock") ? "/run/lock/sluice" : "/tmp/sluice-lock";
    rmSync(old, { recursive: true, force: true });
    mkdirSync(old);
    chmodSync(old, 0o1777);
    chownSync(old, 65_533, 65_533);
    await reach("local").withLock(newName(), briefly, async () => undefined);
    const { uid, mode } = statSync(old);
    expect([uid, mode & 0o7777]).toEqual([0, 0o700]);
  },
);

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );

const awaitLogins = (server: TestServer, logins: number): Promise<undefined> =>
  awaitCondition<undefined>({
    object: "the server",
    what: `${logins} logins`,
    withinSeconds: 10,
    everyMillis: 20,
    check: async () => (server.logins() >= logins ? done(undefined) : waiting("fewer")),
  });
