import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { execa } from "execa";
import { wordsOf } from "../errors";
import { count } from "./counters";
import type { DialTarget } from "./host";
import { dialRefused } from "./ssh/errors";
import type { Ending, HostProcess, Transport } from "./transport";

/** This machine. Only what differs from a host behind ssh: starting a process and opening a stream. */
export function localTransport(): Transport {
  const running = new Set<HostProcess>();
  return {
    name: "local",
    address: "local",
    sudoAllowed: true,
    connectSeconds: 0,
    start: (argv) => {
      const process = startProcess(argv);
      running.add(process);
      void process.ended.then(() => running.delete(process));
      return Promise.resolve(process);
    },
    dial,
    close: async () => {
      const left = [...running];
      for (const process of left) process.end();
      await Promise.all(left.map((process) => process.ended));
    },
  };
}

function startProcess([file = "", ...args]: readonly string[]): HostProcess {
  // `detached`: a Ctrl-C in the terminal is for us, and a command is ended by closing its input (wrap.ts).
  const child = execa(file, args, {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
    detached: true,
  });
  count("sessions");
  child.stdin.on("error", () => undefined); // a command that ends before it has read everything
  const ended = child.then((result): Ending => {
    if (result.exitCode !== undefined) return { kind: "exited", exitCode: result.exitCode };
    if (result.signal !== undefined) return { kind: "signalled", signal: result.signal };
    return { kind: "lost", why: wordsOf(result.cause ?? result.message) };
  });
  void ended.then(() => child.stdin.destroy());
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, end: () => child.stdin.destroy() };
}

function dial(target: DialTarget): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      "socketPath" in target ? { path: target.socketPath } : { host: target.address, port: target.port },
    );
    const onError = (error: unknown) => reject(dialRefused("host local", target, error));
    socket.once("error", onError);
    socket.once("connect", () => {
      socket.off("error", onError);
      socket.on("error", () => undefined); // the owner listens too; without any listener Node ends the process
      count("forwards");
      resolve(socket);
    });
  });
}
