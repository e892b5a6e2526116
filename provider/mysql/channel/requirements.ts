import type { Code } from "../../error-codes";
import { SluiceError, type Problem } from "../../errors";
import { compareVersions, has, replicationRefusal } from "../capabilities";
import {
  countGtids,
  isEmptyGtidSet,
  parseGtidSet,
  renderGtidSet,
  subtractGtidSet,
  uniteGtidSets,
  type GtidSet,
} from "../gtid";
import { followNeeds, missingPrivileges, observeNeeds, parseAccount, parseGrants, renderGrants } from "../privileges";
import type { ChannelNames } from "./errors";
import type { ChannelFacts, ReplicaFacts, SourceFacts } from "./facts";
import { assignedUuid, assignsGtids, sayPosition, type Position } from "./settings";

/** Both ends of a channel, as they are now, and where the receiver is to begin or go on. */
export interface Situation {
  readonly names: ChannelNames;
  readonly replica: ReplicaFacts;
  readonly source: SourceFacts;
  /** Null before the channel is made. */
  readonly channel: ChannelFacts | null;
  /** True where relay logs are thrown away: what is received and not applied must be fetched again. */
  readonly points: boolean;
  readonly position: Position;
  /** True where the mark says something about the place of an earlier channel of this name: `position` is chosen by it. */
  readonly hasTrace: boolean;
  /** What the seed held; null where nothing is said. */
  readonly seedGtids: string | null;
  readonly hasFilters: boolean;
}

const oldestReplica = "8.0.22"; // first with the words REPLICA and SOURCE in statements and columns

/** Refuses what cannot work, in the order of the reference page; one error at a time, the one to repair first. */
export function requireReady(situation: Situation): void {
  requireVersions(situation);
  requireSourceLogs(situation);
  requireDistinct(situation);
  requirePrivileges(situation);
  if (situation.position.by === "gtid") requireGtids(situation);
  else requireFile(situation, situation.position);
  requireRows(situation);
}

const refuse = ({ names }: Situation, code: Code, problem: Omit<Problem, "code" | "object">): never => {
  throw new SluiceError({ code, object: names.object, ...problem });
};

function requireVersions(situation: Situation): void {
  const { replica, source, names } = situation;
  if (replica.server.flavour === "mariadb" || compareVersions(replica.server.version, oldestReplica) < 0)
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: "cannot run, the replica's version is not supported",
      found: `${replica.server.flavour} ${replica.server.version}`,
      needs: `MySQL or Percona Server, ${oldestReplica} or newer`,
      fix: "upgrade the replica",
    });
  const refusal = replicationRefusal(source.server, replica.server);
  if (refusal !== undefined)
    refuse(situation, "SOURCE_NOT_SUPPORTED", {
      what: `cannot follow ${names.source}, ${refusal}`,
      found: `source ${source.server.flavour} ${source.server.version}, replica ${replica.server.flavour} ${replica.server.version}`,
      needs: "a replica of the same kind, as new as its source or newer",
      fix: "upgrade the replica: `baseDirectory` of the StagingDatabase names another MySQL",
    });
}

function requireSourceLogs(situation: Situation): void {
  const { source, names, replica } = situation;
  if (!source.logsBinary)
    refuse(situation, "SOURCE_BINLOG_OFF", {
      what: `cannot follow ${names.source}, it writes no binary log`,
      found: "log_bin = OFF",
      needs: "log_bin = ON",
      fix: "in the source's option file: log_bin = binlog (and no skip_log_bin), then restart it",
    });
  if (source.serverId === 0)
    refuse(situation, "SOURCE_SERVER_ID_ZERO", {
      what: `cannot follow ${names.source}, its server_id is 0`,
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
      what: `cannot follow ${names.source}, source and replica have the same server uuid`,
      found: `server_uuid ${source.uuid} on both`,
      needs: "two servers, each with a uuid of its own",
      fix: "if they are two servers, the replica is a copy that kept its identity: stop it, remove auto.cnf from its data directory, start it",
    });
  if (source.serverId === replica.serverId)
    refuse(situation, "CHANNEL_SERVER_ID_EQUAL", {
      what: `cannot follow ${names.source}, source and replica have the same server id`,
      found: `server_id ${String(source.serverId)} on both`,
      needs: "a server id of its own for each",
      fix: "set `serverId` of the StagingDatabase to another number, or on the replica: SET PERSIST server_id = <number>",
    });
}

