import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Lab, type LabHost, startLab, stopLab } from "../../lab/index.ts";
import { isProblem, SluiceError } from "../../provider/errors";
import { Command, sh } from "../../provider/host/command";
import { readCounters } from "../../provider/host/counters";
import type { Host, SshAddress } from "../../provider/host/host";
import { awaitJob, endJob, forgetJob, readJob, startJob } from "../../provider/host/job/job";
import { borrowHost, closeHosts } from "../../provider/host/pool";
import { awaitCondition, done, waiting } from "../../provider/wait";

// Cables are pulled and hosts lose their power here: a lab of its own, not the one the other files share.
const labName = "test-hosts";
let lab: Lab;
let staging: LabHost;
let runner: LabHost;

beforeAll(async () => {
  lab = await startLab({ name: labName, hosts: ["staging", "runner"], dataMegabytes: 5 });
  staging = lab.host("staging");
  runner = lab.host("runner");
});
afterEach(closeHosts);
afterAll(() => stopLab(labName));

const addressOf = (host: LabHost, more: Partial<SshAddress> = {}): SshAddress => ({
  address: host.address,
  user: host.user,
  privateKey: readFileSync(host.privateKeyPath, "utf8"),
  hostKey: host.hostKeyFingerprint,
  ...more,
});
const reach = (host: LabHost, more: Partial<SshAddress> = {}): Host => borrowHost(addressOf(host, more)).host;

async function problemOf(promise: Promise<unknown>): Promise<SluiceError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error("no error was thrown");
}

/** Looks past ssh, as root, so that it works whatever the host under test thinks. */
const shell = async (host: LabHost, script: string): Promise<string> =>
  (await host.run(["sh", "-c", script], { accept: [0, 1] })).stdout.trim();

const until = (what: string, holds: () => Promise<boolean>, withinSeconds = 20): Promise<undefined> =>
  awaitCondition<undefined>({
    object: "the lab",
    what,
    withinSeconds,
    everyMillis: 100,
    check: async () => ((await holds()) ? done(undefined) : waiting("not yet")),
  });

/** The bracket keeps the search from finding itself. */
const runs = async (host: LabHost, marker: string): Promise<boolean> =>
  (await shell(host, `pgrep -f '[${marker.slice(0, 1)}]${marker.slice(1)}' || :`)) !== "";

