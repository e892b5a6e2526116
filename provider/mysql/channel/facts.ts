import { createHash } from "node:crypto";
import { numberIn, numberOrNullIn, textIn } from "../cells";
import { has, type ServerFacts } from "../capabilities";
import { parseGtidSet, type GtidSet } from "../gtid";
import type { MysqlReader, Row } from "../reader";
import { sql, type Statement } from "../sql";
import { anonymousTransaction, channelMetadata, modernRow, showReplicaStatus, variableName } from "../terms";
import { withTable, type ErrorTable } from "./errors/table";
import { parseRules, type FilterRules } from "./filters";

/** The server that rows flow into. */
export interface ReplicaFacts {
  readonly server: ServerFacts;
  readonly uuid: string;
  readonly serverId: number;
  readonly gtidMode: string;
  readonly executed: GtidSet;
  readonly isReadOnly: boolean;
  /** super_read_only: no session writes before it is lifted. */
  readonly isSealed: boolean;
  readonly binlogFormat: string;
  readonly dataDirectory: string;
  /** replica_parallel_workers: what an applier is started with. */
  readonly workers: number;
  readonly otherChannels: readonly OtherChannel[];
}

/** Another channel of the same replica. */
export interface OtherChannel {
  readonly channel: string;
  /** Empty until its receiver has connected once. */
  readonly sourceUuid: string;
  readonly address: string;
  readonly port: number;
}

/** A channel as it is set; true until a session changes it. */
export interface ChannelFacts {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly passwordHash: string;
  readonly autoPosition: boolean;
  readonly tls: TlsFacts;
  readonly connectRetrySeconds: number;
  readonly retryCount: number;
  readonly heartbeatSeconds: number;
  readonly delaySeconds: number;
  readonly rules: FilterRules;
  /** Threads of a running applier; null while it is stopped. */
  readonly workers: number | null;
  readonly sourceUuid: string;
  /** Of the GTIDs that the channel gives to transactions without; null if it gives none, or the replica's own. */
  readonly assignedUuid: string | null;
  readonly receiver: ReceiverFacts;
  readonly applier: ApplierFacts;
}

export interface TlsFacts {
  readonly isOn: boolean;
  readonly caPath: string;
  readonly certPath: string;
  readonly keyPath: string;
  readonly verifiesIdentity: boolean;
  /** Asks the source for the key that encrypts the password, where TLS does not. */
  readonly asksPublicKey: boolean;
}

/** An error as a replication thread reports it. */
export interface ThreadError {
  readonly errno: number;
  readonly message: string;
  /**
   * The GTID of the transaction the applier is in; ANONYMOUS where the source gave it none: a number that the replica assigned
   * goes to the next transaction when this one is skipped. Empty for the receiver, and if nothing is being applied.
   */
  readonly transaction: string;
  /** The table that an error about a row names. Absent if it names none, or the replica does not have it. */
  readonly table?: ErrorTable;
}

export interface ReceiverFacts {
  readonly state: "running" | "connecting" | "stopped";
  readonly error: ThreadError | null;
  readonly received: GtidSet;
}

export interface ApplierFacts {
  readonly state: "running" | "stopped";
  readonly error: ThreadError | null;
  /** Seconds until the next transaction is due by `delaySeconds`; null if none waits. */
  readonly remainingDelaySeconds: number | null;
  readonly lagSeconds: number | null;
  /** Source's log up to here is applied. */
  readonly file: string;
  readonly position: string;
}

// The statements below name no channel: a reader of several channels of one server asks each of them once
// (provider/readers.ts). A server has few channels, so asking for one alone costs the same.

const ofChannel = (row: Row, channel: string): boolean =>
  textIn(row, "channel").toLowerCase() === channel.toLowerCase();

export async function readReplica(mysql: MysqlReader, channel: string): Promise<ReplicaFacts> {
  const workers = sql`(SELECT VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME = ${variableName(mysql.server, "replica_parallel_workers")})`;
  const [row, others] = await Promise.all([
    mysql.queryRow(
      sql`SELECT @@GLOBAL.server_uuid AS uuid, @@GLOBAL.server_id AS serverId, @@GLOBAL.gtid_mode AS gtidMode,
        @@GLOBAL.binlog_format AS binlogFormat, @@GLOBAL.read_only AS isReadOnly,
        @@GLOBAL.super_read_only AS isSealed, @@GLOBAL.gtid_executed AS executed, @@GLOBAL.datadir AS dataDirectory, ${workers} AS workers`,
    ),
    mysql.query(
      sql`SELECT channel_name AS channel, s.source_uuid AS sourceUuid, c.host AS address, c.port AS port
        FROM performance_schema.replication_connection_status s
        JOIN performance_schema.replication_connection_configuration c USING (channel_name)`,
    ),
  ]);
  return {
    server: mysql.server,
    uuid: textIn(row, "uuid"),
    serverId: numberIn(row, "serverId"),
    gtidMode: textIn(row, "gtidMode"),
    executed: parseGtidSet(textIn(row, "executed")),
    isReadOnly: numberIn(row, "isReadOnly") === 1,
    isSealed: numberIn(row, "isSealed") === 1,
    binlogFormat: textIn(row, "binlogFormat"),
    dataDirectory: textIn(row, "dataDirectory"),
    workers: numberIn(row, "workers"),
    otherChannels: others
      .filter((row) => !ofChannel(row, channel))
      .map((other) => ({
        channel: textIn(other, "channel"),
        sourceUuid: textIn(other, "sourceUuid"),
        address: textIn(other, "address"),
        port: numberIn(other, "port"),
      })),
  };
}

