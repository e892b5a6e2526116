import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { utils } from "ssh2";
import { Command, sh } from "../../../../../provider/host/command";
import type { SshAddress } from "../../../../../provider/host/host";
import { parseHostKey } from "../../../../../provider/host/ssh/host-key";
import { ShellHost } from "../../../../../provider/host/shell-host";
import { dialRefused } from "../../../../../provider/host/ssh/errors";
import type { Through } from "../../../../../provider/host/ssh/socket";
import { sshTransport } from "../../../../../provider/host/ssh/transport";
import { awaitCondition, done, waiting } from "../../../../../provider/wait";
import { problemOf } from "../problems";
import { defaultHostKey, makeKey, type ServerSettings, startServer, type TestServer } from "./ssh-server";

jest.setTimeout(20_000); // real processes, on a machine that may have other work

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const item of opened.splice(0).reverse()) await item.close();
});

const serve = async (settings?: ServerSettings): Promise<TestServer> => {
  const server = await startServer(settings);
  opened.push(server);
  return server;
};
const reach = (server: TestServer, settings: Partial<SshAddress> = {}, through?: Through): ShellHost => {
  const base = {
    address: "127.0.0.1",
    port: server.port,
    user: "ana",
    password: "pass",
    hostKey: defaultHostKey.public,
  };
  const host = new ShellHost(sshTransport({ ...base, ...settings }, through));
  opened.push(host);
  return host;
};
const publicOf = (privateKey: string): { readonly base64: string; readonly fingerprint: string } => {
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined) throw new Error("no key");
  const { fingerprint } = parseHostKey(key.getPublicSSH());
  return { base64: key.getPublicSSH().toString("base64"), fingerprint };
};

describe("the host's key", () => {
  const ecdsa = makeKey("ecdsa");
  const rsa = makeKey("rsa");

  test("is refused unpinned, with the fingerprint to pin", async () => {
    const server = await serve();
    const problem = await problemOf(reach(server, { hostKey: undefined }).facts());
    const { fingerprint } = publicOf(defaultHostKey.private);
    expect(problem.code).toBe("HOST_KEY_UNPINNED");
    expect(problem.message).toContain(`found   ssh-ed25519 ${fingerprint}`);
    expect(problem.message).toContain(`hostKey: "${fingerprint}"`);
    expect(server.logins()).toBe(0);
  });

  test("is accepted as a fingerprint, a public key line, a known_hosts line and a line of ssh-keygen -l", async () => {
    const server = await serve();
    const { fingerprint } = publicOf(defaultHostKey.private);
    for (const hostKey of [
      fingerprint,
      `${fingerprint}=`,
      defaultHostKey.public,
      `stage-1.example.net ${defaultHostKey.public}`,
      `256 ${fingerprint} root@stage-1 (ED25519)`,
      `SHA256:${"A".repeat(43)}\n${fingerprint}\n`,
    ]) {
      expect(await reach(server, { hostKey }).facts()).toMatchObject({ name: "127.0.0.1" });
    }
  });

  test("is found by its fingerprint whatever type the host prefers", async () => {
    const server = await serve({ hostKeys: [defaultHostKey.private, ecdsa.private, rsa.private] });
    for (const key of [defaultHostKey, ecdsa, rsa]) {
      await reach(server, { hostKey: publicOf(key.private).fingerprint }).facts();
      await reach(server, { hostKey: key.public }).facts();
    }
  });

  test("is refused when no key of the host is the pinned one, with all that were found", async () => {
    const server = await serve({ hostKeys: [defaultHostKey.private, rsa.private] });
    const other = publicOf(makeKey().private).fingerprint;
    const problem = await problemOf(reach(server, { hostKey: other }).facts());
    expect(problem.code).toBe("HOST_KEY_MISMATCH");
    expect(problem.problem.found).toBe(
      `ssh-ed25519 ${publicOf(defaultHostKey.private).fingerprint}\nssh-rsa ${publicOf(rsa.private).fingerprint}`,
    );
    expect(problem.problem.needs).toContain(other);
    expect(server.logins()).toBe(0);
  });

  test("is refused when the host has no key of the pinned type", async () => {
    const problem = await problemOf(reach(await serve(), { hostKey: rsa.public }).facts());
    expect(problem.code).toBe("HOST_KEY_MISMATCH");
    expect(problem.problem.found).toBe("no key of type ssh-rsa");
  });

  test("is a mistake in the program when it is not a key at all", async () => {
    const problem = await problemOf(reach(await serve(), { hostKey: "aa:bb:cc" }).facts());
    expect(problem.code).toBe("DECLARATION_INVALID");
  });

  describe("on first use", () => {
    const before = process.env["XDG_STATE_HOME"];
    let state: string;
    beforeEach(() => {
      state = mkdtempSync(join(tmpdir(), "sluice-state-"));
      process.env["XDG_STATE_HOME"] = state;
    });
    afterEach(() => {
      rmSync(state, { recursive: true });
      if (before === undefined) delete process.env["XDG_STATE_HOME"];
      else process.env["XDG_STATE_HOME"] = before;
    });

    test("is believed when asked for, remembered, and insisted on", async () => {
      const server = await serve();
      const trusting = { hostKey: undefined, trustOnFirstUse: true };
      await reach(server, trusting).facts();
      const file = join(state, "sluice", "known_hosts");
      expect(readFileSync(file, "utf8")).toMatch(/^\[127\.0\.0\.1\]:\d+ ssh-ed25519 AAAA\S+\n$/);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      await reach(server, trusting).facts();
      expect(readFileSync(file, "utf8").split("\n")).toHaveLength(2);

      writeFileSync(file, `[127.0.0.1]:${server.port} ${makeKey().public}\n`);
      const problem = await problemOf(reach(server, trusting).facts());
      expect(problem.code).toBe("HOST_KEY_MISMATCH");
      expect(problem.problem.needs).toContain(file);
    });

    test("is not believed when the login then fails", async () => {
      const server = await serve();
      await problemOf(reach(server, { hostKey: undefined, trustOnFirstUse: true, password: "wrong" }).facts());
      expect(existsSync(join(state, "sluice", "known_hosts"))).toBe(false);
    });

    test("is refused when it cannot be remembered", async () => {
      writeFileSync(join(state, "sluice"), "a file where the directory should be");
      const server = await serve();
      const problem = await problemOf(reach(server, { hostKey: undefined, trustOnFirstUse: true }).facts());
      expect(problem.code).toBe("HOST_KEY_UNPINNED");
      expect(problem.message).toContain("cannot remember");
    });
  });
});