function requirePrivileges(situation: Situation): void {
  const { source, names, position } = situation;
  // By GTID one need not know where the source's log ends.
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

function requireGtids(situation: Situation): void {
  const { source, replica, names, seedGtids } = situation;
  if (source.gtidMode !== "ON" && source.gtidMode !== "ON_PERMISSIVE")
    refuse(situation, "SOURCE_GTID_OFF", {
      what: `cannot find its place by GTID, ${names.source} writes none`,
      found: `gtid_mode = ${source.gtidMode} on the source`,
      needs: "gtid_mode = ON on the source, or a place to begin",
      fix: "set start: { file, position } to where the replica's data was taken (`seedPosition` of a StagingDatabase has it), or turn GTIDs on at the source",
    });
  if (replica.gtidMode !== "ON" && replica.gtidMode !== "ON_PERMISSIVE")
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: "cannot find its place by GTID, the replica has GTIDs turned off",
      found: `gtid_mode = ${replica.gtidMode} on the replica`,
      needs: "gtid_mode = ON on the replica",
      fix: "on the replica: enforce_gtid_consistency = ON and gtid_mode = ON in its option file (one restart)",
    });
  const lost = seedGtids === null ? undefined : subtractGtidSet(parseGtidSet(seedGtids), replica.executed);
  if (lost !== undefined && !isEmptyGtidSet(lost))
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: "cannot begin behind the seed, the replica has not executed what start.gtidSet says",
      found: `not executed on the replica: ${sayGtids(lost)}`,
      needs: "gtid_executed of the replica holds start.gtidSet",
      fix: "seed the replica again (`reseed` of the StagingDatabase), or set start to what its data really holds",
    });
  requireNotPurged(situation);
  requireNotDiverged(situation);
}

/** What was received and is kept need not be fetched again. */
const heldBy = ({ replica, channel, points }: Situation): GtidSet =>
  channel === null || points ? replica.executed : uniteGtidSets(replica.executed, channel.receiver.received);

function requireNotPurged(situation: Situation): void {
  const { source, replica, names } = situation;
  const missing = subtractGtidSet(source.purged, heldBy(situation));
  if (isEmptyGtidSet(missing)) return;
  refuse(situation, "GTID_PURGED", {
    what: `cannot follow ${names.source}, it purged transactions that the replica has not executed (error 1236)`,
    found: `purged there, not executed here: ${sayGtids(missing)}\nexecuted here: ${sayGtids(replica.executed)}`,
    needs: `gtid_executed of the replica holds gtid_purged of the source: ${sayGtids(source.purged)}`,
    fix: "seed the replica from this source (a StagingDatabase with `source`; `reseed` does it again), and keep binary logs on the source for longer: SET PERSIST binlog_expire_logs_seconds = <seconds>",
  });
}

/**
 * Transactions of other channels' sources are no divergence: they came with the seed, or are known by a server uuid that
 * this source has never heard of, and which is not the replica's own.
 */
function requireNotDiverged(situation: Situation): void {
  const { source, replica, names } = situation;
  const errant = errantGtids(situation);
  if (isEmptyGtidSet(errant)) return;
  const writers = [...new Set([...errant.intervals.keys()].map(uuidOf))];
  const small = countGtids(errant) <= 5n; // as many statements as one still types by hand
  refuse(situation, "GTID_DIVERGED", {
    what: `cannot follow ${names.source}, the replica executed transactions that it never had`,
    found: [
      `executed here, not there: ${sayGtids(errant)}`,
      ...writers.map((uuid) => `written by ${uuid}, ${writerOf(uuid, source, replica)}`),
    ].join("\n"),
    needs: "gtid_executed of the source holds what the replica executed",
    fix:
      "seed the replica again (`reseed` of the StagingDatabase)" +
      (small
        ? `; or, if these changes do no harm, on the source for each of them: SET GTID_NEXT = '<uuid:number>'; BEGIN; COMMIT; SET GTID_NEXT = 'AUTOMATIC'`
        : ""),
  });
}

function errantGtids({ source, replica, points, names, seedGtids }: Situation): GtidSet {
  const extra = subtractGtidSet(replica.executed, source.executed);
  const later = subtractGtidSet(extra, parseGtidSet(seedGtids ?? "")); // what came with the seed may be of other sources
  const known = new Set([...source.executed.intervals.keys()].map(uuidOf));
  const assigned = [names.channel, ...replica.otherChannels.map(({ channel }) => channel)].map(assignedUuid);
  const hasOthers = replica.otherChannels.length > 0;
  const counts = (uuid: string): boolean => {
    if (!points || assigned.includes(uuid)) return false;
    return uuid === replica.uuid || known.has(uuid) || !hasOthers;
  };
  // Error 1236 from the source itself, seeded or not.
  const lost = [...extra.intervals].filter(([key]) => uuidOf(key) === source.uuid);
  const strange = [...later.intervals].filter(([key]) => uuidOf(key) !== source.uuid && counts(uuidOf(key)));
  return { intervals: new Map([...lost, ...strange]) };
}

