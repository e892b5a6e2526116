import type { Duplex } from "node:stream";
import { isProblem, type SluiceError, wordsOf } from "../../errors";
import { awaitCondition, done, waiting } from "../../wait";
import { quoteWord } from "../command";
import { Gate } from "./gate";
import type { DialTarget, SshAddress } from "../host";
import { connect, connectSecondsDefault } from "./ssh";
import type { Connection } from "./connection";
import * as errors from "./errors";
import { renderAddress, type Through } from "./socket";
import type { HostProcess, Lane, Transport } from "../transport";

const commandSessions = 8; // sshd's MaxSessions is 10: the lock session, and one that sshd has not cleared away yet
const lookEveryMillis = 1000; // a person's patience with a line that says "still waiting"

/** A host behind ssh: one connection, made by the first call and again after a loss. */
export function sshTransport(address: SshAddress, through?: Through): Transport {
  return new SshTransport(address, through);
}

class SshTransport implements Transport {
  readonly name: string;
  readonly address: string;
  readonly sudoAllowed: boolean;
  readonly connectSeconds: number;
  /** Hidden when a host is printed or serialised: it holds secrets. */
  readonly #settings: SshAddress;
  readonly #through: Through | undefined;
  readonly #gate = new Gate(commandSessions);
  #connecting: Promise<Connection> | undefined;
  #wasConnected = false;

  constructor(settings: SshAddress, through: Through | undefined) {
    this.#settings = settings;
    this.#through = through;
    this.name = renderAddress(settings);
    this.address = settings.address;
    this.sudoAllowed = settings.sudo ?? true;
    this.connectSeconds = settings.connectSeconds ?? connectSecondsDefault;
  }

  async start(argv: readonly string[], lane: Lane): Promise<HostProcess> {
    // The login shell only starts our own; single quotes mean the same in every shell facts.ts lets pass.
    const text = `exec ${argv.map(quoteWord).join(" ")}`;
    if (lane === "lock") return this.#session(text);
    for (;;) {
      await this.#gate.enter();
      try {
        const process = this.#gate.inside === 1 ? await this.#session(text) : await this.#openSession(text);
        void process.ended.then(() => this.#gate.leave());
        return process;
      } catch (error) {
        const isNarrower = isRefusedSession(error) && this.#gate.inside > 1;
        if (isNarrower) this.#gate.narrow();
        this.#gate.leave();
        if (!isNarrower) throw error;
      }
    }
  }

  /** A session that our own commands leave free: sshd counts a command that was ended until it is really gone. */
  async #session(text: string): Promise<HostProcess> {
    let refusal: unknown;
    try {
      return await awaitCondition({
        object: this.#object,
        what: "a free session",
        withinSeconds: this.connectSeconds,
        everyMillis: lookEveryMillis,
        check: async () => {
          try {
            return done(await this.#openSession(text));
          } catch (error) {
            if (!isRefusedSession(error)) throw error;
            refusal = error;
            return waiting(wordsOf(error));
          }
        },
      });
    } catch (error) {
      throw isProblem(error, "TIMEOUT_REACHED")
        ? errors.sessionsRefused(this.#object, this.connectSeconds, refusal)
        : error;
    }
  }

  async #openSession(text: string): Promise<HostProcess> {
    const connection = await this.#connected();
    return connection.start(text).catch((error: unknown) => {
      throw isRefusedSession(error) ? error : this.#lost(connection, error);
    });
  }

  async dial(target: DialTarget): Promise<Duplex> {
    const connection = await this.#connected();
    try {
      return await connection.dial(target);
    } catch (error) {
      if (connection.isAlive) throw errors.dialRefused(this.#object, target, error);
      // A dial whose caller has given up must not reopen a connection that was closed on purpose.
      if (this.#connecting === undefined) throw this.#lost(connection, error);
    }
    const next = await this.#connected();
    return next.dial(target).catch((error: unknown) => {
      if (!next.isAlive) throw this.#lost(next, error);
      throw errors.dialRefused(this.#object, target, error);
    });
  }

  async close(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    this.#wasConnected = false;
    if (connecting === undefined) return;
    await connecting.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  get #object(): string {
    return `host ${this.name}`;
  }

  #lost(connection: Connection, error: unknown): SluiceError {
    return errors.connectionLost(this.#object, connection.why === "" ? wordsOf(error) : connection.why);
  }

  /** The one connection: callers that come while it is being made share it. */
  async #connected(): Promise<Connection> {
    for (;;) {
      this.#connecting ??= this.#connect();
      const connecting = this.#connecting;
      try {
        const connection = await connecting;
        if (connection.isAlive) return connection;
      } catch (error) {
        if (this.#connecting === connecting) this.#connecting = undefined;
        throw error;
      }
      if (this.#connecting === connecting) this.#connecting = undefined;
    }
  }

  async #connect(): Promise<Connection> {
    const connection = await (this.#wasConnected ? this.#reconnect() : connect(this.#settings, this.#through));
    this.#wasConnected = true;
    return connection;
  }

  /** A network that was cut is often restored soon: a host that answered before gets as long as a first login. */
  async #reconnect(): Promise<Connection> {
    let last: unknown;
    try {
      return await awaitCondition({
        object: this.#object,
        what: "the connection to be restored",
        withinSeconds: this.connectSeconds,
        everyMillis: lookEveryMillis,
        check: async () => {
          try {
            return done(await connect(this.#settings, this.#through));
          } catch (error) {
            if (!isProblem(error, "HOST_UNREACHABLE")) throw error;
            last = error;
            return waiting(error.problem.what);
          }
        },
      });
    } catch (error) {
      throw isProblem(error, "TIMEOUT_REACHED") ? errors.connectionLost(this.#object, wordsOf(last)) : error;
    }
  }
}

/** An open that the host refused, unlike one that was never answered. */
const isRefusedSession = (error: unknown): boolean => typeof errors.reasonOf(error) === "number";
