import { compareVersions, oldestVersions, replicationRefusal } from "../../capabilities";
import {
  followNeeds,
  missingPrivileges,
  observeNeeds,
  parseAccount,
  parseGrants,
  renderGrants,
} from "../../privileges/privileges";
import { requireFile } from "./file";
import { requireGtids } from "./gtid";
import { renderEndpoint } from "../../../endpoint";
import { refuse, type Situation } from "../situation";
import { resetReplicaAll, stopReplica } from "../../terms";

/** The requirements, in the order of the reference page; one error at a time, the first to repair. */
export function requireReady(situation: Situation): void {
  requireVersions(situation);
  requireSourceLogs(situation);
  requireDistinct(situation);
  requireOnlyChannel(situation);
  requirePrivileges(situation);
  if (situation.position.by === "gtid") requireGtids(situation);
  else requireFile(situation, situation.position);
  requireRows(situation);
}

function requireVersions(situation: Situation): void {
  const { replica, source, names } = situation;
  if (replica.server.flavour === "mariadb" || compareVersions(replica.server.version, oldestVersions.replica) < 0)
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: "cannot run, the replica's version is not supported",
      found: `${replica.server.flavour} ${replica.server.version}`,
      needs: `MySQL or Percona Server, ${oldestVersions.replica} or newer`,
      fix: "upgrade the replica",
    });
  const refusal = replicationRefusal(source.server, replica.server);
  if (refusal !== undefined)
    refuse(situation, "SOURCE_NOT_SUPPORTED", {
      what: `cannot follow ${names.source}, ${refusal}`,
      found: `source ${source.server.flavour} ${source.server.version}, replica ${replica.server.flavour} ${replica.server.version}`,
      needs: "MySQL or Percona Server on both, and a replica at least as new as its source",
      fix: "upgrade the replica: `baseDirectory` of the StagingDatabase names another MySQL",
    });
}

function requireSourceLogs(situation: Situation): void {
  const { source, names, replica } = situation;
  if (!source.logsBinary)
    refuse(situation, "SOURCE_BINLOG_OFF", {
      what: `cannot follow ${names.source}, the source writes no binary log`,
      found: "log_bin = OFF",
      needs: "log_bin = ON",
      fix: "in the source's option file: log_bin = binlog (and no skip_log_bin), then restart it",
    });
  if (source.serverId === 0)
    refuse(situation, "SOURCE_SERVER_ID_ZERO", {
      what: `cannot follow ${names.source}, the source's server_id is 0`,
      found: "server_id = 0",
      needs: "a number that no other server of this replication has",
      fix: "on the source: SET PERSIST server_id = <number>",
    });
  if (replica.serverId === 0)
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: "cannot run, the replica's server_id is 0",
      found: "server_id = 0",
      needs: "a number that no other server of this replication has",
      fix: "set `serverId` of the StagingDatabase, or on the replica: SET PERSIST server_id = <number>",
    });
}

function requireDistinct(situation: Situation): void {
  const { source, names, replica } = situation;
  if (source.uuid === replica.uuid)
    refuse(situation, "CHANNEL_SERVER_UUID_EQUAL", {
      what: `cannot follow ${names.source}, source and replica have the same server_uuid`,
      found: `server_uuid ${source.uuid} on both`,
      needs: "two servers, each with its own server_uuid",
      fix: "if they are two servers, the replica's data directory was copied together with auto.cnf: stop the replica, remove auto.cnf from its data directory, start it",
    });
  if (source.serverId === replica.serverId)
    refuse(situation, "CHANNEL_SERVER_ID_EQUAL", {
      what: `cannot follow ${names.source}, source and replica have the same server_id`,
      found: `server_id ${String(source.serverId)} on both`,
      needs: "a different server_id for each server",
      fix: "set `serverId` of the StagingDatabase to another number, or on the replica: SET PERSIST server_id = <number>",
    });
}

/** A source ends the connection of a replica when the same server connects a second time. */
function requireOnlyChannel(situation: Situation): void {
  const { source, names, replica } = situation;
  const other = replica.otherChannels.find(({ sourceUuid, address, port }) =>
    sourceUuid === "" ? renderEndpoint({ address, port }) === names.source : sourceUuid === source.uuid,
  );
  if (other === undefined) return;
  const name = other.channel === "" ? "the channel without a name" : `channel ${other.channel}`;
  const at = `from ${renderEndpoint(other)}`;
  refuse(situation, "CHANNEL_SOURCE_TAKEN", {
    what: `cannot follow ${names.source}, this server already follows ${names.source} through ${name}`,
    found: `${name} ${at}, ${other.sourceUuid === "" ? "which has not connected yet" : `server_uuid ${other.sourceUuid}`}`,
    needs: "one channel from one source into one server",
    fix: `widen the filters of ${name} instead of adding a channel. If ${name} is no longer needed, remove it first: its resource from the program, or on the replica: ${stopReplica(replica.server, other.channel).display}; ${resetReplicaAll(replica.server, other.channel).display}`,
  });
}

function requirePrivileges(situation: Situation): void {
  const { source, names, position } = situation;
  // By GTID the end of the source's binary log need not be known.
  const needs = position.by === "gtid" ? followNeeds() : [...followNeeds(), ...observeNeeds()];
  const missing = missingPrivileges(parseGrants(source.grants), needs);
  if (missing.length === 0) return;
  const account = parseAccount(source.account);
  refuse(situation, "SERVER_PRIVILEGE_MISSING", {
    what: `cannot follow ${names.source}, ${source.account} lacks ${missing.map(({ privilege }) => privilege).join(", ")}`,
    found: source.grants.join("\n"),
    needs: missing.map(({ privilege, why }) => `${privilege}, to ${why}`).join("\n"),
    fix: renderGrants(missing, account)
      .map((statement) => `on the source: ${statement.display}`)
      .join("\n"),
  });
}

/** Statements instead of rows are filtered by their default database, and may change other rows than on the source. */
function requireRows(situation: Situation): void {
  const { source, names, hasFilters } = situation;
  if (source.binlogFormat === "ROW" || !hasFilters) return;
  refuse(situation, "SOURCE_BINLOG_FORMAT", {
    what: `cannot filter changes of ${names.source}, the source has binlog_format=${source.binlogFormat}`,
    found: `binlog_format = ${source.binlogFormat}`,
    needs: "binlog_format = ROW",
    fix: "on the source: SET PERSIST binlog_format = 'ROW' (open sessions keep the old value); or declare no filters, and bring all databases and accounts",
  });
}
