import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import { count } from "../counters";
import type { DialTarget } from "../host";
import type { Ending, HostProcess } from "../transport";

/** A login on a host. Once it has ended it stays ended. */
export class Connection {
  isAlive = true;
  /** Why it ended: the first reason given. */
  why = "";

  /** Hidden when a connection is printed: ssh2 keeps the secrets in it. */
  readonly #client: Client;
  readonly #socket: Duplex;

  constructor(client: Client, socket: Duplex) {
    this.#client = client;
    this.#socket = socket;
  }

  /** Gives `text` to the login shell. Rejects with a `reason` where the host refused another session. */
  start(text: string): Promise<HostProcess> {
    return new Promise((resolve, reject) => {
      this.#client.exec(text, (error, channel) => {
        if (error !== undefined && error !== null) return reject(error);
        count("sessions");
        // At once, not after a tick: the exit may be in the same packet as the answer to the request.
        resolve(this.#processOf(channel));
      });
    });
  }

  dial(target: DialTarget): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const onOpen = (error: Error | undefined, channel: ClientChannel) => {
        if (error !== undefined && error !== null) return reject(error);
        count("forwards");
        channel.on("error", () => undefined); // the owner listens too; without any listener Node ends the process
        resolve(channel);
      };
      if ("socketPath" in target) this.#client.openssh_forwardOutStreamLocal(target.socketPath, onOpen);
      else this.#client.forwardOut("127.0.0.1", 0, target.address, target.port, onOpen);
    });
  }

  close(): Promise<void> {
    this.isAlive = false;
    if (this.why === "") this.why = "closed by Sluice";
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#client.once("close", () => resolve());
      this.#client.end();
      // A host that is down never answers the end; what was written before is still sent.
      if ("destroySoon" in this.#socket) (this.#socket as Socket).destroySoon();
    });
  }

  #processOf(channel: ClientChannel): HostProcess {
    channel.on("error", () => undefined);
    channel.stderr.on("error", () => undefined);
    let ending: Ending | undefined;
    channel.on("exit", (exitCode: number | null, signal?: string) => {
      ending = exitCode === null ? { kind: "signalled", signal: signal ?? "a signal" } : { kind: "exited", exitCode };
    });
    const closed = new Promise<void>((resolve) => channel.once("close", () => resolve()));
    const stderrClosed = new Promise<void>((resolve) => channel.stderr.once("close", () => resolve()));
    const lost = (): Ending => ({ kind: "lost", why: this.why === "" ? "the session was closed" : this.why });
    return {
      stdin: channel.stdin,
      stdout: channel.stdout,
      stderr: channel.stderr,
      ended: Promise.all([closed, stderrClosed]).then(() => ending ?? lost()),
      end: () => channel.close(),
    };
  }
}
