/** Who made the server, and which version it is: all that the tables of this folder use. */
export interface ServerFacts {
  readonly flavour: Flavour;
  /** As in `SELECT VERSION()`: "9.7.0", "8.0.36-28", "10.11.6-MariaDB-1". */
  readonly version: string;
}

export type Flavour = "mysql" | "percona" | "mariadb";

/** Since and until (the first version that no longer has it). Percona Server follows MySQL unless it has its own line. */
interface Availability {
  readonly mysql?: Range;
  readonly percona?: Range;
  readonly mariadb?: Range;
  readonly words: string;
}

interface Range {
  readonly since: string;
  readonly until?: string;
}

const always: Range = { since: "0" };

/** Sources: release notes of the versions named, and MariaDB's knowledge base. The docs page is made from this table. */
const table = {
  gtidSets: { mysql: { since: "5.6.5" }, words: "GTIDs as uuid:interval sets" },
  gtidTags: { mysql: { since: "8.3.0" }, words: "GTIDs with tags (uuid:tag:interval)" },
  gtidPurgedWhileExecuted: { mysql: { since: "8.0.1" }, words: "SET GLOBAL gtid_purged with transactions executed" },
  gtidOnlyChannels: { mysql: { since: "8.0.27" }, words: "CHANGE REPLICATION SOURCE ... GTID_ONLY" },
  assignGtidsToAnonymous: { mysql: { since: "8.0.23" }, words: "ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS" },
  channels: { mysql: { since: "5.7.6" }, words: "several replication channels, FOR CHANNEL 'name'" },
  channelFilters: { mysql: { since: "8.0.1" }, words: "replication filters of one channel" },
  replicaTerms: { mysql: { since: "8.0.22" }, mariadb: { since: "10.5.1" }, words: "START/STOP/SHOW REPLICA" },
  changeReplicationSource: { mysql: { since: "8.0.23" }, words: "CHANGE REPLICATION SOURCE TO" },
  sourceTermsInVariables: {
    mysql: { since: "8.0.26" },
    words: "replica_*, log_replica_updates, rpl_semi_sync_source_*",
  },
  masterTerms: {
    mysql: { since: "0", until: "8.4.0" },
    mariadb: always,
    words: "CHANGE MASTER TO, SHOW MASTER STATUS",
  },
  showBinaryLogStatus: { mysql: { since: "8.2.0" }, words: "SHOW BINARY LOG STATUS" },
  resetBinaryLogsAndGtids: { mysql: { since: "8.2.0" }, words: "RESET BINARY LOGS AND GTIDS" },
  getSourcePublicKey: { mysql: { since: "8.0.4" }, words: "GET_SOURCE_PUBLIC_KEY" },
  requireRowFormat: { mysql: { since: "8.0.19" }, words: "REQUIRE_ROW_FORMAT" },
  privilegeChecksUser: { mysql: { since: "8.0.18" }, words: "PRIVILEGE_CHECKS_USER" },
  requireTablePrimaryKeyCheck: { mysql: { since: "8.0.20" }, words: "REQUIRE_TABLE_PRIMARY_KEY_CHECK" },
  sourceConnectionAutoFailover: { mysql: { since: "8.0.22" }, words: "SOURCE_CONNECTION_AUTO_FAILOVER" },
  tlsCiphersuitesOfChannels: { mysql: { since: "8.0.19" }, words: "SOURCE_TLS_CIPHERSUITES" },
  compressionOfChannels: { mysql: { since: "8.0.18" }, words: "SOURCE_COMPRESSION_ALGORITHMS" },
  retryCountTen: { mysql: { since: "8.1.0" }, words: "a SOURCE_RETRY_COUNT of 10 by default, 86400 before" },
  heartbeatMilliseconds: { mysql: { since: "5.6.0" }, mariadb: always, words: "heartbeats with milliseconds" },
  clonePlugin: { mysql: { since: "8.0.17" }, words: "CLONE INSTANCE" },
  cloneStartsAfterSeconds: { mysql: { since: "8.0.27" }, words: "clone_delay_after_data_drop" },
  restartStatement: { mysql: { since: "8.0.4" }, words: "RESTART" },
  superReadOnly: { mysql: { since: "5.7.8" }, words: "super_read_only" },
  persistedVariables: { mysql: { since: "8.0.0" }, words: "SET PERSIST" },
  variablesInfo: { mysql: { since: "8.0.0" }, words: "performance_schema.variables_info" },
  authSocket: { mysql: { since: "5.5.10" }, words: "the plugin auth_socket" },
  unixSocket: { mariadb: { since: "10.4.0" }, words: "the plugin unix_socket, on from the start" },
  cachingSha2: { mysql: { since: "8.0.3" }, words: "caching_sha2_password" },
  nativePassword: { mysql: { since: "0", until: "9.0.0" }, mariadb: always, words: "mysql_native_password" },
  nativePasswordOn: {
    mysql: { since: "0", until: "8.4.0" },
    mariadb: always,
    words: "mysql_native_password without a setting",
  },
  md5Function: {
    mysql: { since: "0", until: "9.6.0" },
    mariadb: always,
    words: "MD5() and SHA1() without a component",
  },
  dynamicPrivileges: { mysql: { since: "8.0.0" }, words: "REPLICATION_SLAVE_ADMIN, CLONE_ADMIN, ..." },
  showRoutine: { mysql: { since: "8.0.20" }, words: "the privilege SHOW_ROUTINE" },
  viewUsage: { mysql: { since: "8.0.13" }, words: "information_schema.VIEW_TABLE_USAGE, VIEW_ROUTINE_USAGE" },
  roles: { mysql: { since: "8.0.0" }, mariadb: { since: "10.0.5" }, words: "roles" },
  binlogOnByDefault: { mysql: { since: "8.0.0" }, words: "a binary log unless it is switched off" },
  binlogExpireSeconds: { mysql: { since: "8.0.1" }, mariadb: { since: "10.6.1" }, words: "binlog_expire_logs_seconds" },
  initializeOption: { mysql: { since: "5.7.6" }, words: "mysqld --initialize" },
  validateConfigOption: { mysql: { since: "8.0.16" }, words: "mysqld --validate-config" },
  systemdNotify: { mysql: { since: "5.7.6" }, mariadb: { since: "10.1.8" }, words: "Type=notify" },
  mysqlxPlugin: { mysql: { since: "8.0.11" }, words: "the X plugin, on from the start" },
  adminAddress: { mysql: { since: "8.0.14" }, words: "admin_address" },
  lockInstanceForBackup: { mysql: { since: "8.0.0" }, words: "LOCK INSTANCE FOR BACKUP" },
  logStatus: { mysql: { since: "8.0.11" }, words: "performance_schema.log_status" },
  redoLogCapacity: { mysql: { since: "8.0.30" }, words: "innodb_redo_log_capacity" },
  disableRedoLog: { mysql: { since: "8.0.21" }, words: "ALTER INSTANCE DISABLE INNODB REDO_LOG" },
} as const satisfies Record<string, Availability>;

