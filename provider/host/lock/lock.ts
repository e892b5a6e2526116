import { createHash } from "node:crypto";
import { isProblem, SluiceError, wordsOf } from "../../errors";
import { awaitCondition, done, type Look, waiting } from "../../wait";
import type { HostFacts, LockOptions } from "../host";
import { type HolderLine, lockSessionWords, type LockSession, newTag, openLockSession, type Taking } from "./session";
import type { Transport } from "../transport";

const lookEveryMillis = 1000; // a waiter asks over an open session, which costs the host one short process

/** All locks of one host use one session, so that any number can be held within sshd's MaxSessions. */
export class LockKeeper {
  #opening: Promise<LockSession> | undefined;
  #lastId = 0;
  #endWord = "kill";

  readonly #transport: Transport;
  readonly #facts: () => Promise<Pick<HostFacts, "uid" | "canBecomeRoot">>;

  /** `facts` also proves that the host runs commands, with a better error than a dead session has. */
  constructor(transport: Transport, facts: () => Promise<Pick<HostFacts, "uid" | "canBecomeRoot">>) {
    this.#transport = transport;
    this.#facts = facts;
  }

  async hold<T>(name: string, options: LockOptions, work: (lost: AbortSignal) => Promise<T>): Promise<T> {
    const { mode = "exclusive", holder } = options;
    const lock: Lock = { id: ++this.#lastId, name, mode, file: fileOf(name), tag: newTag(mode), holder };
    const session = await this.#acquire(lock, options);
    const lost = new AbortController();
    const released = new AbortController();
    const kept = this.#keep(lock, session, lost, released.signal);
    try {
      return await work(lost.signal);
    } finally {
      released.abort();
      const last = await kept;
      await last?.free(lock.id);
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    const session = await opening?.catch(() => undefined);
    session?.end();
    await session?.over;
  }

  async #acquire(lock: Lock, options: LockOptions): Promise<LockSession> {
    let holders: readonly HolderLine[] = [];
    await this.#session(); // the limit is for the other holder, not for the login
    try {
      return await awaitCondition({
        object: `lock ${lock.name} on host ${this.#transport.name}`,
        what: "another run to end",
        withinSeconds: options.withinSeconds,
        everyMillis: lookEveryMillis,
        onWait: (why) => options.onWait?.(why),
        signal: options.signal,
        check: async (): Promise<Look<LockSession>> => {
          const session = await this.#session();
          const reply = await session.take(lock);
          if (reply.kind === "held") return done(session);
          if (reply.kind === "broken") throw this.#broken(reply.why);
          if (reply.kind !== "taken") return waiting("the connection was lost");
          holders = reply.holders.filter(isAlive);
          return waiting(`held by ${renderHolders(holders)}`);
        },
      });
    } catch (error) {
      throw isProblem(error, "TIMEOUT_REACHED") && holders.length > 0 ? this.#taken(lock, options, holders) : error;
    }
  }

  /** Follows the lock until it is released. Answers with the session that holds it then. */
  async #keep(
    lock: Lock,
    first: LockSession,
    lost: AbortController,
    released: AbortSignal,
  ): Promise<LockSession | undefined> {
    const isReleased = new Promise<"released">((resolve) => {
      released.addEventListener("abort", () => resolve("released"), { once: true });
    });
    let session = first;
    for (;;) {
      const why = await Promise.race([isReleased, session.over]);
      if (why === "released" || released.aborted) return session;
      try {
        session = await this.#takeAgain(lock, why, released);
      } catch (error) {
        if (!released.aborted) lost.abort(this.#lost(lock, wordsOf(error)));
        return undefined;
      }
    }
  }

  /** Our tag stays in the lock's file until another run changes what the lock protects: one that holds it exclusively. */
  #takeAgain(lock: Lock, why: string, released: AbortSignal): Promise<LockSession> {
    return awaitCondition({
      object: `lock ${lock.name} on host ${this.#transport.name}`,
      what: `the lock to be taken again (${why})`,
      withinSeconds: this.#transport.connectSeconds,
      everyMillis: lookEveryMillis,
      signal: released,
      check: async (): Promise<Look<LockSession>> => {
        const session = await this.#session();
        const reply = await session.take(lock);
        switch (reply.kind) {
          case "held":
            if (isAmong(lock, reply.holders)) return done(session);
            await session.free(lock.id);
            // A run that succeeded has removed its file.
            throw new Error(
              `${why}; then ${reply.holders.length === 0 ? "another run held it" : `it was held by ${renderHolders(reply.holders)}`}`,
            );
          case "taken":
            if (!isAmong(lock, reply.holders))
              throw new Error(`${why}; now it is held by ${renderHolders(reply.holders)}`);
            return waiting("our old session still holds it");
          default:
            return waiting("the connection was lost again");
        }
      },
    });
  }

  async #session(): Promise<LockSession> {
    this.#opening ??= this.#open();
    const opening = this.#opening;
    const forget = () => {
      if (this.#opening === opening) this.#opening = undefined;
    };
    try {
      const session = await opening;
      void session.over.then(forget);
      return session;
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #open(): Promise<LockSession> {
    const { uid, canBecomeRoot } = await this.#facts();
    this.#endWord = uid !== 0 && canBecomeRoot ? "sudo kill" : "kill";
    const words = lockSessionWords(uid !== 0 && canBecomeRoot);
    const opened = await openLockSession(await this.#transport.start(words, "lock"));
    if (!("kind" in opened)) return opened;
    throw this.#broken("why" in opened ? opened.why : "it did not start");
  }

  #broken(why: string): SluiceError {
    return new SluiceError({
      code: /is installed/.test(why) ? "HOST_LACKS_PROGRAM" : "COMMAND_FAILED",
      object: `host ${this.#transport.name}`,
      what: "no lock can be taken",
      detail: why,
    });
  }

  #lost(lock: Lock, why: string): SluiceError {
    return new SluiceError({
      code: "HOST_CONNECTION_LOST",
      object: `lock ${lock.name} on host ${this.#transport.name}`,
      what: "the lock was lost while the work ran, so the work stops",
      fix: "run the command again: it continues where it stopped",
      detail: why,
    });
  }

  #taken(lock: Lock, { withinSeconds }: LockOptions, holders: readonly HolderLine[]): SluiceError {
    return new SluiceError({
      code: "LOCK_TAKEN",
      object: `lock ${lock.name} on host ${this.#transport.name}`,
      what: `another run works on it and did not end within ${withinSeconds} s`,
      found: `held by ${renderHolders(holders)}`,
      fix: `wait for it; if that run no longer exists, on the host: ${this.#endWord} ${holders.map(({ process }) => process).join(" ")}`,
    });
  }
}

interface Lock extends Taking {
  readonly name: string;
}

const isAmong = ({ tag }: Lock, holders: readonly HolderLine[]): boolean =>
  holders.some((holder) => holder.tag === tag);

const isAlive = ({ process }: HolderLine): boolean => process !== "-";

const renderHolders = (holders: readonly HolderLine[]): string =>
  holders
    .filter(isAlive)
    .map(({ process, since, holder }) => `${holder} since ${since} (process ${process})`)
    .join(" and ") || "an unknown run";

const nameLimit = 200; // of the 255 bytes a file name may have

/** One file name for each lock name; readable if the name is. */
function fileOf(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_@:+-]/gu, (character) =>
    encodeURIComponent(character).replaceAll("%", "="),
  );
  if (plain !== "" && plain.length <= nameLimit) return plain;
  return `${plain.slice(0, nameLimit - 65)}-${createHash("sha256").update(name).digest("hex")}`;
}
