import { type Command, sh } from "../../../host/command";
import type { Host } from "../../../host/host";
import type { JobFacts } from "../../../host/job/job";
import type { Client } from "../../instance/binaries";
import { sql, type Statement } from "../../sql";
import { dumpedPositionWords, showBinaryLogStatus } from "../../terms";
import type { Files } from "../client-options";
import type { Explanation } from "../run";
import { jobFiles } from "../script";
import { snapshotProgram } from "./snapshot-program/program";
import { hexName, listDatabases } from "../source/objects";
import type { SeedSource } from "../source/facts";

export const snapshotFiles = { program: "snapshot.pl", orders: "snapshot.sql" } as const;

export interface SnapshotWanted {
  readonly source: Pick<SeedSource, "server" | "gtidOn" | "hasPerformanceSchema">;
  readonly databases: readonly string[];
  /** They are all of the source: the dump ends if databases were created or dropped before its snapshot is open. */
  readonly isAll: boolean;
  /** Whether mysqldump knows --init-command. */
  readonly dumpWaits: boolean;
  /** Longest time to wait for the lock, in seconds. */
  readonly lockWaitSeconds: number;
  /** The dump ends when the source's history list is longer. */
  readonly historyListLimit: number;
}

/** --init-command came with mysqldump 8.0.36 and 8.3, not with 8.1. */
export async function waitsAtStart(host: Host, dump: Client): Promise<boolean> {
  const { exitCode } = await host.query(sh`${dump.path} --no-defaults --help | grep -q -e --init-command`, {
    accept: [0, 1],
  });
  return exitCode === 0;
}

/** Rule of the house: no session of the source waits for more than 2 s. */
const queueSeconds = 1; // from the first locked table to the last
const heldSeconds = 1.6; // from the first locked table to the open snapshot; unlocking takes the rest of the 2 s
/**
 * No session waits for the first table (a waiting READ lock gives way to writers), so this may be longer than their
 * pauses.
 */
const firstTableSeconds = 3;
const longSeconds = 2; // sessions that hold a table for longer are waited for without a lock request
const answerSeconds = 60; // provider/mysql/client.ts: a statement's limit

const tableName = sql`CONCAT('\`', REPLACE(OBJECT_SCHEMA, '\`', '\`\`'), '\`.\`', REPLACE(OBJECT_NAME, '\`', '\`\`'), '\`')`;
const listedName = sql`CONCAT('\`', REPLACE(TABLE_SCHEMA, '\`', '\`\`'), '\`.\`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`')`;

/** What a READ lock waits for, or what would end the dump at its end (an ALTER TABLE that is under way: error 1412). */
const inTheWay = [
  "SHARED_WRITE",
  "SHARED_WRITE_LOW_PRIO",
  "SHARED_UPGRADABLE",
  "SHARED_NO_WRITE",
  "SHARED_NO_READ_WRITE",
  "EXCLUSIVE",
];

