import { replicationPrivileges } from "../../terms";
import type { ErrorEntry } from "./thread";

/**
 * Every error of the receiver with a text of its own; the first row that fits is used.
 * Numbers as 9.7.4 reports them: what the source answers comes as 13114 with "error 1236" in the text, settings as 13117,
 * refused commands as 13120.
 */
export const receiverErrors: readonly ErrorEntry[] = [
  {
    thread: "receiver",
    says: /purged required binary logs/i,
    code: "GTID_PURGED",
    what: "cannot continue, the source purged transactions that the replica has not received",
    fix: () =>
      "seed the replica again (`reseed` of the StagingDatabase), and raise binlog_expire_logs_seconds on the source above the longest time for which the channel may be stopped",
  },
  {
    thread: "receiver",
    says: /replica has more gtids than the source/i,
    code: "GTID_DIVERGED",
    what: "cannot continue, the replica has transactions of the source that the source itself no longer has",
    fix: () => "the source was restored to an older state: seed the replica again (`reseed` of the StagingDatabase)",
  },
  {
    thread: "receiver",
    says: /source server_id is 0/i,
    code: "SOURCE_SERVER_ID_ZERO",
    what: "cannot continue, the source's server_id is 0",
    fix: () => "on the source: SET PERSIST server_id = <a number that no other server of this replication has>",
  },
  {
    thread: "receiver",
    says: /same server_uuid|same server_id/i,
    code: "CHANNEL_SERVER_ID_EQUAL",
    what: "was disconnected by the source, another replica has the same server_id or server_uuid",
    fix: () =>
      "give each replica its own server_id (`serverId` of the StagingDatabase); SHOW REPLICAS on the source lists them",
  },
  {
    thread: "receiver",
    says: /first log file name|position > file size|truncated in the middle|impossible position|bogus data|not found in binary log index/i,
    code: "CHANNEL_SOURCE_LOG_MISSING",
    what: "cannot start, the source's binary logs do not have this file and position",
    fix: () =>
      "set `start` to the file and position that SHOW BINARY LOG STATUS gave at the time of the backup, or seed the replica again",
  },
  {
    thread: "receiver",
    says: /max_allowed_packet|log event entry exceeded/i,
    code: "CHANNEL_RECEIVER_FAILED",
    what: "cannot continue, a transaction of the source has an event larger than max_allowed_packet",
    fix: () => "raise max_allowed_packet on the source and replica_max_allowed_packet on the replica to 1G",
  },
  {
    thread: "receiver",
    says: /GTID_MODE|gtid_mode/,
    code: "CHANNEL_REPLICA_NOT_READY",
    what: "cannot continue, the gtid_mode of the source and that of the replica are incompatible",
    fix: () => "set gtid_mode to the same value on both servers, step by step: OFF, OFF_PERMISSIVE, ON_PERMISSIVE, ON",
  },
  {
    thread: "receiver",
    says: /equal MySQL server ids/i,
    code: "CHANNEL_SERVER_ID_EQUAL",
    what: "cannot run, source and replica have the same server_id",
    fix: () =>
      "give the replica another server_id: `serverId` of the StagingDatabase, or on the replica: SET PERSIST server_id = <number>",
  },
  {
    thread: "receiver",
    says: /equal MySQL server UUIDs/i,
    code: "CHANNEL_SERVER_UUID_EQUAL",
    what: "cannot run, source and replica have the same server_uuid",
    fix: () =>
      "the replica's data directory was copied together with auto.cnf: stop the replica, remove auto.cnf from its data directory, start it",
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
    what: "cannot log in, the source accepts this password only over an encrypted connection",
    fix: () => 'set source.tls to "required"',
  },
  {
    thread: "receiver",
    errnos: [1045, 1698, 1251, 1524, 2059, 1862, 1820, 3118, 3955],
    code: "SOURCE_LOGIN_REFUSED",
    what: ({ user }) => `cannot log in, the source refuses the user ${user}`,
    fix: () => "check source.user and source.password, and that the account's host part matches the replica's address",
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
    what: "cannot log in, the source accepts encrypted connections only",
    fix: () => 'set source.tls to "required"',
  },
  {
    thread: "receiver",
    errnos: [2026],
    code: "SOURCE_TLS_FAILED",
    what: "cannot open the TLS connection to the source as source.tls declares it",
    fix: () =>
      "check source.tls: the CA in `ca` must have signed the source's certificate; with verifyIdentity the certificate must name source.address (certificates that mysqld creates automatically do not)",
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
    what: "cannot connect, the source blocks the replica's address after too many failed connections (max_connect_errors)",
    fix: () => "on the source: TRUNCATE performance_schema.host_cache",
  },
  {
    thread: "receiver",
    errnos: [2002, 2003, 2005, 2006, 2012, 2013, 1053],
    code: "SOURCE_UNREACHABLE",
    what: ({ source }) => `cannot reach the source: the replica's mysqld cannot connect to ${source}`,
    fix: () =>
      "check name, port and firewall from the replica's machine; a name may resolve differently for mysqld's unit than for a login",
    passes: true,
  },
  {
    thread: "receiver",
    errnos: [1593, 1594, 1595, 13118, 13121, 13122],
    code: "CHANNEL_RECEIVER_FAILED",
    what: "stopped receiving, the relay log cannot be written or read",
    fix: () =>
      "check free space and disk of the replica, then run `pulumi up` again: the receiver fetches the relay log again",
    passes: true,
  },
];

const grantFollow = (user: string): string =>
  `on the source: GRANT ${replicationPrivileges.follow} ON *.* TO '${user}'@'<its host>'`;
