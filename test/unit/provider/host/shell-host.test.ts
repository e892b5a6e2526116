import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Command, sh } from "../../../../provider/host/command";
import type { Host } from "../../../../provider/host/host";
import { localTransport } from "../../../../provider/host/local";
import { ShellHost } from "../../../../provider/host/shell-host";
import { sshTransport } from "../../../../provider/host/ssh/transport";
import { awaitCondition, done, waiting } from "../../../../provider/wait";
import { problemOf } from "./problems";
import { defaultHostKey, startServer, type TestServer } from "./ssh/ssh-server";

jest.setTimeout(20_000); // real processes, on a machine that may have other work

// One suite, two hosts: whatever is promised in host.ts holds behind ssh and on this machine.
describe.each(["behind ssh", "local"])("a host %s", (kind) => {
  let server: TestServer;
  let host: Host;
  let folder: string;

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
    folder = mkdtempSync(join(tmpdir(), "sluice-host-"));
  });
  afterAll(async () => {
    await host.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  /** Processes of this machine whose command line holds the marker. */
  const processesWith = (marker: string): string[] =>
    readdirSync("/proc").filter((entry) => {
      if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return false;
      try {
        return readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(marker);
      } catch {
        return false;
      }
    });
  const awaitNone = (marker: string) =>
    awaitCondition({
      object: "this machine",
      what: `processes with ${marker} to end`,
      withinSeconds: 10,
      everyMillis: 50,
      check: async () => (processesWith(marker).length === 0 ? done(undefined) : waiting("some are left")),
    });

  test("answers with exit code, standard output and standard error of a command", async () => {
    const result = await host.run(new Command("echo out; echo err >&2; exit 3"), { accept: [3] });
    expect(result).toEqual({ exitCode: 3, stdout: "out\n", stderr: "err\n" });
  });

  test("hands every byte of a word to the command unchanged", async () => {
    const words = [
      "it's",
      `"double"`,
      "$HOME `id` $(id)",
      "back\\slash \\\\ \\n",
      "new\nline",
      "!history!",
      "",
      "ünïcödé 🐬",
      "-n",
      "a*b?",
    ];
    const { stdout } = await host.run(sh`printf '[%s]' ${words}`);
    expect(stdout).toBe(words.map((word) => `[${word}]`).join(""));
  });

  test("hands every byte of standard input to the command, and its end", async () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 7) % 256));
    const { stdout } = await host.run(new Command("sha256sum"), { stdin: bytes });
    expect(stdout.split(" ")[0]).toBe(execFileSync("sha256sum", { input: bytes }).toString().split(" ")[0]);
  });

  test("gives a command without input an empty one", async () => {
    expect((await host.run(new Command("cat; echo end"))).stdout).toBe("end\n");
  });

  test("lets a command end that does not read its input", async () => {
    const result = await host.run(new Command("echo early"), { stdin: Buffer.alloc(5_000_000) });
    expect(result.stdout).toBe("early\n");
    expect(result.stderr).toBe("");
  });

  test("decodes characters that are cut between two chunks", async () => {
    const chunks: string[] = [];
    const command = new Command(
      `printf '\\303'; sleep 0.1; printf '\\244'; printf '\\342\\202' >&2; sleep 0.1; printf '\\254' >&2`,
    );
    const result = await host.run(command, { onStdout: (chunk) => chunks.push(chunk) });
    expect(result).toEqual({ exitCode: 0, stdout: "ä", stderr: "€" });
    expect(chunks.join("")).toBe("ä");
  });

  test("gives a failed command's last words and leaves its first line complete", async () => {
    const problem = await problemOf(host.run(new Command("seq 1 30 >&2; exit 4")));
    expect(problem.code).toBe("COMMAND_FAILED");
    expect(problem.message.split("\n")[0]).toMatch(
      /^host .+: `seq 1 30 >&2; exit 4` ended with exit code 4 \(COMMAND_FAILED\)$/,
    );
    expect(problem.problem.detail?.split("\n")).toEqual(Array.from({ length: 20 }, (_, at) => String(at + 11)));
  });

  test("tells a program that is missing from a command that failed", async () => {
    const problem = await problemOf(host.run(new Command("no-such-program-of-ours --version")));
    expect(problem.code).toBe("HOST_LACKS_PROGRAM");
    expect(problem.problem.detail).toContain("no-such-program-of-ours");
  });

  test("ends a command and its children on the host when it takes too long", async () => {
    const command = new Command("sh -c 'sleep 41.5 & sleep 41.5'; echo never");
    const problem = await problemOf(host.run(command, { withinSeconds: 0.5 }));
    expect(problem.code).toBe("TIMEOUT_REACHED");
    expect(problem.message).toContain("took longer than 0.5 s");
    await awaitNone("41.5");
  });

  test("refuses output without end instead of filling the memory", async () => {
    const problem = await problemOf(host.run(new Command("yes aaaaaaaaaaaaaaaaaaaaaaaaaaaa 63.5")));
    expect(problem.code).toBe("COMMAND_FAILED");
    expect(problem.message).toContain("printed more than");
    await awaitNone("63.5");
  });

  test("runs many commands at once", async () => {
    const results = await Promise.all(Array.from({ length: 30 }, (_, at) => host.run(sh`echo ${at}; sleep 0.05`)));
    expect(results.map((result) => result.stdout)).toEqual(Array.from({ length: 30 }, (_, at) => `${at}\n`));
  });

  test("finds programs of the administrator and speaks English", async () => {
    const { stdout } = await host.run(new Command('echo "$PATH:$LC_ALL"'));
    expect(stdout).toMatch(/\/usr\/sbin:\/sbin:C\n$/);
  });

  test("knows the machine", async () => {
    const facts = await host.facts();
    expect(facts).toMatchObject({
      name: kind === "local" ? "local" : "127.0.0.1",
      uid: process.getuid?.(),
      kernel: execFileSync("uname", ["-sr"]).toString().trim(),
      cores: Number(execFileSync("nproc").toString()),
    });
    expect(facts.memoryBytes).toBeGreaterThan(100_000_000);
  });

  test("writes a file with its mode, replaces it, and leaves nothing beside it", async () => {
    const directory = join(folder, `write ${kind}`);
    mkdirSync(directory);
    const path = join(directory, "it's a $file.cnf");
    await host.writeFile(path, "first\n", { mode: 0o600 });
    await host.writeFile(path, "sec\0nd ü\n", { mode: 0o4750 });
    expect(readFileSync(path, "utf8")).toBe("sec\0nd ü\n");
    expect(statSync(path).mode & 0o7777).toBe(0o4750);
    expect(readdirSync(directory)).toEqual(["it's a $file.cnf"]);
    expect(await host.inspect(path)).toMatchObject({ kind: "file", mode: 0o4750, sizeBytes: 10 });
  });

  test("writes an empty file", async () => {
    const path = join(folder, `empty ${kind}`);
    await host.writeFile(path, "", { mode: 0o644 });
    expect(await host.readFile(path)).toBe("");
  });

  test("puts no content of a file on a command line or in an error", async () => {
    const path = join(folder, "absent-directory", "file");
    const problem = await problemOf(host.writeFile(path, "MARKER-SECRET", { mode: 0o600 }));
    expect(problem.code).toBe("COMMAND_FAILED");
    expect(problem.message).toContain(`cannot write ${path}`);
    expect(problem.message).not.toContain("MARKER-SECRET");
  });

  test("does not take a directory for the file to write", async () => {
    const directory = join(folder, `directory ${kind}`);
    mkdirSync(directory);
    const problem = await problemOf(host.writeFile(directory, "x", { mode: 0o600 }));
    expect(problem.problem.detail).toContain("Is a directory");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("keeps the old file and removes the new one when its owner cannot be set", async () => {
    const directory = join(folder, `owner ${kind}`);
    mkdirSync(directory);
    writeFileSync(join(directory, "file"), "old");
    const problem = await problemOf(
      host.writeFile(join(directory, "file"), "new", { mode: 0o600, owner: "no-such-user:nobody" }),
    );
    expect(problem.problem.detail).toContain("no-such-user");
    expect(readdirSync(directory)).toEqual(["file"]);
    expect(readFileSync(join(directory, "file"), "utf8")).toBe("old");
  });

  test("reads a file, and knows one that is absent from one it may not read", async () => {
    writeFileSync(join(folder, `read ${kind}`), "line\nünï");
    expect(await host.readFile(join(folder, `read ${kind}`))).toBe("line\nünï");
    expect(await host.readFile(join(folder, "absent"))).toBeUndefined();
    expect(await host.readFile(join(folder, `read ${kind}`, "below a file"))).toBeUndefined();
    expect((await problemOf(host.readFile(folder))).problem.detail).toContain("Is a directory");
  });

  test("says what is at a path", async () => {
    const at = (name: string) => join(folder, `${name} ${kind}`);
    mkdirSync(at("d"));
    chmodSync(at("d"), 0o750);
    symlinkSync(at("d"), at("link"));
    symlinkSync(at("nowhere"), at("dangling"));
    const socket = createServer().listen(at("s"));
    const user = execFileSync("id", ["-un"]).toString().trim();
    expect(await host.inspect(at("d"))).toMatchObject({ kind: "directory", mode: 0o750, owner: user });
    expect(await host.inspect(at("link"))).toMatchObject({ kind: "directory", mode: 0o750 });
    expect(await host.inspect(at("dangling"))).toMatchObject({ kind: "other" });
    expect(await host.inspect(at("s"))).toMatchObject({ kind: "socket" });
    expect(await host.inspect("/dev/null")).toMatchObject({ kind: "other", mode: 0o666 });
    expect(await host.inspect(at("absent"))).toEqual({ kind: "absent", mode: 0, owner: "", group: "", sizeBytes: 0 });
    await new Promise((resolve) => socket.close(resolve));
  });

  describe("opening streams", () => {
    let echo: Server;
    let port: number;
    let socketPath: string;

    beforeAll(async () => {
      socketPath = join(folder, `echo ${kind}`);
      echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
      await new Promise<void>((resolve) => void echo.listen(socketPath, resolve));
    });
    afterAll(() => new Promise((resolve) => echo.close(resolve)));

    test("carries bytes both ways to a unix socket", async () => {
      const stream = await host.dial({ socketPath });
      stream.end("there and back");
      expect(await text(stream)).toBe("there and back");
    });

    test("carries bytes both ways to an address", async () => {
      const tcp = createServer((socket) => socket.pipe(socket));
      await new Promise<void>((resolve) => void tcp.listen(0, "127.0.0.1", resolve));
      const bound = tcp.address();
      port = typeof bound === "object" && bound !== null ? bound.port : 0;
      const stream = await host.dial({ address: "127.0.0.1", port });
      stream.end("there and back");
      expect(await text(stream)).toBe("there and back");
      await new Promise((resolve) => tcp.close(resolve));
      const problem = await problemOf(host.dial({ address: "127.0.0.1", port }));
      expect(problem.code).toBe("HOST_DIAL_REFUSED");
      expect(problem.message).toContain(`cannot open 127.0.0.1:${port}`);
    });

    test("refuses a socket that is not there, and one that is none, each in its words", async () => {
      const problem = await problemOf(host.dial({ socketPath: join(folder, "no-socket") }));
      expect(problem.code).toBe("HOST_DIAL_REFUSED");
      expect(problem.message).toContain("no-socket, there is no such socket (HOST_DIAL_REFUSED)");
      writeFileSync(join(folder, `file ${kind}`), "");
      const file = await problemOf(host.dial({ socketPath: join(folder, `file ${kind}`) }));
      expect(file.message).toContain("it is not a socket (HOST_DIAL_REFUSED)");
    });

    test("recognises a socket without a listener", async () => {
      const path = join(folder, `deaf ${kind}`);
      const perl = `use IO::Socket::UNIX; IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die`;
      execFileSync("perl", ["-e", perl, path]);
      const problem = await problemOf(host.dial({ socketPath: path }));
      expect(problem.problem.needs).toContain("a server that listens on it");
      expect(problem.problem.fix).toContain("AllowStreamLocalForwarding");
    });
  });
});
