import type { Duplex } from "node:stream";
import { Client, type AuthenticationType } from "ssh2";
import { type SluiceError, wordsOf } from "../../errors";
import { within } from "../../wait";
import { count } from "../counters";
import type { SshAddress } from "../host";
import { algorithmsFor, type HostKey, keyMismatch, keyUnpinned, parseHostKey, parsePin, type Pin } from "./host-key";
import { knownHostsPath, readKnownKeys, rememberKey } from "./known-hosts";
import { Connection } from "./connection";
import * as errors from "./errors";
import { type Login, prepareLogin } from "./login";
import { openSocket, renderAddress, type Through } from "./socket";

export const connectSecondsDefault = 20; // ssh2's own readyTimeout
const keepaliveSecondsDefault = 15; // the example of ssh_config(5), ServerAliveInterval
const keepaliveCountMax = 3; // ssh_config(5), ServerAliveCountMax

/** Connects and logs in, asking for one type of host key after another until the pinned one is shown. */
export async function connect(settings: SshAddress, through: Through | undefined): Promise<Connection> {
  const object = `host ${renderAddress(settings)}`;
  const login = prepareLogin(object, settings);
  const connectSeconds = limitOf(settings, through);
  const toSocket = through === undefined ? "connecting" : `its jump host ${through.name} cannot connect to it`;
  const abandon = new AbortController();
  let stage = toSocket;
  const attempt = async (): Promise<Connection> => {
    const { pin, source } = readPin(object, settings);
    const seen: HostKey[] = [];
    for (;;) {
      const algorithms = algorithmsFor(pin, seen);
      if (pin !== undefined && algorithms.length === 0) throw keyMismatch(object, pin, seen, source);
      stage = toSocket;
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

/** The jump host has a limit of its own and reports it itself; ours starts after the jump host's login. */
function limitOf({ connectSeconds = connectSecondsDefault, proxy }: SshAddress, through: Through | undefined): number {
  return connectSeconds + (through === undefined ? 0 : (proxy?.connectSeconds ?? connectSecondsDefault));
}

/** The declared keys, else what was remembered on first use. */
function readPin(object: string, settings: SshAddress): { readonly pin: Pin | undefined; readonly source: string } {
  if (settings.hostKey !== undefined) return { pin: parsePin(object, settings.hostKey), source: "hostKey" };
  if (settings.trustOnFirstUse !== true) return { pin: undefined, source: "" };
  const known = readKnownKeys(object, settings.address, settings.port ?? 22);
  return { pin: known === undefined ? undefined : parsePin(object, known), source: knownHostsPath() };
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
  /** `key` is undefined if the host has no key of the types asked for. */
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
    // Called again at every key exchange of a long connection: only the first answer is used.
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
