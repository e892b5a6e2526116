import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type AuthenticationType, type ClientChannel, utils } from "ssh2";
import { type SluiceError, wordsOf } from "../errors";
import { within } from "../wait";
import { count } from "./counters";
import type { DialTarget, SshAddress } from "./host";
import { algorithmsFor, type HostKey, keyMismatch, keyUnpinned, parseHostKey, parsePin, type Pin } from "./host-key";
import { knownHostsPath, readKnownKeys, rememberKey } from "./known-hosts";
import * as errors from "./ssh-errors";
import { openSocket, renderAddress, type Through } from "./ssh-socket";
import type { Ending, HostProcess } from "./transport";

export const connectSecondsDefault = 20; // ssh2's own readyTimeout
const keepaliveSecondsDefault = 15; // the example of ssh_config(5), ServerAliveInterval
const keepaliveCountMax = 3; // ssh_config(5), ServerAliveCountMax

/** A login on a host. Once it is not alive any more it stays so. */
export class Connection {
  isAlive = true;
  /** Why it ended, in the words of whoever ended it first. */
  why = "";

  /** Hidden from whoever prints a connection: ssh2 keeps the secrets in it. */
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
        // At once, not after a tick: the exit may stand in the same packet as the answer to the request.
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
    if (this.why === "") this.why = "closed by us";
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#client.once("close", () => resolve());
      this.#client.end();
      // A host that is gone never answers the end; what was written before still goes out.
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

/** Connects and logs in, asking for one type of host key after another until the pinned one is shown. */
export async function connect(settings: SshAddress, through: Through | undefined): Promise<Connection> {
  const object = `host ${renderAddress(settings)}`;
  const login = prepareLogin(object, settings);
  const connectSeconds = settings.connectSeconds ?? connectSecondsDefault;
  const abandon = new AbortController();
  let stage = "connecting";
  const attempt = async (): Promise<Connection> => {
    const { pin, source } = readPin(object, settings);
    const seen: HostKey[] = [];
    for (;;) {
      const algorithms = algorithmsFor(pin, seen);
      if (pin !== undefined && algorithms.length === 0) throw keyMismatch(object, pin, seen, source);
      stage = "connecting";
      const socket = await openSocket(object, settings, through, abandon.signal);
      stage = "while the host was connected";
      const outcome = await shakeHands({ object, settings, socket, algorithms, pin, login, signal: abandon.signal });
      if (outcome.kind === "ready") {
        count("connections");
        return outcome.connection;
      }
      if (pin === undefined) {
        if (outcome.key === undefined)
          throw errors.hostUnreachable(object, settings.address, settings.port ?? 22, outcome.error);
        throw keyUnpinned(object, outcome.key);
      }
      if (outcome.key === undefined) throw keyMismatch(object, pin, seen, source);
      seen.push(outcome.key);
    }
  };
  return within(connectSeconds, attempt(), () => {
    abandon.abort();
    throw errors.connectTimedOut(object, connectSeconds, stage);
  });
}

/** The declared keys, else what was remembered on first use. */
function readPin(object: string, settings: SshAddress): { readonly pin: Pin | undefined; readonly source: string } {
  if (settings.hostKey !== undefined) return { pin: parsePin(object, settings.hostKey), source: "hostKey" };
  if (settings.trustOnFirstUse !== true) return { pin: undefined, source: "" };
  const known = readKnownKeys(object, settings.address, settings.port ?? 22);
  return { pin: known === undefined ? undefined : parsePin(object, known), source: knownHostsPath() };
}

interface Login {
  readonly attempts: readonly Attempt[];
}

type Attempt =
  | {
      readonly words: string;
      readonly type: "publickey";
      readonly username: string;
      readonly key: string;
      readonly passphrase?: string;
    }
  | { readonly words: string; readonly type: "agent"; readonly username: string; readonly agent: string }
  | { readonly words: string; readonly type: "password"; readonly username: string; readonly password: string }
  | {
      readonly words: string;
      readonly type: "keyboard-interactive";
      readonly username: string;
      readonly password: string;
    };

/** What to log in with, in order. A key that cannot be read is said at once, not after a refused login. */
function prepareLogin(object: string, settings: SshAddress): Login {
  const { user: username, passphrase, password } = settings;
  const privateKey = settings.privateKey?.replaceAll("\r\n", "\n");
  const attempts: Attempt[] = [];
  if (privateKey !== undefined) {
    const parsed = utils.parseKey(privateKey, passphrase);
    if ("message" in parsed) throw errors.privateKeyUnusable(object, privateKey, parsed.message);
    if (!parsed.isPrivateKey()) throw errors.privateKeyUnusable(object, privateKey, "not a private key");
    const { type, fingerprint } = parseHostKey(parsed.getPublicSSH());
    const words = `privateKey (${type} ${fingerprint})`;
    attempts.push({
      words,
      type: "publickey",
      username,
      key: privateKey,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  }
  if (settings.agent !== undefined) {
    const agent = settings.agent === true ? process.env["SSH_AUTH_SOCK"] : settings.agent;
    if (agent === undefined || agent === "") {
      const what = "agent: true, but SSH_AUTH_SOCK is not set where Pulumi runs";
      throw errors.credentialUnusable(object, what, "start ssh-agent and `ssh-add` a key, or give privateKey");
    }
    attempts.push({ words: `the agent at ${agent}`, type: "agent", username, agent });
  }
  if (password !== undefined) {
    attempts.push({ words: "password", type: "password", username, password });
    attempts.push({
      words: "password (asked by keyboard-interactive)",
      type: "keyboard-interactive",
      username,
      password,
    });
  }
  if (attempts.length === 0) {
    const what = "nothing to log in with is declared";
    throw errors.credentialUnusable(object, what, "give one of privateKey, agent, password");
  }
  return { attempts };
}

interface Handshake {
  readonly object: string;
  readonly settings: SshAddress;
  readonly socket: Duplex;
  readonly algorithms: ReturnType<typeof algorithmsFor>;
  readonly pin: Pin | undefined;
  readonly login: Login;
  readonly signal: AbortSignal;
}

type Outcome =
  | { readonly kind: "ready"; readonly connection: Connection }
  /** `key` is undefined where the host has no key of the types asked for. */
  | { readonly kind: "key-refused"; readonly key: HostKey | undefined; readonly error: unknown };

function shakeHands({ object, settings, socket, algorithms, pin, login, signal }: Handshake): Promise<Outcome> {
  const client = new Client();
  const connection = new Connection(client, socket);
  const tried: string[] = [];
  const notes: string[] = [];
  let offered: readonly string[] = [];
  let refusedKey: HostKey | undefined;
  let shownKey: HostKey | undefined;

  const isRight = (key: HostKey): boolean => {
    if (pin !== undefined) return pin.fingerprints.includes(key.fingerprint);
    // Called again at every key exchange of a long connection: the first answer is the one that holds.
    return settings.trustOnFirstUse === true && (shownKey?.fingerprint ?? key.fingerprint) === key.fingerprint;
  };

  return new Promise<Outcome>((resolve, reject) => {
    const refuse = (error: SluiceError) => {
      reject(error);
      socket.destroy();
    };
    const loginRefused = () => errors.loginRefused(object, { user: settings.user, tried, offered, notes });

    client.on("ready", () => {
      try {
        if (pin === undefined && shownKey !== undefined)
          rememberKey(object, settings.address, settings.port ?? 22, shownKey);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        client.end();
        return;
      }
      resolve({ kind: "ready", connection });
    });
    client.on("change password", () => {
      notes.push("the password has expired: log in once by hand to change it");
      refuse(loginRefused());
    });
    client.on("error", (error) => {
      if (connection.why === "") connection.why = wordsOf(error);
      if (refusedKey !== undefined) resolve({ kind: "key-refused", key: refusedKey, error });
      else if (/no matching host key/.test(error.message)) resolve({ kind: "key-refused", key: undefined, error });
      else if (error.level === "agent") return void notes.push(`agent: ${error.message}`);
      else if (/^All configured authentication methods failed/.test(error.message)) return refuse(loginRefused());
      else if (error.level === "client-authentication") return void notes.push(error.message);
      else if (tried.length > 0)
        refuse(errors.loginRefused(object, { user: settings.user, tried, offered, notes: [...notes, error.message] }));
      else reject(errors.hostUnreachable(object, settings.address, settings.port ?? 22, error));
      connection.isAlive = false;
      socket.destroy();
    });
    client.on("close", () => {
      connection.isAlive = false;
      if (connection.why === "") connection.why = "the host closed the connection";
      const cut = new Error(connection.why);
      reject(
        tried.length > 0
          ? errors.loginRefused(object, { user: settings.user, tried, offered, notes: [connection.why] })
          : errors.hostUnreachable(object, settings.address, settings.port ?? 22, cut),
      );
    });
    signal.addEventListener("abort", () => socket.destroy(), { once: true });

    const attempts = [...login.attempts];
    client.connect({
      sock: socket,
      username: settings.user,
      readyTimeout: 0, // `connect` has the limit, over all attempts
      keepaliveInterval: (settings.keepaliveSeconds ?? keepaliveSecondsDefault) * 1000,
      keepaliveCountMax,
      strictVendor: false, // forwards to unix sockets: the answer of the host decides, not its name
      algorithms: { serverHostKey: [...algorithms] },
      hostVerifier: (blob: Buffer): boolean => {
        const key = parseHostKey(blob);
        if (!isRight(key)) refusedKey = key;
        else shownKey ??= key;
        return refusedKey === undefined;
      },
      authHandler: (left: AuthenticationType[] | null, _partial, next) => {
        if (left !== null) offered = left;
        const attempt = attempts.shift();
        // ssh2 ends the login on `false`, which its types leave out.
        if (attempt === undefined) return next(false as unknown as AuthenticationType);
        if (attempt.type !== "keyboard-interactive") {
          tried.push(attempt.words);
          return next(attempt);
        }
        if (left !== null && !left.includes("keyboard-interactive"))
          return next(false as unknown as AuthenticationType);
        tried.push(attempt.words);
        const { username, password } = attempt;
        next({
          type: "keyboard-interactive",
          username,
          prompt: (_name, _text, _language, prompts, finish) => finish(prompts.map(() => password)),
        });
      },
    });
  });
}