describe("a user with sudo", () => {
  test("is told what the machine is", async () => {
    expect(await reach(staging).facts()).toMatchObject({
      name: staging.address,
      user: staging.user,
      canBecomeRoot: true,
      hasSystemd: true,
    });
  });

  test("becomes root only where it is asked for", async () => {
    const host = reach(staging);
    expect((await host.run(sh`id -un`)).stdout).toBe("sluice\n");
    expect((await host.run(sh`id -un`, { asRoot: true })).stdout).toBe("root\n");
    const problem = await problemOf(reach(staging, { sudo: false }).run(sh`id -un`, { asRoot: true }));
    expect(problem.code).toBe("HOST_SUDO_REFUSED");
  });

  test("is refused with sudo's words where sudo needs a password", async () => {
    await shell(staging, "useradd --create-home --shell /bin/sh plain 2>/dev/null; echo plain:secret | chpasswd");
    const host = reach(staging, { user: "plain", privateKey: undefined, password: "secret" });
    const problem = await problemOf(host.run(sh`id -un`, { asRoot: true }));
    expect(problem.code).toBe("HOST_SUDO_REFUSED");
    expect(problem.problem.found).toMatch(/password/);
    expect((await host.run(sh`id -un`)).stdout).toBe("plain\n");
  });

  test("hands megabytes to a command of root unchanged", async () => {
    const bytes = Buffer.from(Array.from({ length: 5_000_000 }, (_, at) => (at * 11) % 256));
    const { stdout } = await reach(staging).run(sh`sha256sum`, { stdin: bytes, asRoot: true });
    expect(stdout.slice(0, 64)).toBe(execFileSync("sha256sum", { input: bytes }).toString().slice(0, 64));
  });

  test("writes, reads and sees files of others as root, and not without", async () => {
    const host = reach(staging);
    const path = "/srv/it's a file.cnf";
    await host.writeFile(path, "[client]\npassword='ünï'\n", { mode: 0o640, owner: "root:mysql", asRoot: true });
    expect(await host.inspect(path)).toEqual({
      kind: "file",
      mode: 0o640,
      owner: "root",
      group: "mysql",
      sizeBytes: 26,
    });
    expect(await host.readFile(path, { asRoot: true })).toBe("[client]\npassword='ünï'\n");
    const problem = await problemOf(host.readFile(path));
    expect(problem.code).toBe("COMMAND_FAILED");
    expect(problem.problem.detail).toContain("Permission denied");
    expect((await problemOf(host.writeFile(path, "x", { mode: 0o600 }))).problem.detail).toContain("Permission denied");
    expect((await problemOf(host.inspect("/root/.ssh/authorized_keys"))).code).toBe("COMMAND_FAILED");
    expect(await host.inspect("/root/nothing", { asRoot: true })).toMatchObject({ kind: "absent" });
    expect(await shell(staging, "ls -A /srv | grep sluice- || :")).toBe("");
    await shell(staging, `rm "${path}"`);
  });

  test("has commands of root ended at their limit, children included", async () => {
    const host = reach(staging);
    const command = new Command("sh -c 'sleep 3141.5 & sleep 3141.5'; echo never");
    for (const asRoot of [true, false]) {
      expect((await problemOf(host.run(command, { asRoot, withinSeconds: 0.5 }))).code).toBe("TIMEOUT_REACHED");
      await until("the command to be gone", async () => !(await runs(staging, "sleep 3141.5")));
    }
  });
});

describe("logging in", () => {
  test("works with a key, with a password, and with an agent", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-agent-"));
    const agent = join(folder, "agent");
    const process = spawn("ssh-agent", ["-D", "-a", agent], { stdio: ["ignore", "pipe", "inherit"] });
    await once(process.stdout, "data");
    execFileSync("ssh-add", ["-q", staging.privateKeyPath], {
      env: { SSH_AUTH_SOCK: agent, PATH: "/usr/bin" },
      stdio: "ignore",
    });
    const password = readFileSync(staging.sshPasswordPath, "utf8").trim();
    for (const way of [{}, { privateKey: undefined, password }, { privateKey: undefined, agent }]) {
      expect(await reach(staging, way).facts()).toMatchObject({ user: "sluice" });
    }
    process.kill();
    rmSync(folder, { recursive: true });
  });

  test("is refused with a wrong password, in words, and without the password", async () => {
    const problem = await problemOf(reach(staging, { privateKey: undefined, password: "MARKER $'\"" }).facts());
    expect(problem.code).toBe("HOST_LOGIN_REFUSED");
    expect(problem.problem.needs).toMatch(/publickey/);
    expect(problem.message).not.toContain("MARKER");
  });

  test("accepts what ssh-keyscan and ssh-keygen say of the host, and nothing else", async () => {
    const scanned = execFileSync("ssh-keyscan", [staging.address], { stdio: ["ignore", "pipe", "ignore"] }).toString();
    const printed = execFileSync("ssh-keygen", ["-lf", "-"], { input: scanned }).toString();
    for (const hostKey of [scanned, printed, staging.hostPublicKey]) {
      expect((await reach(staging, { hostKey }).run(sh`echo in`)).stdout).toBe("in\n");
    }
    const unpinned = await problemOf(reach(staging, { hostKey: undefined }).facts());
    expect(unpinned.code).toBe("HOST_KEY_UNPINNED");
    expect(unpinned.problem.found).toBe(`ssh-ed25519 ${staging.hostKeyFingerprint}`);
    const wrong = await problemOf(reach(staging, { hostKey: runner.hostKeyFingerprint }).facts());
    expect(wrong.code).toBe("HOST_KEY_MISMATCH");
    expect(wrong.problem.found).toContain(staging.hostKeyFingerprint);
  });
});

