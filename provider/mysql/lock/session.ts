import { createHash } from "node:crypto";
import { isProblem, SluiceError, wordsOf } from "../../errors";
import type { LockWait } from "../../host/host";
import { awaitCondition, done, waiting } from "../../wait";
import type { MysqlClient } from "../reader";
import { sql } from "../sql";

const lookEveryMillis = 1000; // as a waiter for a host's lock
const pingEveryMillis = 5000; // six looks within sessionSeconds
const pingWithinSeconds = 10; // mysqld's connect_timeout: a session that answers later is taken for lost
const sessionSeconds = 30; // a holder whose machine died without a word is forgotten by the server after this
const workWithinSeconds = 30 * 86_400; // no step may take longer (catchUpSeconds of a channel)

/**
 * Holds the lock `name` in a server while `work` runs, in a session of its own that `open` makes: whatever way a server is reached, all of
 * us meet in it. The server frees the lock when the session ends. `lost` is aborted, with the error as its reason, when the session
 * no longer holds the lock. Throws LOCK_TAKEN.
 */
export async function holdSessionLock<T>(
  open: () => Promise<MysqlClient>,
  name: string,
  options: LockWait,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const mysql = await open();
  const key = keyOf(name);
  const [lost, released] = [new AbortController(), new AbortController()];
  try {
    await mysql.execute(sql`SET SESSION wait_timeout = ${sessionSeconds}, @sluice_holder = ${options.holder}`);
    await acquire(mysql, key, options);
    const watched = watch(mysql, key, lost, released.signal);
    try {
      return await work(lost.signal);
    } finally {
      released.abort();
      await watched;
    }
  } finally {
    await mysql.close(); // frees the lock
  }
}

async function acquire(mysql: MysqlClient, key: string, options: LockWait): Promise<void> {
  let holder: Holder | undefined;
  try {
    await awaitCondition({
      object: objectOf(mysql, key),
      what: "another run to end",
      withinSeconds: options.withinSeconds,
      everyMillis: lookEveryMillis,
      signal: options.signal,
      onWait: (why) => options.onWait?.(why),
      check: async () => {
        const row = await mysql.queryRow<{ taken: number }>(sql`SELECT GET_LOCK(${key}, 0) AS taken`);
        if (row?.taken === 1) return done(undefined);
        holder = await readHolder(mysql, key);
        return waiting(`held by ${holder.words}`);
      },
    });
  } catch (error) {
    if (!isProblem(error, "TIMEOUT_REACHED") || holder === undefined) throw error;
    throw new SluiceError({
      code: "LOCK_TAKEN",
      object: objectOf(mysql, key),
      what: `another run works on it and did not end within ${String(options.withinSeconds)} s`,
      found: `held by ${holder.words}`,
      fix: `wait for it; if that run no longer exists, on that server: KILL ${holder.session}`,
    });
  }
}

interface Holder {
  readonly session: string;
  readonly words: string;
}

/** Names the run where we may see it: the name is a variable of the holding session. */
async function readHolder(mysql: MysqlClient, key: string): Promise<Holder> {
  const row = await mysql.queryRow<{ id: number | null }>(sql`SELECT IS_USED_LOCK(${key}) AS id`);
  const id = row?.id ?? null;
  if (id === null) return { session: "<its session>", words: "a session that has just ended" };
  const session = String(id);
  try {
    const named = await mysql.queryRow<{ holder: string }>(
      sql`SELECT CAST(v.VARIABLE_VALUE AS CHAR) AS holder FROM performance_schema.user_variables_by_thread v
        JOIN performance_schema.threads t USING (THREAD_ID)
        WHERE v.VARIABLE_NAME = 'sluice_holder' AND t.PROCESSLIST_ID = ${id}`,
    );
    if (named !== undefined) return { session, words: `${named.holder} (session ${session})` };
  } catch (error) {
    if (!isProblem(error, "SERVER_PRIVILEGE_MISSING", "SERVER_QUERY_FAILED")) throw error;
  }
  return { session, words: `session ${session}` };
}

/** Asks again and again whether the session still holds the lock: a cut line does not say that it is cut. */
async function watch(mysql: MysqlClient, key: string, lost: AbortController, released: AbortSignal): Promise<void> {
  try {
    await awaitCondition({
      object: objectOf(mysql, key),
      what: "the work that holds the lock to end",
      withinSeconds: workWithinSeconds,
      everyMillis: pingEveryMillis,
      signal: released,
      check: async () => {
        const limit = { withinSeconds: pingWithinSeconds };
        const row = await mysql.queryRow<{ isOurs: number | null }>(
          sql`SELECT IS_USED_LOCK(${key}) = CONNECTION_ID() AS isOurs`,
          limit,
        );
        if (row?.isOurs !== 1) throw new Error("the server says that the session does not hold it");
        return waiting("the work continues");
      },
    });
  } catch (error) {
    if (released.aborted) return;
    lost.abort(
      new SluiceError({
        code: "HOST_CONNECTION_LOST",
        object: objectOf(mysql, key),
        what: "the lock was lost while the work ran, so the work stops",
        fix: "run the command again: it continues where it stopped",
        detail: wordsOf(error),
      }),
    );
  }
}

const objectOf = (mysql: MysqlClient, key: string): string => `lock ${key} in server ${mysql.name}`;

const longestKey = 64; // characters that GET_LOCK takes (error 3057)

/** Names of locks are the same in upper and lower case. */
function keyOf(name: string): string {
  const key = `sluice.${name}`;
  if (key.length <= longestKey) return key;
  return `sluice.${createHash("sha256")
    .update(name)
    .digest("hex")
    .slice(0, longestKey - 7)}`;
}