/** The channel, or null if there is none of this name. */
export async function readChannel(mysql: MysqlReader, channel: string): Promise<ChannelFacts | null> {
  const [all, filters, workers, errors, statuses] = await Promise.all([
    mysql.query(
      sql`SELECT c.channel_name AS channel, c.host AS address, c.port AS port, c.user AS user, c.auto_position AS autoPosition, c.ssl_allowed AS tlsOn,
        c.ssl_ca_file AS caPath, c.ssl_certificate AS certPath, c.ssl_key AS keyPath,
        c.ssl_verify_server_certificate AS verifies, c.get_public_key AS publicKey,
        c.connection_retry_interval AS connectRetry, c.connection_retry_count AS retryCount,
        c.heartbeat_interval AS heartbeat, a.desired_delay AS delay, SHA2(m.User_password, 256) AS passwordHash,
        s.source_uuid AS sourceUuid, ${assignedUuidOf(mysql.server)} AS assignedUuid, s.service_state AS receiver, s.last_error_number AS errno,
        s.last_error_message AS message, s.received_transaction_set AS received, t.service_state AS applier
        FROM performance_schema.replication_connection_configuration c
        JOIN performance_schema.replication_applier_configuration a USING (channel_name)
        JOIN performance_schema.replication_connection_status s USING (channel_name)
        JOIN performance_schema.replication_applier_status t USING (channel_name)
        LEFT JOIN ${channelMetadata} m ON m.Channel_name = c.channel_name`,
    ),
    mysql.query<{ channel: string; name: string; rule: string }>(
      sql`SELECT channel_name AS channel, filter_name AS name, filter_rule AS rule
        FROM performance_schema.replication_applier_filters`,
    ),
    mysql.query<{ channel: string; running: number }>(
      sql`SELECT channel_name AS channel, COUNT(*) AS running FROM performance_schema.replication_applier_status_by_worker
        WHERE service_state = 'ON' GROUP BY channel_name`,
    ),
    mysql.query(
      sql`SELECT channel_name AS channel, last_error_number AS errno, last_error_message AS message,
        applying_transaction AS transaction
        FROM performance_schema.replication_applier_status_by_worker WHERE last_error_number <> 0
        UNION ALL SELECT channel_name, last_error_number, last_error_message, processing_transaction
        FROM performance_schema.replication_applier_status_by_coordinator WHERE last_error_number <> 0`,
    ),
    mysql.query(showReplicaStatus(mysql.server)),
  ]);
  const ours = (row: Row) => ofChannel(row, channel);
  const settings = all.find(ours);
  if (settings === undefined) return null;
  const status = statuses
    .map((row) => modernRow(row))
    .find((row) => textIn(row, "Channel_Name").toLowerCase() === channel.toLowerCase());
  const isApplying = textIn(settings, "applier") === "ON";
  const assignedUuid = textIn(settings, "assignedUuid") || null;
  return {
    address: textIn(settings, "address"),
    port: numberIn(settings, "port"),
    user: textIn(settings, "user"),
    passwordHash: textIn(settings, "passwordHash"),
    autoPosition: textIn(settings, "autoPosition") === "1",
    tls: {
      isOn: textIn(settings, "tlsOn") === "YES",
      caPath: textIn(settings, "caPath"),
      certPath: textIn(settings, "certPath"),
      keyPath: textIn(settings, "keyPath"),
      verifiesIdentity: textIn(settings, "verifies") === "YES",
      asksPublicKey: textIn(settings, "publicKey") === "YES",
    },
    connectRetrySeconds: numberIn(settings, "connectRetry"),
    retryCount: numberIn(settings, "retryCount"),
    heartbeatSeconds: numberIn(settings, "heartbeat"),
    delaySeconds: numberIn(settings, "delay"),
    rules: parseRules(filters.filter(ours)),
    // A single-threaded applier (replica_parallel_workers = 0) has no worker.
    workers: isApplying ? (workers.find(ours)?.running ?? null) : null,
    sourceUuid: textIn(settings, "sourceUuid"),
    assignedUuid,
    receiver: {
      state: receiverStates[textIn(settings, "receiver")] ?? "stopped",
      error: threadError(settings),
      received: parseGtidSet(textIn(settings, "received")),
    },
    applier: {
      state: isApplying ? "running" : "stopped",
      error: isApplying ? null : await withTable(mysql, threadError(errors.find(ours), assignedUuid)),
      remainingDelaySeconds: numberOrNullIn(status, "SQL_Remaining_Delay"),
      lagSeconds: numberOrNullIn(status, "Seconds_Behind_Source"),
      file: textIn(status, "Relay_Source_Log_File"),
      position: textIn(status, "Exec_Source_Log_Pos"),
    },
  };
}

/** How the server would print a password's hash, so that it is compared without being sent. */
export const hashPassword = (password: string): string => createHash("sha256").update(password).digest("hex");

const receiverStates: Readonly<Record<string, ReceiverFacts["state"]>> = {
  ON: "running",
  CONNECTING: "connecting",
  OFF: "stopped",
};

const assignedUuidOf = (server: ServerFacts): Statement =>
  has(server, "assignGtidsToAnonymous")
    ? sql`IF(a.assign_gtids_to_anonymous_transactions_type = 'UUID', a.assign_gtids_to_anonymous_transactions_value, '')`
    : sql`''`;

function threadError(row: Row | undefined, assignedUuid: string | null = null): ThreadError | null {
  const errno = numberIn(row, "errno");
  if (errno === 0) return null;
  const transaction = textIn(row, "transaction");
  const isAssigned = assignedUuid !== null && transaction.startsWith(assignedUuid);
  return { errno, message: textIn(row, "message"), transaction: isAssigned ? anonymousTransaction : transaction };
}