describe("a file system that is full", () => {
  beforeAll(() =>
    shell(staging, "mkdir -p /mnt/small && mount -t tmpfs -o size=64k none /mnt/small && echo old >/mnt/small/file"),
  );
  afterAll(() => shell(staging, "umount /mnt/small"));

  test("is told as such, and the old file stays", async () => {
    const host = reach(staging);
    const problem = await problemOf(
      host.writeFile("/mnt/small/file", Buffer.alloc(200_000), { mode: 0o600, asRoot: true }),
    );
    expect(problem.code).toBe("STORAGE_FULL");
    expect(problem.message).toContain("no space left to write /mnt/small/file");
    expect(problem.problem.found).toContain("/mnt/small");
    expect(await shell(staging, "ls -A /mnt/small; cat /mnt/small/file")).toBe("file\nold");
  });

  test("does not keep a job from leaving its result", async () => {
    const host = reach(staging);
    await shell(staging, "mount -o remount,size=256k /mnt/small");
    const place = { directory: "/mnt/small", name: "fill", asRoot: true };
    await startJob(host, { ...place, script: new Command("head -c 1000000 /dev/zero >filler; echo $? >&2; exit 5") });
    expect(await awaitJob(host, place, { withinSeconds: 20 })).toMatchObject({ state: "failed", exitCode: 5 });
    await forgetJob(host, place);
  });
});

describe("sockets", () => {
  const socketAt = async (path: string, owner: string, mode: string): Promise<void> => {
    await shell(
      staging,
      `systemd-run --quiet --collect --unit=echo-${owner} --uid=${owner} perl -MIO::Socket::UNIX -e '
        unlink "${path}"; my $s = IO::Socket::UNIX->new(Local => "${path}", Listen => 5) or die $!; chmod ${mode}, "${path}";
        while (my $c = $s->accept) { while (sysread($c, my $b, 65536)) { syswrite($c, $b) } close $c }'`,
    );
    await until(
      "the socket to listen",
      async () => (await shell(staging, `[ -S ${path} ] && echo yes || :`)) === "yes",
    );
  };

  test("are opened as the user who logs in, and refused where that user may not", async () => {
    await socketAt("/run/open.sock", "root", "0666");
    const host = reach(staging);
    const stream = await host.dial({ socketPath: "/run/open.sock" });
    stream.end("there and back");
    expect(await text(stream)).toBe("there and back");
    await shell(staging, "chmod 600 /run/open.sock");
    const problem = await problemOf(host.dial({ socketPath: "/run/open.sock" }));
    expect(problem.code).toBe("HOST_DIAL_REFUSED");
    expect(problem.message).toContain("cannot open /run/open.sock, user sluice may not (HOST_DIAL_REFUSED)");
    expect(problem.problem.found).toMatch(/^srw------- .* root root /);
    const root = await reach(staging, { user: "root" }).dial({ socketPath: "/run/open.sock" });
    root.end("as root");
    expect(await text(root)).toBe("as root");
    await shell(staging, "systemctl stop echo-root");
  });

  test("that sshd does not forward are told from those that are not there", async () => {
    const absent = await problemOf(reach(staging).dial({ socketPath: "/run/no.sock" }));
    expect(absent.message).toContain("there is no such socket");
    await socketAt("/run/open.sock", "root", "0666");
    await withSshd("AllowTcpForwarding no\nAllowStreamLocalForwarding no", async () => {
      const socket = await problemOf(reach(staging).dial({ socketPath: "/run/open.sock" }));
      expect(socket.problem.fix).toContain("AllowStreamLocalForwarding yes");
      const address = await problemOf(reach(staging).dial({ address: "127.0.0.1", port: 22 }));
      expect(address.message).toContain("sshd does not allow forwards (HOST_DIAL_REFUSED)");
    });
    await shell(staging, "systemctl stop echo-root");
  });
});