describe("the login", () => {
  const good = makeKey();
  const authorized = [publicOf(good.private).base64];

  test("works with a private key", async () => {
    const server = await serve({ authorized });
    await reach(server, { password: undefined, privateKey: good.private }).facts();
    expect(server.logins()).toBe(1);
  });

  test("works with a private key whose lines end as on Windows", async () => {
    const server = await serve({ authorized });
    await reach(server, { password: undefined, privateKey: good.private.replaceAll("\n", "\r\n") }).facts();
    expect(server.logins()).toBe(1);
  });

  test("works with an encrypted private key and its passphrase", async () => {
    const passphrase = "p a's $ \\ ü";
    const locked = makeKey("ed25519", passphrase);
    const server = await serve({ authorized: [locked.public.split(" ")[1] ?? ""] });
    await reach(server, { password: undefined, privateKey: locked.private, passphrase }).facts();

    const missing = await problemOf(reach(server, { password: undefined, privateKey: locked.private }).facts());
    expect(missing.message).toContain("privateKey is encrypted and no passphrase is declared (HOST_LOGIN_REFUSED)");
    const wrong = await problemOf(
      reach(server, { password: undefined, privateKey: locked.private, passphrase: "no" }).facts(),
    );
    expect(wrong.message).toContain("the passphrase does not open privateKey (HOST_LOGIN_REFUSED)");
  });

  test("works with an encrypted key in PEM format, and says when the passphrase is wrong", async () => {
    const passphrase = "correct";
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs1", format: "pem", cipher: "aes-256-cbc", passphrase }).toString();
    const plain = publicOf(privateKey.export({ type: "pkcs1", format: "pem" }).toString());
    const server = await serve({ authorized: [plain.base64] });
    await reach(server, { password: undefined, privateKey: pem, passphrase }).facts();
    const wrong = await problemOf(reach(server, { password: undefined, privateKey: pem, passphrase: "no" }).facts());
    expect(wrong.message).toContain("the passphrase does not open privateKey (HOST_LOGIN_REFUSED)");
  });

  test("tries the next method when one is refused", async () => {
    const server = await serve({ authorized });
    await reach(server, { privateKey: makeKey().private }).facts();
    expect(server.logins()).toBe(1);
  });

  test("that is refused says what was tried and what the host accepts, and no secret", async () => {
    const server = await serve({ authorized });
    const wrong = makeKey();
    const password = "MARKER 'p\"w$\\ ü";
    const problem = await problemOf(reach(server, { privateKey: wrong.private, password }).facts());
    expect(problem.code).toBe("HOST_LOGIN_REFUSED");
    expect(problem.message.split("\n")[0]).toBe(
      `host ana@127.0.0.1:${server.port}: the login as ana was refused (HOST_LOGIN_REFUSED)`,
    );
    expect(problem.problem.found).toBe(
      `tried privateKey (ssh-ed25519 ${publicOf(wrong.private).fingerprint}), then password`,
    );
    expect(problem.problem.needs).toContain("publickey, password");
    expect(JSON.stringify(problem.problem)).not.toContain("MARKER");
    expect(problem.message).not.toContain(wrong.private.split("\n")[1] ?? "");
  });

  test.each([
    ["~/.ssh/id_ed25519", "privateKey holds a path, not a key"],
    [good.public, "privateKey holds a public key"],
    [
      "-----BEGIN OPENSSH PRIVATE KEY-----\nMARKERMARKER\n-----END OPENSSH PRIVATE KEY-----\n",
      "cannot be read as a private key",
    ],
    ["MARKER nonsense", "cannot be read as a private key"],
  ])("with %j says what is wrong with it", async (privateKey, words) => {
    const problem = await problemOf(reach(await serve(), { password: undefined, privateKey }).facts());
    expect(problem.code).toBe("HOST_LOGIN_REFUSED");
    expect(problem.message).toContain(words);
    expect(problem.message).not.toContain("MARKER");
  });

  test("with nothing to log in with says so", async () => {
    const problem = await problemOf(reach(await serve(), { password: undefined }).facts());
    expect(problem.message).toContain("no way to log in is declared");
  });

  test("with an agent that is not there says so", async () => {
    const server = await serve();
    const agent = join(tmpdir(), `no-agent-${randomBytes(4).toString("hex")}`);
    const problem = await problemOf(reach(server, { password: undefined, agent }).facts());
    expect(problem.code).toBe("HOST_LOGIN_REFUSED");
    expect(problem.problem.found).toContain(`the agent at ${agent}`);
    expect(problem.problem.detail).toContain("agent:");
  });

  test("into a shell that prints a greeting is refused with the greeting", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-shell-"));
    const loginShell = join(folder, "shell");
    writeFileSync(loginShell, '#!/bin/sh\necho "Welcome to stage-1!"\nexec /bin/sh "$@"\n', { mode: 0o755 });
    const noisy = await problemOf(reach(await serve({ loginShell }), {}).run(sh`true`));
    expect(noisy.message).toContain("prints text before every command (HOST_LOGIN_REFUSED)");
    expect(noisy.problem.found).toContain("Welcome to stage-1!");
    writeFileSync(loginShell, '#!/bin/sh\necho "This account is currently not available."\nexit 1\n', { mode: 0o755 });
    const none = await problemOf(reach(await serve({ loginShell }), {}).run(sh`true`));
    expect(none.message).toContain("does not run commands as a POSIX shell does (HOST_LOGIN_REFUSED)");
    expect(none.problem.found).toBe("This account is currently not available.");
    rmSync(folder, { recursive: true });
  });
});

