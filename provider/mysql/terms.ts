/** The only file with the words of before MySQL 8.0.22: every other file says source, replica, receiver and applier. */
import { has, type ServerFacts } from "./capabilities";
import { join, keyword, sql, type SqlValue, type Statement } from "./sql";

/** The receiver fetches from the source (IO_THREAD), the applier executes (SQL_THREAD). */
export type ReplicaThread = "receiver" | "applier";

const threadWords: Record<ReplicaThread, Statement> = { receiver: sql`IO_THREAD`, applier: sql`SQL_THREAD` };

const replicaWord = (server: ServerFacts): Statement => (has(server, "replicaTerms") ? sql`REPLICA` : sql`SLAVE`);

/** The default channel's name is the empty text. */
const forChannel = (channel: string): Statement => sql` FOR CHANNEL ${channel}`;

const onlyThread = (thread: ReplicaThread | undefined): Statement =>
  thread === undefined ? sql`` : sql` ${threadWords[thread]}`;

export const startReplica = (server: ServerFacts, channel: string, thread?: ReplicaThread): Statement =>
  sql`START ${replicaWord(server)}${onlyThread(thread)}${forChannel(channel)}`;

export const stopReplica = (server: ServerFacts, channel: string, thread?: ReplicaThread): Statement =>
  sql`STOP ${replicaWord(server)}${onlyThread(thread)}${forChannel(channel)}`;

/**
 * Lets a stopped applier continue after the transaction it failed on. By its GTID, which then counts as executed;
 * `ANONYMOUS` by the counter of the server, which counts transactions (a row of SHOW BINLOG EVENTS inside one does not
 * end it).
 */
export function skipTransaction(server: ServerFacts, channel: string, transaction: string): readonly Statement[] {
  const [stop, start] = [stopReplica(server, channel), startReplica(server, channel)];
  if (transaction === anonymousTransaction)
    return [
      stop,
      sql`SET GLOBAL ${keyword(variableName(server, "sql_replica_skip_counter").toUpperCase())} = 1`,
      start,
    ];
  return [stop, sql`SET GTID_NEXT = ${transaction}`, sql`BEGIN`, sql`COMMIT`, sql`SET GTID_NEXT = 'AUTOMATIC'`, start];
}

/** MySQL's word for a transaction to which the source gave no GTID. */
export const anonymousTransaction = "ANONYMOUS";

/** Removes the channel: settings, relay logs, position. */
export const resetReplicaAll = (server: ServerFacts, channel: string): Statement =>
  sql`RESET ${replicaWord(server)} ALL${forChannel(channel)}`;

/** Without a channel: one row for each channel. Read the rows through `modernRow`. */
export const showReplicaStatus = (server: ServerFacts, channel?: string): Statement =>
  sql`SHOW ${replicaWord(server)} STATUS${channel === undefined ? sql`` : forChannel(channel)}`;

/** The replicas that are connected now. Read the rows through `modernRow`. */
export const showReplicas = (server: ServerFacts): Statement =>
  has(server, "replicaTerms") ? sql`SHOW REPLICAS` : sql`SHOW SLAVE HOSTS`;

/** Columns File, Position, Executed_Gtid_Set; no row where the binary log is off. */
export const showBinaryLogStatus = (server: ServerFacts): Statement =>
  has(server, "showBinaryLogStatus") ? sql`SHOW BINARY LOG STATUS` : sql`SHOW MASTER STATUS`;

/** Where a replica keeps the settings of its channels, the password among them: column User_password, by Channel_name. */
export const channelMetadata = sql`mysql.slave_master_info`;

/** Empties the binary log, gtid_executed and gtid_purged. */
export const resetBinaryLogsAndGtids = (server: ServerFacts): Statement =>
  has(server, "resetBinaryLogsAndGtids") ? sql`RESET BINARY LOGS AND GTIDS` : sql`RESET MASTER`;

/** Options of CHANGE REPLICATION SOURCE TO by their present names: `{ SOURCE_HOST: "db-1", GTID_ONLY: 1 }`. */
export type SourceOptions = Readonly<Record<string, SqlValue>>;

/** Names come from Sluice, never from a user: they are put into the text as they are. */
export function changeReplicationSource(server: ServerFacts, options: SourceOptions, channel: string): Statement {
  const modern = has(server, "changeReplicationSource");
  const settings = Object.entries(options).map(
    ([name, value]) => sql`${keyword(modern ? name : oldSourceOption(name))} = ${value}`,
  );
  const verb = modern ? sql`CHANGE REPLICATION SOURCE TO` : sql`CHANGE MASTER TO`;
  return sql`${verb} ${join(settings, ", ")}${forChannel(channel)}`;
}