/** Runs `work` while sshd on the staging host has one more setting. */
async function withSshd(setting: string, work: () => Promise<void>): Promise<void> {
  await closeHosts();
  await shell(staging, `printf '${setting}\n' >/etc/ssh/sshd_config.d/00-test.conf && systemctl restart ssh`);
  try {
    await work();
  } finally {
    await closeHosts();
    await shell(staging, "rm /etc/ssh/sshd_config.d/00-test.conf && systemctl restart ssh");
  }
}

describe("sessions of a real sshd", () => {
  const manyAtOnce = async (host: Host): Promise<void> => {
    await host.withLock("sessions", { withinSeconds: 5, holder: "test" }, async () => {
      const results = await Promise.all(Array.from({ length: 30 }, (_, at) => host.run(sh`sleep 0.05; echo ${at}`)));
      expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 30 }, (_, at) => at));
    });
  };

  test("are few enough for its defaults", async () => {
    const before = readCounters();
    await manyAtOnce(reach(staging));
    const after = readCounters();
    // The facts, the locks, thirty commands: none was refused and asked for again.
    expect([after.connections - before.connections, after.sessions - before.sessions]).toEqual([1, 32]);
  });

  test("are fewer where it allows fewer", async () => {
    await withSshd("MaxSessions 2", () => manyAtOnce(reach(staging)));
  });

  test("that are all taken by commands just ended come back", async () => {
    const host = reach(staging);
    const stubborn = new Command("trap '' TERM; sleep 2718.2");
    const ended = await Promise.all(
      Array.from({ length: 9 }, () => problemOf(host.run(stubborn, { withinSeconds: 0.3 }))),
    );
    expect(ended.every(({ code }) => code === "TIMEOUT_REACHED")).toBe(true);
    await manyAtOnce(host);
    await until("the commands to be gone", async () => !(await runs(staging, "sleep 2718.2")));
  });

  test("that it refuses altogether are an error with the setting that is missing", async () => {
    await withSshd("MaxSessions 0", async () => {
      const problem = await problemOf(reach(staging, { connectSeconds: 2 }).facts());
      expect(problem.message).toContain("MaxSessions of at least 2");
    });
  });
});

describe("a jump host", () => {
  test("leads to a host, with one connection to each", async () => {
    const before = readCounters();
    const proxy = addressOf(runner);
    const host = reach(staging, { proxy });
    await Promise.all(Array.from({ length: 10 }, () => host.run(sh`true`)));
    expect(readCounters().connections - before.connections).toBe(2);
    const peer = await host.run(new Command('echo "${SSH_CONNECTION%% *}"'));
    expect(peer.stdout.trim()).toBe(runner.address);
  });

  test("that cannot reach the host says so", async () => {
    const problem = await problemOf(reach(staging, { proxy: addressOf(runner), port: 2222 }).facts());
    expect(problem.code).toBe("HOST_UNREACHABLE");
    expect(problem.message).toContain(
      `host sluice@${staging.address}:2222: the jump host sluice@${runner.address}:22 cannot reach it: nothing listens on that port`,
    );
    const unknown = await problemOf(reach(staging, { proxy: addressOf(runner), address: "nosuch.invalid" }).facts());
    expect(unknown.message).toContain("cannot reach it: the name does not resolve there (HOST_UNREACHABLE)");
  });

  test("that is not reached itself is the one that the error names", async () => {
    const problem = await problemOf(reach(staging, { proxy: addressOf(runner, { port: 2222 }) }).facts());
    expect(problem.message).toContain(
      `host sluice@${staging.address}:22: its jump host sluice@${runner.address}:2222 cannot be used: nothing listens on port 2222`,
    );
  });
});