/** The writer of a GTID, without its tag. */
const uuidOf = (key: string): string => key.split(":")[0] ?? key;

function writerOf(uuid: string, source: SourceFacts, replica: ReplicaFacts): string {
  if (uuid === replica.uuid) return "the replica itself: somebody wrote on it";
  if (uuid === source.uuid) return "the source, which has lost them: it was set back to an older state";
  const channel = replica.otherChannels.find(({ sourceUuid }) => sourceUuid === uuid);
  return channel === undefined ? "a server that is neither of the two" : `the source of channel ${channel.channel}`;
}

function requireFile(situation: Situation, { file, position }: Extract<Position, { by: "file" }>): void {
  const { source, replica, names, points } = situation;
  const withGtids = (mode: string) => mode.startsWith("ON");
  if (withGtids(source.gtidMode) && replica.gtidMode === "OFF")
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: `cannot follow ${names.source}, it writes GTIDs and the replica takes none`,
      found: `gtid_mode = ${source.gtidMode} on the source, ${replica.gtidMode} on the replica`,
      needs: "gtid_mode = ON on the replica",
      fix: "on the replica: enforce_gtid_consistency = ON and gtid_mode = ON in its option file (one restart)",
    });
  if (source.gtidMode === "OFF" && replica.gtidMode === "ON" && !has(replica.server, "assignGtidsToAnonymous"))
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: `cannot follow ${names.source}, it writes no GTIDs and the replica insists on them`,
      found: `gtid_mode = OFF on the source, ON on the replica ${replica.server.version}`,
      needs: "MySQL 8.0.23 on the replica, or gtid_mode = OFF there",
      fix: "upgrade the replica, or set gtid_mode = OFF in its option file",
    });
  requireNothingAssigned(situation);
  if (!points || source.logs === null) return;
  const log = source.logs.find(({ name }) => name === file);
  if (log !== undefined && BigInt(position) <= log.sizeBytes) return;
  refuse(situation, "CHANNEL_SOURCE_LOG_MISSING", {
    what: `cannot begin at ${file}:${position}, ${names.source} ${log === undefined ? "does not keep this file" : "has written less in this file"}`,
    found: sayLogs(source.logs),
    needs: `${file}, at least ${position} bytes`,
    fix: "seed the replica again and begin where that seed was taken, or correct `start`",
  });
}

/** Transactions of an earlier channel of this name, which nobody noted the end of, would be applied a second time. */
function requireNothingAssigned(situation: Situation): void {
  const { source, replica, names, channel, position, points, hasTrace } = situation;
  if (!points || channel !== null || hasTrace) return;
  if (!assignsGtids(position, { source: source.gtidMode, replica: replica.gtidMode })) return;
  const uuid = assignedUuid(names.channel);
  const applied = [...replica.executed.intervals].filter(([key]) => uuidOf(key) === uuid);
  if (applied.length === 0) return;
  refuse(situation, "CHANNEL_BEGINS_TOO_EARLY", {
    what: `cannot begin ${sayPosition(position)}, the replica has applied transactions of an earlier channel of this name`,
    found: `executed here: ${sayGtids({ intervals: new Map(applied) })}`,
    needs: "a replica that has applied nothing since its data was taken",
    fix: "seed the replica again (`reseed` of the StagingDatabase), or, if you know the place up to which its data goes, set `start` to it and give the channel another name",
  });
}

const sayLogs = (logs: NonNullable<SourceFacts["logs"]>): string => {
  const [first, last] = [logs[0], logs.at(-1)];
  return first === undefined || last === undefined
    ? "no binary log"
    : `${first.name} to ${last.name}, which ends at ${String(last.sizeBytes)}`;
};

/** Statements instead of rows are filtered by their default database, and may change other rows than on the source. */
function requireRows(situation: Situation): void {
  const { source, names, hasFilters } = situation;
  if (source.binlogFormat === "ROW" || !hasFilters) return;
  refuse(situation, "SOURCE_BINLOG_FORMAT", {
    what: `cannot filter what ${names.source} writes, it does not log rows`,
    found: `binlog_format = ${source.binlogFormat}`,
    needs: "binlog_format = ROW",
    fix: "on the source: SET PERSIST binlog_format = 'ROW' (sessions that are open keep the old one), or bring all databases and accounts, without filters",
  });
}

const longestGtids = 300; // characters; more is of no use to a reader

export function sayGtids(set: GtidSet): string {
  const text = renderGtidSet(set);
  if (text === "") return "nothing";
  return text.length <= longestGtids
    ? text
    : `${text.slice(0, longestGtids)}... (${String(countGtids(set))} transactions)`;
}
