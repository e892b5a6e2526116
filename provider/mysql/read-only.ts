import { isProblem, SluiceError } from "../errors";
import { awaitCondition, done, waiting } from "../wait";
import type { MysqlClient } from "./reader";
import { errnoOf } from "./fault/fault";
import type { MysqlReader } from "./reader";
import { withBriefLock } from "./lock/lock";
import { keyword, sql, type Statement } from "./sql";

/** For scripts that outlive our connection, and for recipes. Everything else uses the functions below. */
export const setSealed = (isOn: boolean): Statement =>
  sql`SET GLOBAL super_read_only = ${keyword(isOn ? "ON" : "OFF")}`;

/**
 * The one place that lifts super_read_only. SET GLOBAL super_read_only = 1 waits for every running statement of the server, so an
 * applier that is busy with one statement delays it, and our process may end in between. So a note is written before it is
 * lifted, and the next `up` finds it. A super_read_only server accepts rows only in performance_schema (tried: 9.7):
 * the note is a row of setup_objects, about a table that does not exist. It is lost when mysqld restarts, and the option file decides.
 */
const note = {
  find: sql`SELECT 1 FROM performance_schema.setup_objects WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = 'sluice' AND OBJECT_NAME = 'super_read_only'`,
  write: sql`INSERT INTO performance_schema.setup_objects (OBJECT_TYPE, OBJECT_SCHEMA, OBJECT_NAME, ENABLED, TIMED) VALUES ('TABLE', 'sluice', 'super_read_only', 'NO', 'NO')`,
  remove: sql`DELETE FROM performance_schema.setup_objects WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = 'sluice' AND OBJECT_NAME = 'super_read_only'`,
};

const lockName = "sluice.super_read_only";

export interface SealLimits {
  /** Longest wait for long statements to end before super_read_only is lifted. Default 60. */
  readonly quietSeconds?: number;
  /** Longest time to set it back. Default 60. */
  readonly sealSeconds?: number;
}

const defaultSeconds = 60; // the limit of every statement (client.ts)

/**
 * Runs statements of Sluice that must not enter the binary log, on a read-only server too. read_only stays on all the
 * while, so that accounts without CONNECTION_ADMIN cannot write; super_read_only is as before, whatever happens to
 * `work`.
 */
export const withWrites = <T>(mysql: MysqlClient, work: () => Promise<T>, limits: SealLimits = {}): Promise<T> =>
  withBriefLock(mysql, lockName, async () => {
    const isNoted = await hasNote(mysql);
    const seals = isNoted || (await isSealed(mysql));
    if (seals) {
      await awaitShortStatements(mysql, limits.quietSeconds ?? defaultSeconds);
      if (!isNoted) await writeNote(mysql);
    }
    await mysql.execute(sql`SET SESSION sql_log_bin = 0`);
    try {
      if (seals) await mysql.execute(setSealed(false));
      return await work();
    } finally {
      if (seals) await seal(mysql, limits.sealSeconds ?? defaultSeconds);
      await mysql.execute(sql`SET SESSION sql_log_bin = 1`);
    }
  });

/**
 * Whether an earlier run lifted super_read_only and could not set it back. False while a run of Sluice has lifted it
 * for a moment.
 */
export async function isLeftWritable(mysql: MysqlReader): Promise<boolean> {
  if (!(await hasNote(mysql)) || (await isSealed(mysql))) return false;
  const row = await mysql.queryRow<{ free: number }>(sql`SELECT IS_FREE_LOCK(${lockName}) AS free`);
  return row?.free === 1;
}

/** Sets super_read_only back if an earlier run could not. May be repeated. */
export const sealAgain = (mysql: MysqlClient, sealSeconds = defaultSeconds): Promise<void> =>
  withBriefLock(mysql, lockName, async () => {
    if (await hasNote(mysql)) await seal(mysql, sealSeconds);
  });

/** super_read_only as it is declared. */
export const setSuperReadOnly = (mysql: MysqlClient, isOn: boolean): Promise<void> =>
  withBriefLock(mysql, lockName, async () => {
    if (isOn) return seal(mysql, defaultSeconds);
    await mysql.execute(setSealed(false));
    if (await hasNote(mysql)) await mysql.execute(note.remove);
  });

async function isSealed(mysql: MysqlReader): Promise<boolean> {
  const row = await mysql.queryRow<{ sealed: number }>(sql`SELECT @@GLOBAL.super_read_only AS sealed`);
  return row?.sealed === 1;
}

const hasNote = async (mysql: MysqlReader): Promise<boolean> =>
  (await unlessRefused(mysql.queryRow(note.find))) !== undefined;