describe("a job under systemd", () => {
  beforeAll(() => shell(staging, "install -d -m 755 '/srv/job place'"));
  const place = (name: string) => ({ directory: "/srv/job place", name, asRoot: true });

  test("runs in a unit, as the user it is given to, and outlives the login", async () => {
    const host = reach(staging);
    const script = new Command(
      'id -un; cat "$SLUICE_JOB/secret"; while [ ! -e go ]; do sleep 0.05; done; cat /proc/self/cgroup',
    );
    const order = { ...place("unit"), script, files: { secret: "MARKER\n" }, asUser: "mysql" };
    expect((await startJob(host, order)).state).toBe("running");
    await closeHosts();
    await shell(staging, "loginctl kill-user sluice 2>/dev/null; touch '/srv/job place/unit/go'");
    const facts = await awaitJob(reach(staging), place("unit"), { withinSeconds: 20 });
    expect(facts).toMatchObject({ state: "succeeded", exitCode: 0 });
    expect(facts.logTail).toMatch(/^mysql\nMARKER\n[^]*\/sluice-job-unit-/);
    expect(await shell(staging, "ls '/srv/job place/unit'")).not.toContain("secret");
    await forgetJob(reach(staging), place("unit"));
    expect(await shell(staging, "ls -A '/srv/job place'; systemctl list-units --all 'sluice-job-*' --no-legend")).toBe(
      "",
    );
  });

  test("carries its memory limit, and has failed when a process of it was killed", async () => {
    const host = reach(staging);
    const script = new Command("echo $$ >pid; sleep 1000");
    await startJob(host, { ...place("memory"), script, memoryMaxBytes: 64 * 2 ** 20 });
    expect(await shell(staging, "systemctl show --property=MemoryMax 'sluice-job-memory-*'")).toBe(
      "MemoryMax=67108864",
    );
    await until(
      "the pid",
      async () => (await shell(staging, "cat '/srv/job place/memory/pid' 2>/dev/null || :")) !== "",
    );
    await shell(staging, "kill -KILL $(cat '/srv/job place/memory/pid')");
    expect(await awaitJob(host, place("memory"), { withinSeconds: 20 })).toMatchObject({
      state: "failed",
      exitCode: 137,
    });
    await forgetJob(host, place("memory"));
  });

  test("is ended with everything it started", async () => {
    const host = reach(staging);
    const script = new Command("setsid sleep 1618.1 & trap '' TERM; sleep 1618.2; sleep 1618.3");
    await startJob(host, { ...place("end"), script });
    await until("both to run", async () => (await runs(staging, "sleep 1618.1")) && runs(staging, "sleep 1618.2"));
    await endJob(host, place("end"), { withinSeconds: 1 });
    expect(await runs(staging, "sleep 1618")).toBe(false);
    expect((await readJob(host, place("end"))).state).toBe("failed");
    await forgetJob(host, place("end"));
  });

  test("of a user without root runs too", async () => {
    const host = reach(staging, { sudo: false });
    const own = { directory: "/home/sluice", name: "plain" };
    await startJob(host, { ...own, script: new Command("id -un") });
    expect(await awaitJob(host, own, { withinSeconds: 20 })).toMatchObject({ state: "succeeded", logTail: "sluice" });
    await forgetJob(host, own);
  });

  test("goes on while the cable is pulled, and is found again", async () => {
    const host = reach(staging, { keepaliveSeconds: 1, connectSeconds: 3 });
    const script = new Command(
      "for n in $(seq 1 1000); do echo $n >progress.new; mv progress.new progress; [ -e go ] && exit 0; sleep 0.1; done",
    );
    await startJob(host, { ...place("cable"), script });
    const seen: number[] = [];
    const reasons: string[] = [];
    const ended = awaitJob(host, place("cable"), {
      withinSeconds: 120,
      onProgress: ({ progressText }) => seen.push(Number(progressText)),
      onWait: (why) => reasons.push(why),
    });
    await until("the first progress", async () => seen.length > 1);
    const before = seen.at(-1) ?? 0;
    await staging.cutNetwork();
    await until("the loss to be noticed", async () => reasons.length > 0, 60);
    await staging.restoreNetwork();
    await until("progress again", async () => (seen.at(-1) ?? 0) > before + 20, 60);
    await shell(staging, "touch '/srv/job place/cable/go'");
    expect((await ended).state).toBe("succeeded");
    await forgetJob(host, place("cable"));
  });
});