/**
 * Why a user, password or name cannot be used in CHANGE REPLICATION SOURCE ("holds ..."), or undefined. The server
 * keeps these texts as utf8mb3: it takes a character above U+FFFF and turns it into "?", and cuts at a NUL, without an
 * error.
 */
export function channelTextRefusal(text: string): string | undefined {
  if (/[\u{10000}-\u{10FFFF}]/u.test(text)) return "holds a character above U+FFFF, which the server stores as ?";
  if (/[\0\n]/.test(text)) return "holds a line break or a NUL";
  return undefined;
}

/** Longest SOURCE_PASSWORD, in characters (error 3056). */
export const longestChannelPassword = 32;

/** SOURCE_CONNECTION_AUTO_FAILOVER never had another name: it came one version before the new statement. */
function oldSourceOption(name: string): string {
  if (name === "SOURCE_CONNECTION_AUTO_FAILOVER") return name;
  return name.replace(/^SOURCE_/, "MASTER_").replace("GET_SOURCE_PUBLIC_KEY", "GET_MASTER_PUBLIC_KEY");
}

/** The name this server knows a variable or option by: `log_replica_updates` is `log_slave_updates` before 8.0.26. */
export function variableName(server: ServerFacts, modernName: string): string {
  if (has(server, "sourceTermsInVariables")) return modernName;
  const words: Readonly<Record<string, string>> = { replica: "slave", source: "master" };
  return modernName
    .split("_")
    .map((word) => words[word] ?? word)
    .join("_");
}

/** A row of SHOW SLAVE STATUS or SHOW SLAVE HOSTS with the columns of SHOW REPLICA STATUS and SHOW REPLICAS. */
export function modernRow<T>(row: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [modernColumn(column), value]));
}

const irregularColumns: Readonly<Record<string, string>> = {
  Get_master_public_key: "Get_Source_public_key",
  Server_id: "Server_Id",
  Master_id: "Source_Id",
};

const modernColumn = (column: string): string =>
  irregularColumns[column] ?? column.replace("Master", "Source").replace("Slave", "Replica");

/** Privileges whose names have kept the old word in MySQL to this day. */
export const replicationPrivileges = {
  /** Fetch the binary log; SHOW REPLICAS. */
  follow: "REPLICATION SLAVE",
  /** SHOW BINARY LOG STATUS, SHOW REPLICA STATUS. */
  observe: "REPLICATION CLIENT",
  /** CHANGE REPLICATION SOURCE, START REPLICA, STOP REPLICA. */
  administer: "REPLICATION_SLAVE_ADMIN",
} as const;

/** Names MariaDB prints for privileges that it also takes by MySQL's names. */
export const mariadbPrivilegeNames: Readonly<Record<string, string>> = {
  "REPLICATION REPLICA": replicationPrivileges.follow,
  "BINLOG MONITOR": replicationPrivileges.observe,
  "REPLICATION SLAVE ADMIN": replicationPrivileges.administer,
  "REPLICATION REPLICA ADMIN": replicationPrivileges.administer,
};

/** How our own dump states its position, between them the file's name: mysqldump's words, whatever the server's version. */
export const dumpedPositionWords = {
  file: "CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='",
  position: "SOURCE_LOG_POS=",
} as const;

/** The forms in which dumps of any version state their position. Groups: the statement's own text after TO. */
export const dumpedPositionStatement = /CHANGE\s+(?:MASTER|REPLICATION\s+SOURCE)\s+TO\b(.*)/i;
export const dumpedFile = /\b(?:MASTER|SOURCE)_LOG_FILE\s*=\s*['"]([^'"]+)['"]/i;
export const dumpedPosition = /\b(?:MASTER|SOURCE)_LOG_POS\s*=\s*(\d+)/i;
/** `mysqldump --dump-replica` writes the position of the dumped server's own source. */
export const dumpedFromReplica = /\(the (?:master|source) of this (?:slave|replica)\)/i;
/** `mysqldump --apply-replica-statements` stops and starts the channel around its data. */
export const dumpedApplierStatement = /(?:STOP|START)\s+(?:SLAVE|REPLICA)\b/i;
/** mydumper's metadata, before and since 0.12. */
export const dumpedStatusHeading = /^#?\s*(?:SHOW (?:MASTER|BINARY LOG) STATUS:|\[(?:master|source)\])/i;
export const dumpedReplicaHeading = /^#?\s*(?:SHOW (?:SLAVE|REPLICA) STATUS:|\[replication[^\]]*\])/i;