/**
 * An account without rights on performance_schema cannot write the note: then only the error tells that super_read_only
 * is off.
 */
const writeNote = (mysql: MysqlClient): Promise<unknown> => unlessRefused(mysql.execute(note.write));

async function unlessRefused<T>(statement: Promise<T>): Promise<T | undefined> {
  try {
    return await statement;
  } catch (error) {
    if (isProblem(error, "SERVER_PRIVILEGE_MISSING", "SERVER_QUERY_FAILED")) return undefined;
    throw error;
  }
}

const attemptSeconds = 2; // other statements of the server queue behind an attempt that waits: no longer than that
const restMillis = 1000; // and between two attempts they run
const lockWaitErrno = 1205;

async function seal(mysql: MysqlClient, withinSeconds: number): Promise<void> {
  const row = await mysql.queryRow<{ seconds: number }>(sql`SELECT @@SESSION.lock_wait_timeout AS seconds`);
  await mysql.execute(sql`SET SESSION lock_wait_timeout = ${attemptSeconds}`);
  try {
    await awaitCondition({
      object: `server ${mysql.name}`,
      what: "super_read_only to be set",
      withinSeconds,
      everyMillis: restMillis,
      check: async () => {
        try {
          return done(await mysql.execute(setSealed(true)));
        } catch (error) {
          if (errnoOf(error) !== lockWaitErrno) throw error;
          return waiting("it waits for a running statement");
        }
      },
    });
  } catch (error) {
    if (isProblem(error, "TIMEOUT_REACHED")) throw await leftWritable(mysql, withinSeconds);
    throw error;
  } finally {
    await mysql.execute(sql`SET SESSION lock_wait_timeout = ${row?.seconds ?? defaultSeconds}`);
  }
  await unlessRefused(mysql.execute(note.remove));
}

const leftWritable = async (mysql: MysqlReader, seconds: number): Promise<SluiceError> =>
  new SluiceError({
    code: "SERVER_LEFT_WRITABLE",
    object: `server ${mysql.name}`,
    what: `super_read_only could not be set back within ${String(seconds)} s, it waits for a running statement`,
    found: sayHolders(await readHolders(mysql)),
    needs: "super_read_only = ON; read_only is ON, so only accounts with CONNECTION_ADMIN can write meanwhile",
    fix: "run `pulumi up` again when the statement has ended: it sets super_read_only back",
  });

interface Holder {
  readonly statement: string;
  readonly name: string;
  readonly session: number | null;
  readonly state: string | null;
}

/**
 * The sessions that hold what super_read_only waits for. Without the text of statements: it may hold data and
 * passwords.
 */
async function readHolders(mysql: MysqlReader): Promise<readonly Holder[]> {
  const rows = await unlessRefused(
    mysql.query<Holder>(
      sql`SELECT CONCAT(l.OWNER_THREAD_ID, ' ', l.OWNER_EVENT_ID) AS statement, t.NAME AS name, t.PROCESSLIST_ID AS session, t.PROCESSLIST_STATE AS state FROM performance_schema.metadata_locks l JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID WHERE l.OBJECT_TYPE = 'GLOBAL' AND l.LOCK_STATUS = 'GRANTED' AND t.PROCESSLIST_ID <> CONNECTION_ID()`,
    ),
  );
  return rows ?? [];
}

const sayHolders = (holders: readonly Holder[]): string =>
  holders.length === 0
    ? "no statement"
    : holders
        .map(
          ({ name, session, state }) =>
            `${name.split("/").at(-1) ?? name}, session ${String(session)}, ${state ?? "running"}`,
        )
        .join("\n");

/** A statement that is seen at every look is a long one: super_read_only is not lifted while it could not be set back. */
async function awaitShortStatements(mysql: MysqlReader, withinSeconds: number): Promise<void> {
  let long: readonly Holder[] | undefined;
  const object = `server ${mysql.name}`;
  try {
    await awaitCondition({
      object,
      what: "long statements to end",
      withinSeconds,
      everyMillis: restMillis,
      check: async () => {
        const now = await readHolders(mysql);
        const seen = long;
        long =
          seen === undefined ? now : now.filter((one) => seen.some(({ statement }) => statement === one.statement));
        return long.length === 0 ? done(undefined) : waiting(sayHolders(long));
      },
    });
  } catch (error) {
    if (!isProblem(error, "TIMEOUT_REACHED")) throw error;
    throw new SluiceError({
      code: "TIMEOUT_REACHED",
      object,
      what: `waited ${String(withinSeconds)} s for a long statement to end; super_read_only is not lifted meanwhile, because it could not be set back`,
      found: sayHolders(long ?? []),
      fix: "run `pulumi up` again when the statement has ended",
    });
  }
}