describe("a lock", () => {
  test("is kept over a pulled cable, although sshd still believes in the old connection", async () => {
    const first = reach(staging, { keepaliveSeconds: 1, connectSeconds: 30 });
    let leave = () => {};
    const left = new Promise<void>((resolve) => (leave = resolve));
    let lost: AbortSignal | undefined;
    const one = first.withLock("cable", { withinSeconds: 5, holder: "the first run" }, (signal) => {
      lost = signal;
      return left;
    });
    await until("the lock", async () => lost !== undefined);
    const before = await shell(staging, "cat /run/sluice-lock/cable");
    await staging.cutNetwork();
    const reply = problemOf(first.run(sh`true`));
    expect((await reply).code).toBe("HOST_CONNECTION_LOST");
    await staging.restoreNetwork();
    await until(
      "a new session to hold it",
      async () => {
        const now = await shell(staging, "cat /run/sluice-lock/cable");
        return now !== before && now.split(" ")[0] === before.split(" ")[0];
      },
      60,
    );
    const second = reach(staging);
    const taken = await problemOf(second.withLock("cable", { withinSeconds: 0.2, holder: "b" }, async () => "never"));
    expect(taken.code).toBe("LOCK_TAKEN");
    expect(taken.problem.found).toContain("held by the first run since");
    expect(lost?.aborted).toBe(false);
    leave();
    await one;
    expect(await second.withLock("cable", { withinSeconds: 5, holder: "b" }, async () => "free")).toBe("free");
  });

  test("is one for root and for others on this system", async () => {
    const [user, root] = [reach(staging), reach(staging, { user: "root" })];
    for (const [name, first, second] of [
      ["root first", root, user],
      ["user first", user, root],
    ] as const) {
      await first.withLock(name, { withinSeconds: 5, holder: "first" }, async () => {
        const taken = await problemOf(
          second.withLock(name, { withinSeconds: 0.2, holder: "second" }, async () => "never"),
        );
        expect(taken.code).toBe("LOCK_TAKEN");
      });
      await second.withLock(name, { withinSeconds: 5, holder: "second" }, async () => {
        const taken = await problemOf(
          first.withLock(name, { withinSeconds: 0.2, holder: "first" }, async () => "never"),
        );
        expect(taken.problem.found).toContain("held by second");
      });
    }
  });
});

describe("a host whose power fails", () => {
  test("fails what ran, loses its locks, and its jobs are known to have died", async () => {
    await shell(staging, "install -d -m 755 '/srv/job place'");
    const host = reach(staging, { keepaliveSeconds: 1, connectSeconds: 2 });
    const place = { directory: "/srv/job place", name: "power", asRoot: true };
    await startJob(host, { ...place, script: new Command("sleep 1000") });
    let lost: AbortSignal | undefined;
    const locked = host.withLock("power", { withinSeconds: 5, holder: "the first run" }, async (signal) => {
      lost = signal;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      throw signal.reason;
    });
    const lockProblem = problemOf(locked);
    await until("the lock", async () => lost !== undefined);
    const running = problemOf(host.run(sh`sleep 1000`, { withinSeconds: 1000 }));
    await staging.powerOff();
    expect((await running).code).toBe("HOST_CONNECTION_LOST");
    expect((await lockProblem).code).toBe("HOST_CONNECTION_LOST");
    const away = await problemOf(host.query(sh`true`));
    expect(isProblem(away, "HOST_CONNECTION_LOST", "HOST_UNREACHABLE")).toBe(true);
    await staging.start();
    const facts = await readJob(host, place);
    expect([facts.state, facts.exitCode]).toEqual(["failed", undefined]);
    expect((await startJob(host, { ...place, script: sh`true` })).state).toBe("failed");
    await endJob(host, place, { withinSeconds: 5 });
    await forgetJob(host, place);
    expect(await host.withLock("power", { withinSeconds: 5, holder: "next" }, async () => "free")).toBe("free");
  });
});
