import type { Code } from "../../error-codes";
import { SluiceError } from "../../errors";
import { replicationPrivileges, startReplica, stopReplica, type ReplicaThread } from "../terms";
import type { ServerFacts } from "../capabilities";
import type { ThreadError } from "./facts";

/** What the words of an error may name. */
export interface ChannelNames {
  /** `channel orders@stage-1:3307` */
  readonly object: string;
  readonly channel: string;
  /** `db-1:3306` */
  readonly source: string;
  readonly user: string;
  /** The replica's; decides the words of statements. */
  readonly server: ServerFacts;
}

interface Entry {
  readonly thread: ReplicaThread;
  readonly errnos?: readonly number[];
  readonly says?: RegExp;
  readonly code: Code;
  /** Reads on from the object. */
  readonly what: string | ((names: ChannelNames) => string);
  readonly fix: (names: ChannelNames, error: ThreadError) => string;
  /** True where waiting or trying again may be enough. */
  readonly passes?: boolean;
}

/**
 * Every error of a replication thread that has words of its own; the first line that fits counts.
 * Numbers as 9.7.4 reports them: what the source answers comes as 13114 with "error 1236" in the text, settings as 13117,
 * refused commands as 13120.
 */
const table: readonly Entry[] = [
  {
    thread: "receiver",
    says: /purged required binary logs/i,
    code: "GTID_PURGED",
    what: "cannot go on, the source purged transactions that the replica has not received",
    fix: () =>
      "seed the replica again (`reseed` of the StagingDatabase), and raise binlog_expire_logs_seconds on the source above the longest time the replica may stand still",
  },
  {
    thread: "receiver",
    says: /replica has more gtids than the source/i,
    code: "GTID_DIVERGED",
    what: "cannot go on, the replica holds transactions of the source that the source itself no longer has",
    fix: () => "the source was set back to an older state: seed the replica again (`reseed` of the StagingDatabase)",
  },
  {
    thread: "receiver",
    says: /source server_id is 0/i,
    code: "SOURCE_SERVER_ID_ZERO",
    what: "cannot go on, the source's server_id is 0",
    fix: () => "on the source: SET PERSIST server_id = <a number of its own>",
  },
  {
    thread: "receiver",
    says: /same server_uuid|same server_id/i,
    code: "CHANNEL_SERVER_ID_EQUAL",
    what: "was cut off, another replica of the source has the same server id or server uuid",
    fix: () =>
      "give each replica a server id of its own (`serverId` of the StagingDatabase); see SHOW REPLICAS on the source",
  },
  {
    thread: "receiver",
    says: /first log file name|position > file size|truncated in the middle|impossible position|bogus data|not found in binary log index/i,
    code: "CHANNEL_SOURCE_LOG_MISSING",
    what: "cannot begin, the source has no such place in its binary logs (error 1236)",
    fix: () =>
      "take file and position from SHOW BINARY LOG STATUS at the moment of the backup, or seed the replica again",
  },
  {
    thread: "receiver",
    says: /max_allowed_packet|log event entry exceeded/i,
    code: "CHANNEL_RECEIVER_FAILED",
    what: "cannot go on, a change is larger than the packets that are allowed",
    fix: () => "raise max_allowed_packet on the source and replica_max_allowed_packet on the replica to 1G",
  },
  {
    thread: "receiver",
    says: /GTID_MODE|gtid_mode/,
    code: "CHANNEL_REPLICA_NOT_READY",
    what: "cannot go on, the GTID modes of source and replica do not go together",
    fix: () => "set gtid_mode to the same value on both servers, step by step: OFF, OFF_PERMISSIVE, ON_PERMISSIVE, ON",
  },
  {
    thread: "receiver",
    says: /equal MySQL server ids/i,
    code: "CHANNEL_SERVER_ID_EQUAL",
    what: "cannot run, source and replica have the same server id",
    fix: () => "give the replica another one: `serverId` of the StagingDatabase, or SET PERSIST server_id = <number>",
  },
  {
    thread: "receiver",
    says: /equal MySQL server UUIDs/i,
    code: "CHANNEL_SERVER_UUID_EQUAL",
    what: "cannot run, source and replica have the same server uuid",
    fix: () =>
      "the replica is a copy that kept its identity: stop it, remove auto.cnf from its data directory, start it",
  },
  {
    thread: "receiver",
    errnos: [1227, 1142],
    code: "SERVER_PRIVILEGE_MISSING",
    what: ({ user }) => `cannot fetch the binary log, ${user} lacks ${replicationPrivileges.follow} on the source`,
    fix: ({ user }) => grantFollow(user),
  },
  {
    thread: "receiver",
    says: /COM_REGISTER_\w+ failed/i,
    code: "SERVER_PRIVILEGE_MISSING",
    what: ({ user }) => `cannot fetch the binary log, ${user} lacks ${replicationPrivileges.follow} on the source`,
    fix: ({ user }) => grantFollow(user),
  },
  {
    thread: "receiver",
    errnos: [2061],
    code: "SOURCE_LOGIN_REFUSED",
    what: "cannot log in, the source takes this password over an encrypted connection only",
    fix: () => 'set source.tls to "required"',
  },
  {
    thread: "receiver",
    errnos: [1045, 1698, 1251, 1524, 2059, 1862, 1820, 3118, 3955],
    code: "SOURCE_LOGIN_REFUSED",
    what: ({ user }) => `cannot log in, the source refuses the user ${user}`,
    fix: () => "check source.user and source.password, and that the account may come from the replica's address",
  },
  {
    thread: "receiver",
    errnos: [1130],
    code: "SOURCE_LOGIN_REFUSED",
    what: ({ user }) => `cannot log in, the source has no account ${user} for the replica's address`,
    fix: ({ user }) => `on the source: CREATE USER '${user}'@'<address of the replica>' ...`,
  },
  {
    thread: "receiver",
    errnos: [3159],
    code: "SOURCE_TLS_FAILED",
    what: "cannot log in, the source takes encrypted connections only",
    fix: () => 'set source.tls to "required"',
  },
  {
    thread: "receiver",
    errnos: [2026],
    code: "SOURCE_TLS_FAILED",
    what: "cannot make a TLS connection to the source as it was asked for",
    fix: () =>
      "check source.tls: ca must have signed the source's certificate, and verifyIdentity needs a certificate that names source.address (those that mysqld makes by itself do not)",
  },
  {
    thread: "receiver",
    errnos: [1040, 1203, 1226],
    code: "SOURCE_UNREACHABLE",
    what: ({ user }) => `cannot connect, the source has no free connection for ${user}`,
    fix: ({ user }) =>
      `on the source: raise max_connections, or the account's own limit: ALTER USER '${user}'@'<its host>' WITH MAX_USER_CONNECTIONS 0`,
    passes: true,
  },
  {
    thread: "receiver",
    errnos: [1129],
    code: "SOURCE_UNREACHABLE",
    what: "cannot connect, the source has blocked the replica's address after too many broken connections",
    fix: () => "on the source: TRUNCATE performance_schema.host_cache",
  },
  {
    thread: "receiver",
    errnos: [2002, 2003, 2005, 2006, 2012, 2013, 1053],
    code: "SOURCE_UNREACHABLE",
    what: ({ source }) => `cannot reach the source: the replica's mysqld gets no connection to ${source}`,
    fix: () =>
      "check name, port and firewall from the replica's machine; a name may resolve differently for mysqld's unit than for a login",
    passes: true,
  },
  {
    thread: "receiver",
    errnos: [1593, 1594, 1595, 13118, 13121, 13122],
    code: "CHANNEL_RECEIVER_FAILED",
    what: "stopped receiving, the relay log cannot be written or read",
    fix: () => "check free space and disk of the replica, then run `pulumi up` again: the relay log is fetched anew",
    passes: true,
  },
  {
    thread: "applier",
    errnos: [1205, 1213, 3572, 3101, 1180],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, other sessions of the replica held locks for too long",
    fix: () => "end what writes on the replica, or keep it read-only (`readOnly` of the StagingDatabase)",
    passes: true,
  },
  {
    thread: "applier",
    errnos: [1021, 1026, 1030, 1114, 1206, 1041, 1135],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the replica ran out of space or memory",
    fix: () => "free space on the replica's disk, then run `pulumi up` again",
    passes: true,
  },
  {
    thread: "applier",
    errnos: [1062, 1586],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a row of the source is already there on the replica (1062)",
    fix: (names, error) =>
      `somebody wrote on the replica: delete that row there, or pass the transaction over; then start: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1032, 1176],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a row that the source changed is not there on the replica (1032)",
    fix: (names, error) =>
      `somebody deleted on the replica: put that row back, or pass the transaction over; then start: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1396, 1410, 1141, 1147, 3523, 1269, 3530],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a statement names an account or role that the replica does not have",
    fix: (names, error) =>
      `let account statements of the source pass by: filters.wildIgnoreTables ["mysql.%"]; and pass this one over: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1049, 1305, 1539],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a statement is about a database, routine or event that the replica does not hold",
    fix: (names, error) =>
      `bring that database too (\`databases\` of the StagingDatabase) or keep its tables out by filters, which do not reach routines and events; and pass this transaction over: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1146, 1051, 1054, 1091, 1072, 1364, 1136, 1824, 1677, 13146],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a table is missing or has other columns than on the source",
    fix: (names, error) =>
      `make the table as it is on the source, widen the filters, or seed again; then start: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1007, 1008, 1050, 1060, 1061, 1304, 1537, 1304, 1359, 1360],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, what a statement makes or removes is already there or gone on the replica",
    fix: (names, error) => `pass the transaction over if the replica is right as it is: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1290, 1836, 3100],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the replica refuses writes",
    fix: () =>
      "the tables are sealed (read-only tablespaces or options): check read_only and innodb_read_only on the replica",
  },
  {
    thread: "applier",
    errnos: [1593, 1594, 13121, 13122],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the relay log is damaged",
    fix: () => "set relay_log_recovery = ON and restart the replica: it fetches the relay log anew",
  },
];

const others: Readonly<Record<ReplicaThread, Entry>> = {
  receiver: {
    thread: "receiver",
    code: "CHANNEL_RECEIVER_FAILED",
    what: "stopped receiving on an error of the source or the connection",
    fix: () => "repair what the error names; the receiver goes on where it stopped: run `pulumi up` again",
  },
  applier: {
    thread: "applier",
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying on an error",
    fix: (names, error) =>
      `repair what the error names, or pass the transaction over; then start: ${passOver(names, error)}`,
  },
};

const entryOf = (thread: ReplicaThread, error: ThreadError): Entry =>
  table.find(
    (entry) =>
      entry.thread === thread &&
      (entry.errnos === undefined || entry.errnos.includes(error.errno)) &&
      (entry.says === undefined || entry.says.test(error.message)),
  ) ?? others[thread];

/** Whether the thread may run again without anybody doing something about it. */
export const isPassing = (thread: ReplicaThread, error: ThreadError): boolean => entryOf(thread, error).passes === true;

/** What a thread's error means, and what to do about it. */
export function threadFailure(thread: ReplicaThread, error: ThreadError, names: ChannelNames): SluiceError {
  const entry = entryOf(thread, error);
  const transaction = error.transaction === "" ? "" : `, transaction ${error.transaction}`;
  return new SluiceError({
    code: entry.code,
    object: names.object,
    what: typeof entry.what === "string" ? entry.what : entry.what(names),
    found: `error ${String(error.errno)}${transaction}, reported by the ${thread}`,
    fix: entry.fix(names, error),
    detail: wordsOfMessage(error.message),
    cause: { errno: error.errno, name: "", message: error.message },
  });
}

/** The coordinator only says that a worker has failed, and where to look for more. */
const wordsOfMessage = (message: string): string =>
  message
    .replace(
      /^Coordinator stopped because there were error\(s\) in the worker\(s\)\. The most recent failure being: /,
      "",
    )
    .replace(/\. See error log and\/or performance_schema\..*$/s, "");

export const grantFollow = (user: string): string =>
  `on the source: GRANT ${replicationPrivileges.follow} ON *.* TO '${user}'@'<its host>'`;

/** The statements that let the applier go on behind a transaction; MySQL's manual, "Skipping Transactions With GTIDs". */
function passOver({ channel, server }: ChannelNames, { transaction }: ThreadError): string {
  const start = startReplica(server, channel).display;
  if (!/^[0-9a-f-]{36}:/i.test(transaction)) return start;
  const stop = stopReplica(server, channel).display;
  return `${stop}; SET GTID_NEXT = '${transaction}'; BEGIN; COMMIT; SET GTID_NEXT = 'AUTOMATIC'; ${start}`;
}