export type Feature = keyof typeof table;

/** Whether servers of this flavour and version have it. Plugins that must be loaded, or may be off, are asked by name. */
export function has(server: ServerFacts, feature: Feature): boolean {
  const availability: Availability = table[feature];
  const range =
    server.flavour === "percona" ? (availability.percona ?? availability.mysql) : availability[server.flavour];
  if (range === undefined) return false;
  if (compareVersions(server.version, range.since) < 0) return false;
  return range.until === undefined || compareVersions(server.version, range.until) < 0;
}

/** What a replica must have, and what a managed server must have: the oldest supported version follows from it. */
const needed = {
  replica: ["channelFilters", "replicaTerms", "changeReplicationSource", "assignGtidsToAnonymous"],
  managed: ["initializeOption", "validateConfigOption", "variablesInfo", "disableRedoLog", "changeReplicationSource"],
} as const satisfies Record<string, readonly Feature[]>;

/** MySQL and Percona Server; errors, schemas and documents say these versions and no others. */
export const oldestVersions: Readonly<Record<keyof typeof needed, string>> = {
  replica: newestOf(needed.replica),
  managed: newestOf(needed.managed),
};

function newestOf(features: readonly Feature[]): string {
  const versions = features.map((feature) => (table[feature] as Availability).mysql?.since ?? "0");
  return versions.reduce((one, other) => (compareVersions(one, other) >= 0 ? one : other));
}

/** What the documentation prints: one row a feature. */
export const featureTable: readonly (Availability & { readonly feature: string })[] = Object.entries(table).map(
  ([feature, availability]) => ({ feature, ...availability }),
);

/** From the handshake or VERSION(), and `@@version_comment` where the version does not say it. */
export function parseServerFacts(version: string, comment = ""): ServerFacts {
  if (/mariadb/i.test(version)) {
    // Replicas older than MySQL 5.7 broke on a two-digit major version: MariaDB says "5.5.5-" first, in the handshake.
    return { flavour: "mariadb", version: version.replace(/^5\.5\.5-(?=1\d\.)/, "") };
  }
  return { flavour: /percona/i.test(comment) ? "percona" : "mysql", version };
}

/** Below 0, 0 or above 0. Only the three numbers count: "8.0.36-28" is 8.0.36. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [numbersOf(one), numbersOf(other)];
  for (const [index, number] of left.entries()) {
    const difference = number - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** "8.0", "8.4", "9.7": what option files call it (`[mysqld-9.7]`) and what CLONE looks at. */
export const seriesOf = (version: string): string => numbersOf(version).slice(0, 2).join(".");

function numbersOf(version: string): readonly [number, number, number] {
  const match = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0), Number(match?.[3] ?? 0)];
}

/**
 * Why CLONE from donor to recipient is refused (error 3864), or undefined if it is not.
 * Since 8.0.37 servers of one series clone each other; before, only equal versions.
 */
export function cloneRefusal(donor: ServerFacts, recipient: ServerFacts): string | undefined {
  const said = `donor ${donor.version}, recipient ${recipient.version}`;
  for (const server of [donor, recipient]) {
    if (!has(server, "clonePlugin")) return `${server.flavour} ${server.version} has no CLONE`;
  }
  if (compareVersions(donor.version, recipient.version) === 0) return undefined;
  if (seriesOf(donor.version) !== seriesOf(recipient.version)) return `CLONE needs servers of one series: ${said}`;
  const within = [donor, recipient].every(({ version }) => compareVersions(version, "8.0.37") >= 0);
  return within ? undefined : `CLONE between 8.0 servers before 8.0.37 needs equal versions: ${said}`;
}

/** Why a replica of this version cannot follow that source, or undefined. */
export function replicationRefusal(source: ServerFacts, replica: ServerFacts): string | undefined {
  if ((source.flavour === "mariadb") !== (replica.flavour === "mariadb")) {
    return `a ${replica.flavour} ${replica.version} replica does not understand the GTIDs of ${source.flavour} ${source.version}`;
  }
  if (compareVersions(seriesOf(replica.version), seriesOf(source.version)) < 0) {
    return `a replica must not be older than its source: source ${source.version}, replica ${replica.version}`;
  }
  return undefined;
}