describe("a host that does not answer", () => {
  const at = (settings: Partial<SshAddress>) => {
    const host = new ShellHost(
      sshTransport({
        address: "127.0.0.1",
        user: "ana",
        password: "pass",
        hostKey: defaultHostKey.public,
        ...settings,
      }),
    );
    opened.push(host);
    return problemOf(host.facts());
  };
  const listen = async (onSocket: (socket: Socket) => void) => {
    const server = createServer(onSocket);
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    opened.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    return typeof bound === "object" && bound !== null ? bound.port : 0;
  };

  test("has a text of its own: no such name", async () => {
    const problem = await at({ address: "no-such-host.invalid" });
    expect(problem.message).toContain("the name no-such-host.invalid cannot be resolved (HOST_UNREACHABLE)");
  });

  test("has a text of its own: nothing listens", async () => {
    const server = await startServer();
    await server.close();
    const problem = await at({ port: server.port });
    expect(problem.message).toContain(
      `nothing listens on port ${server.port}, the connection was refused (HOST_UNREACHABLE)`,
    );
  });

  test("has a text of its own: connected, and silent", async () => {
    const port = await listen((socket) => opened.push({ close: async () => void socket.destroy() }));
    const problem = await at({ port, connectSeconds: 0.3 });
    expect(problem.message).toContain("no login within 0.3 s, while the host was connected (HOST_UNREACHABLE)");
  });

  test("has a text of its own: hung up", async () => {
    const problem = await at({ port: await listen((socket) => socket.resume().end()) });
    expect(problem.message).toContain("the host closed the connection before the login (HOST_UNREACHABLE)");
  });

  test("has a text of its own: another protocol", async () => {
    const problem = await at({
      port: await listen((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    });
    expect(problem.code).toBe("HOST_UNREACHABLE");
  });
});

describe("a connection that is cut", () => {
  const marker = () => `${40 + Math.floor(Math.random() * 1e6) / 1e6}`;

  test("fails the command that ran, which is ended on the host, and is made again for the next", async () => {
    const server = await serve();
    const host = reach(server);
    const folder = mkdtempSync(join(tmpdir(), "sluice-cut-"));
    const started = join(folder, "started");
    const ended = join(folder, "ended");
    const running = problemOf(
      host.run(sh`trap ${`trap '' TERM; touch ${ended}; exit`} TERM; touch ${started}; sleep ${marker()} & wait`),
    );
    await exists(started);
    server.cut();
    expect((await running).code).toBe("HOST_CONNECTION_LOST");
    expect((await host.run(sh`echo again`)).stdout).toBe("again\n");
    expect(server.logins()).toBe(2);
    await exists(ended);
    rmSync(folder, { recursive: true });
  });

  test("repeats a query once, and a command never", async () => {
    const server = await serve();
    const host = reach(server);
    const folder = mkdtempSync(join(tmpdir(), "sluice-repeat-"));
    const log = join(folder, "log");
    const once = sh`echo x >>${log}; [ "$(wc -l <${log})" -gt 1 ] || sleep 30; echo answered`;
    const answer = host.query(once);
    await exists(log);
    server.cut();
    expect((await answer).stdout).toBe("answered\n");

    rmSync(log);
    const problem = problemOf(host.run(once));
    await exists(log);
    server.cut();
    expect((await problem).code).toBe("HOST_CONNECTION_LOST");
    expect(readFileSync(log, "utf8")).toBe("x\n");
    rmSync(folder, { recursive: true });
  });

  test("ends the streams that were open", async () => {
    const server = await serve();
    const host = reach(server);
    const silent = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
    const bound = silent.address();
    const stream = await host.dial({ address: "127.0.0.1", port: typeof bound === "object" && bound ? bound.port : 0 });
    const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()));
    const read = text(stream);
    server.cut();
    await closed;
    expect(await read).toBe("");
    silent.close();
  });

  test("is waited for while the host is away, and told when it stays away", async () => {
    const server = await serve();
    const host = reach(server, { connectSeconds: 2 });
    await host.facts();
    await server.listen(false);
    server.cut();
    const answer = host.query(sh`echo back`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.listen(true);
    expect((await answer).stdout).toBe("back\n");

    await server.listen(false);
    server.cut();
    const problem = await problemOf(host.query(sh`echo back`));
    expect(problem.code).toBe("HOST_CONNECTION_LOST");
    expect(problem.problem.detail).toContain("refused");
    await server.listen(true);
  });

  test("is noticed by keepalives when nothing arrives", async () => {
    const server = await serve();
    const host = reach(server, { keepaliveSeconds: 0.3 });
    await host.facts();
    const running = problemOf(host.run(sh`sleep 30`));
    server.freeze();
    const problem = await running;
    expect(problem.code).toBe("HOST_CONNECTION_LOST");
    expect(problem.problem.detail).toContain("Keepalive timeout");
    expect((await host.run(sh`echo again`)).stdout).toBe("again\n");
  });

  test("in the middle of a file leaves the old file, and nothing beside it", async () => {
    const server = await serve();
    const host = reach(server);
    await host.facts();
    const folder = mkdtempSync(join(tmpdir(), "sluice-half-"));
    writeFileSync(join(folder, "file"), "old");
    server.cutAfter(5_000_000);
    const problem = await problemOf(host.writeFile(join(folder, "file"), randomBytes(20_000_000), { mode: 0o600 }));
    expect(problem.code).toBe("HOST_CONNECTION_LOST");
    await exists(folder, () => readdirSync(folder).length === 1);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
    rmSync(folder, { recursive: true });
  });
});

describe("sessions", () => {
  test("stay below what sshd allows by default, however many commands run", async () => {
    const server = await serve();
    const host = reach(server);
    await host.withLock("sessions", { withinSeconds: 5, holder: "test" }, () =>
      Promise.all(Array.from({ length: 40 }, () => host.run(sh`sleep 0.02`))),
    );
    expect(server.mostSessions()).toBe(9);
    expect(server.logins()).toBe(1);
  });

  test("adapt to a host that allows fewer", async () => {
    const server = await serve({ maxSessions: 2 });
    const host = reach(server);
    await host.withLock("sessions", { withinSeconds: 5, holder: "test" }, () =>
      Promise.all(Array.from({ length: 12 }, () => host.run(sh`sleep 0.02`))),
    );
    expect(server.mostSessions()).toBe(2);
  });

  test("that a host never opens are an error with the setting that is missing", async () => {
    const host = reach(await serve({ maxSessions: 0 }), { connectSeconds: 1.5 });
    const problem = await problemOf(host.facts());
    expect(problem.code).toBe("HOST_LOGIN_REFUSED");
    expect(problem.message).toContain("MaxSessions");
  });
});

describe("forwards", () => {
  test("that sshd does not allow are told from sockets that are not there", async () => {
    const host = reach(await serve({ allowForwards: false }));
    const folder = mkdtempSync(join(tmpdir(), "sluice-socket-"));
    const socketPath = join(folder, "socket");
    const listening = createServer();
    await new Promise<void>((resolve) => void listening.listen(socketPath, resolve));
    const problem = await problemOf(host.dial({ socketPath }));
    expect(problem.code).toBe("HOST_DIAL_REFUSED");
    expect(problem.problem.fix).toContain("AllowStreamLocalForwarding yes");
    await new Promise((resolve) => listening.close(resolve));
    rmSync(folder, { recursive: true });
  });

  test("lead through a jump host to the next", async () => {
    const [outer, inner] = [await serve(), await serve()];
    const jump = reach(outer);
    const host = reach(inner, {}, jump);
    expect((await host.run(new Command("echo through"))).stdout).toBe("through\n");
    expect([outer.logins(), inner.logins()]).toEqual([1, 1]);
    outer.cut();
    expect((await host.query(new Command("echo again"))).stdout).toBe("again\n");
    expect([outer.logins(), inner.logins()]).toEqual([2, 2]);
  });

  test("say which jump host cannot reach the next", async () => {
    const [outer, inner] = [await serve(), await serve()];
    const jump = reach(outer);
    const host = reach(inner, {}, jump);
    await inner.listen(false);
    const problem = await problemOf(host.facts());
    expect(problem.code).toBe("HOST_UNREACHABLE");
    expect(problem.problem).toMatchObject({
      object: `host ana@127.0.0.1:${String(inner.port)}`,
      what: `the jump host ana@127.0.0.1:${String(outer.port)} cannot reach it`,
      fix: "check `host.address` and `host.port` as seen from the jump host",
    });
    await inner.listen(true);
  });

  test.each([
    ["(SSH) Channel open failure: Connection refused", "nothing listens on that port"],
    ["(SSH) Channel open failure: Name or service not known", "the name does not resolve there"],
    ["(SSH) Channel open failure: No route to host", "there is no route to it from there"],
  ])("say why the jump host cannot reach the next: %s", async (said, why) => {
    const jump: Through = {
      name: "ana@bastion:22",
      dial: (target) => Promise.reject(dialRefused("host ana@bastion:22", target, new Error(said))),
    };
    const problem = await problemOf(reach(await serve(), {}, jump).facts());
    expect(problem.problem.what).toBe(`the jump host ana@bastion:22 cannot reach it: ${why}`);
  });

  test("that the jump host's sshd does not allow say so", async () => {
    const [outer, inner] = [await serve({ allowForwards: false }), await serve()];
    const { problem } = await problemOf(reach(inner, {}, reach(outer)).facts());
    expect(problem).toMatchObject({
      code: "HOST_UNREACHABLE",
      what: `the jump host ana@127.0.0.1:${String(outer.port)} cannot reach it: sshd there does not allow forwards`,
      fix: "set AllowTcpForwarding yes in sshd_config on the jump host",
    });
  });

  test("say which jump host is not reached itself, and why", async () => {
    const [outer, inner] = [await serve(), await serve()];
    const host = reach(inner, {}, reach(outer));
    await outer.listen(false);
    const { problem } = await problemOf(host.facts());
    expect(problem).toMatchObject({
      code: "HOST_UNREACHABLE",
      object: `host ana@127.0.0.1:${String(inner.port)}`,
      what: `its jump host ana@127.0.0.1:${String(outer.port)} cannot be used: nothing listens on port ${String(outer.port)}, the connection was refused`,
    });
    expect(problem.fix).toMatch(/^for `host.proxy`: start sshd there/);
    await outer.listen(true);
    const refused = reach(inner, {}, reach(outer, { password: "wrong" }));
    expect((await problemOf(refused.facts())).problem).toMatchObject({
      code: "HOST_LOGIN_REFUSED",
      what: `its jump host ana@127.0.0.1:${String(outer.port)} cannot be used: the login as ana was refused`,
    });
  });

  test("of which one stays silent say whether it is the jump host or the host behind it", async () => {
    const silent = createServer();
    const sockets: Socket[] = [];
    silent.on("connection", (socket) => sockets.push(socket));
    await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const [outer, inner] = [await serve(), await serve()];
    const limit = { connectSeconds: 0.5 };
    const [first, second] = await Promise.all([
      problemOf(reach(inner, limit, reach(outer, { ...limit, port })).facts()),
      problemOf(reach(inner, { ...limit, port, proxy: { address: "x", user: "y", ...limit } }, reach(outer)).facts()),
    ]);
    expect(first.problem.what).toBe(
      `its jump host ana@127.0.0.1:${String(port)} cannot be used: no login within 0.5 s, while the host was connected`,
    );
    expect(second.problem.what).toBe("no login within 1 s, while the host was connected");
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });
});

test("a user who may not become root is told what to allow", async () => {
  const server = await serve({ ...(process.getuid?.() === 0 ? { uid: 65_534 } : {}) });
  const forbidden = await problemOf(reach(server, { sudo: false }).run(sh`id -u`, { asRoot: true }));
  expect(forbidden.code).toBe("HOST_SUDO_REFUSED");
  expect(forbidden.problem.found).toContain("turned off in the declaration");
  expect(forbidden.problem.fix).toContain("NOPASSWD");
  const facts = await reach(server, { sudo: false }).facts();
  expect(facts).toMatchObject({ canBecomeRoot: false });
});

test("a host shows no secret when it is printed, before and after its login", async () => {
  const server = await serve({ password: "MARKER" });
  const jump = reach(await serve());
  const host = reach(server, { password: "MARKER", proxy: { address: "x", user: "y", password: "MARKER" } }, jump);
  const shown = () => inspect(host, { depth: 20, showHidden: true }) + JSON.stringify(host);
  expect(shown()).not.toContain("MARKER");
  await host.facts();
  expect(shown()).not.toContain("MARKER");
});

test("an address of version 6 is named as one", async () => {
  const host = new ShellHost(sshTransport({ address: "2001:db8::1", user: "ana", port: 2200 }));
  expect(host.name).toBe("ana@[2001:db8::1]:2200");
});

function exists(path: string, holds: () => boolean = () => existsSync(path)): Promise<undefined> {
  return awaitCondition<undefined>({
    object: path,
    what: "the file to change",
    withinSeconds: 10,
    everyMillis: 20,
    check: async () => (holds() ? done(undefined) : waiting("it has not")),
  });
}