/** Session, user, seconds, table, statement without its literals. */
function blockers(databases: readonly string[], sinceSeconds: number, { hasPerformanceSchema }: Watched): Statement {
  if (!hasPerformanceSchema)
    return sql`SELECT x.trx_mysql_thread_id, COALESCE(p.USER, ''), TIMESTAMPDIFF(SECOND, x.trx_started, NOW()), '', SUBSTRING_INDEX(COALESCE(p.INFO, ''), ' ', 1) FROM information_schema.INNODB_TRX x LEFT JOIN information_schema.PROCESSLIST p ON p.ID = x.trx_mysql_thread_id WHERE x.trx_rows_modified > 0 AND TIMESTAMPDIFF(SECOND, x.trx_started, NOW()) >= ${sinceSeconds} ORDER BY 3 DESC LIMIT ${shownSessions}`;
  return sql`SELECT COALESCE(t.PROCESSLIST_ID, 0), COALESCE(t.PROCESSLIST_USER, ''), FLOOR(MAX(${heldFor})), MIN(CONCAT(l.OBJECT_SCHEMA, '.', l.OBJECT_NAME)), MIN(${statementWords}) FROM performance_schema.metadata_locks l LEFT JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID LEFT JOIN performance_schema.events_transactions_current x ON x.THREAD_ID = t.THREAD_ID AND x.STATE = 'ACTIVE' LEFT JOIN performance_schema.events_statements_current s ON s.THREAD_ID = t.THREAD_ID AND s.NESTING_EVENT_LEVEL = 0 WHERE l.OBJECT_TYPE = 'TABLE' AND l.LOCK_STATUS = 'GRANTED' AND l.LOCK_TYPE IN (${inTheWay}) AND l.OBJECT_SCHEMA IN (${databases}) AND NOT (t.PROCESSLIST_ID <=> CONNECTION_ID()) AND (t.PROCESSLIST_ID IS NULL OR ${heldFor} >= ${sinceSeconds}) GROUP BY t.PROCESSLIST_ID, t.PROCESSLIST_USER ORDER BY 3 DESC LIMIT ${shownSessions}`;
}

/**
 * Seconds: of the transaction, else of the statement. PROCESSLIST_TIME of an applier is its lag: a delayed replica would be busy
 * for ever. A session that sets its timestamp has the same.
 */
const heldFor = sql`COALESCE(x.TIMER_WAIT / 1000000000000, IF(t.NAME LIKE '%replica%' OR t.NAME LIKE '%slave%', 0, t.PROCESSLIST_TIME), 0)`;

type Watched = Pick<SeedSource, "hasPerformanceSchema">;

const shownSessions = 5; // a line each in an error
const shownCharacters = 80; // one line of a terminal

/** DIGEST_TEXT has no literals. */
const statementWords = sql`REPLACE(REPLACE(LEFT(COALESCE(s.DIGEST_TEXT, ''), ${shownCharacters}), CHAR(9), ' '), CHAR(10), ' ')`;

/** The sessions that wait for a metadata lock of the dump; `:id` is the dump's session. */
const waiters = ({ hasPerformanceSchema }: Watched): Statement =>
  hasPerformanceSchema
    ? sql`SELECT DISTINCT 'waits', COALESCE(t.PROCESSLIST_ID, 0), COALESCE(t.PROCESSLIST_USER, ''), COALESCE(t.PROCESSLIST_TIME, 0), CONCAT(w.OBJECT_SCHEMA, '.', w.OBJECT_NAME), ${statementWords} FROM performance_schema.metadata_locks m JOIN performance_schema.metadata_locks w ON w.OBJECT_TYPE = m.OBJECT_TYPE AND w.OBJECT_SCHEMA = m.OBJECT_SCHEMA AND w.OBJECT_NAME = m.OBJECT_NAME AND w.LOCK_STATUS = 'PENDING' LEFT JOIN performance_schema.threads t ON t.THREAD_ID = w.OWNER_THREAD_ID LEFT JOIN performance_schema.events_statements_current s ON s.THREAD_ID = w.OWNER_THREAD_ID AND s.NESTING_EVENT_LEVEL = 0 WHERE m.OBJECT_TYPE = 'TABLE' AND m.LOCK_STATUS = 'GRANTED' AND m.OWNER_THREAD_ID = (SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID = :id)`
    : // A waiting session may wait for another session than the dump: without performance_schema that is unknown.
      sql`SELECT 'waits', ID, USER, TIME, '', SUBSTRING_INDEX(COALESCE(INFO, ''), ' ', 1) FROM information_schema.PROCESSLIST WHERE STATE = 'Waiting for table metadata lock' AND ID <> :id`;

const historyLength = sql`UNION ALL SELECT 'history', COUNT, '', '', '', '' FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'`;

/** Names and statements for the program, one a line. */
function renderOrders(wanted: SnapshotWanted): string {
  const { source, databases, isAll, dumpWaits, lockWaitSeconds, historyListLimit } = wanted;
  const orders: Readonly<Record<string, Statement | string | number | boolean>> = {
    options: jobFiles.sourceOptions,
    tables: sql`SELECT ${listedName} FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN (${databases}) ORDER BY 1`,
    databases: isAll ? listDatabases : sql`DO 0`,
    databasesListed: isAll ? databases.map(hexName).sort().join(" ") : "",
    blockers: blockers(databases, longSeconds, source),
    blockersNow: blockers(databases, 0, source),
    busyTables: source.hasPerformanceSchema
      ? sql`SELECT DISTINCT ${tableName} FROM performance_schema.metadata_locks l JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID LEFT JOIN performance_schema.events_transactions_current x ON x.THREAD_ID = t.THREAD_ID AND x.STATE = 'ACTIVE' WHERE l.OBJECT_TYPE = 'TABLE' AND l.LOCK_STATUS = 'GRANTED' AND l.OBJECT_SCHEMA IN (${databases}) AND t.PROCESSLIST_ID <> CONNECTION_ID() AND ${heldFor} >= ${queueSeconds}`
      : "DO 0",
    waiters: waiters(source),
    seesLocks: source.hasPerformanceSchema ? 1 : 0,
    history: historyLength,
    granted: source.hasPerformanceSchema
      ? sql`SELECT COALESCE(SUM(LOCK_STATUS = 'GRANTED'), 0), COALESCE(MAX(IF(LOCK_STATUS = 'PENDING', ${tableName}, '')), '') FROM performance_schema.metadata_locks WHERE OBJECT_TYPE = 'TABLE' AND LOCK_TYPE IN ('SHARED_READ_ONLY', 'SHARED_NO_READ_WRITE') AND OWNER_THREAD_ID = (SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID = :id)`
      : "",
    waitingDump: sql`SELECT ID FROM information_schema.PROCESSLIST WHERE STATE = 'User lock' AND INFO LIKE '%:token%' AND ID <> CONNECTION_ID()`,
    dumpSession: sql`SELECT a.PROCESSLIST_ID FROM performance_schema.session_account_connect_attrs a JOIN information_schema.PROCESSLIST p ON p.ID = a.PROCESSLIST_ID WHERE a.ATTR_NAME = '_pid' AND a.ATTR_VALUE = ':pid' AND SUBSTRING_INDEX(p.HOST, ':', 1) = SUBSTRING_INDEX(USER(), '@', -1)`,
    position: source.gtidOn ? sql`SELECT 'gtids', REPLACE(@@GLOBAL.gtid_executed, CHAR(10), '')` : sql`DO 0`,
    log: showBinaryLogStatus(source.server),
    change: dumpedPositionWords.file,
    changeAt: dumpedPositionWords.position,
    dumpWaits: dumpWaits ? 1 : 0,
    limitSeconds: lockWaitSeconds,
    lockSeconds: source.hasPerformanceSchema ? firstTableSeconds : queueSeconds,
    queueSeconds,
    heldSeconds,
    answerSeconds,
    historyLimit: historyListLimit,
  };
  return Object.entries(orders)
    .map(([name, value]) => `${name}\t${typeof value === "object" ? value.text : String(value)}\n`)
    .join("");
}

export const filesOfSnapshot = (wanted: SnapshotWanted): Files => ({
  [snapshotFiles.program]: snapshotProgram,
  [snapshotFiles.orders]: renderOrders(wanted),
});

/** Prints the dump that `words` asks for, with the position of its snapshot in front of it. */
export const snapshotReader = (mysql: string, words: readonly string[]): Command =>
  sh`perl ${snapshotFiles.program} ${mysql} ${words}`;

interface Limits {
  readonly from: string;
  readonly lockWaitSeconds: number;
  readonly historyListLimit: number;
}

/** What the program's own lines in the log mean. */
export function explainSource(
  { logTail }: Pick<JobFacts, "logTail">,
  { from, lockWaitSeconds, historyListLimit }: Limits,
): Explanation | undefined {
  const [, why = "", value = ""] = /^sluice-source\t(\w+)(?:\t(.*))?$/m.exec(logTail) ?? [];
  const sessions = [...logTail.matchAll(/^sluice-session\t(.*)$/gm)].map(([, line = ""]) => sessionWords(line));
  const named = sessions.length === 0 ? {} : { found: sessions.join("\n") };
  switch (why) {
    case "lock":
      return {
        code: "SOURCE_BUSY",
        what: `${from} could not be dumped: for ${lockWaitSeconds} s sessions wrote to its tables or held them without a pause`,
        ...named,
        fix: "run `pulumi up` again after these sessions have ended their transactions, or end them with KILL",
      };
    case "slow":
      return {
        code: "SOURCE_BUSY",
        what: `${from} could not be dumped: opening the snapshot takes longer than ${heldSeconds} s; each attempt was aborted so that writes do not queue`,
        fix: "run `pulumi up` again when the source and the staging host are less busy, or use a source closer to the staging host",
      };
    case "many":
      return {
        code: "SOURCE_BUSY",
        what: `${from} could not be dumped: LOCK TABLES of its ${value} tables takes longer than ${queueSeconds} s; each attempt was aborted so that writes do not queue`,
        found: `${value} tables`,
        fix: "run `pulumi up` again when the source is less busy, name fewer `databases`, or raise table_open_cache and table_definition_cache of the source above its number of tables",
      };
    case "tables":
      return {
        code: "SOURCE_BUSY",
        what: `${from} could not be dumped: within ${lockWaitSeconds} s tables were created, renamed or dropped during every attempt`,
        fix: "run `pulumi up` again when no program creates or drops tables on the source, or name only other `databases`",
      };
    case "databases":
      return {
        code: "SEED_FAILED",
        what: `seeding from ${from} ended: databases of the source changed after they were listed, so the dump would be incomplete`,
        found: value.split(" ").map(changeWords).join("\n"),
        fix: "run `pulumi up` again: the seeding starts again with empty data and the databases of that moment",
      };
    case "session":
      return {
        code: "SOURCE_NOT_SUPPORTED",
        what: `${from} could not be dumped: the source does not show which session is mysqldump's, so sessions that wait for the dump would not be seen`,
        needs: "performance_schema_session_connect_attrs_size of the source other than 0, or mysqldump 8.0.36 or later",
        fix: "install a later MySQL on the staging host, or remove performance_schema_session_connect_attrs_size from the source's option file and restart it",
      };
    case "waits":
      return {
        code: "SOURCE_BUSY",
        what: `the dump of ${from} was ended, because sessions of the source waited for it`,
        ...named,
        fix: "run `pulumi up` again when these statements have ended; a seeding from a replica of the source disturbs no session of production",
      };
    case "history":
      return {
        code: "SOURCE_BUSY",
        what: `the dump of ${from} was ended, because the source kept too many old versions of rows for its snapshot`,
        found: `history list length ${value}`,
        needs: `at most ${historyListLimit}`,
        fix: "name a replica of production as `source`, seed at a quieter hour, or raise `historyListLimit`",
      };
    default:
      return undefined;
  }
}

/** `+73686F70`, `-73686F70` */
const changeWords = (change: string): string =>
  `${change.startsWith("+") ? "created" : "dropped"}: ${Buffer.from(change.slice(1), "hex").toString()}`;

/** `session 17 of app, 42 s, shop.orders: UPDATE ...` */
function sessionWords(line: string): string {
  const [session = "", user = "", seconds = "", table = "", statement = ""] = line.split("\t");
  const who =
    session === "0" ? "a prepared XA transaction (XA RECOVER lists it)" : `session ${session} of ${user}, ${seconds} s`;
  return `${who}${table === "" ? "" : `, ${table}`}${statement === "" ? "" : `: ${statement}`}`;
}
