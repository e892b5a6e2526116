import { countGtids, isEmptyGtidSet, parseGtidSet, subtractGtidSet, uniteGtidSets, type GtidSet } from "../../gtid";
import type { ReplicaFacts } from "../facts";
import { assignedUuids } from "../settings";
import { refuse, sayGtids, uuidOf, type Situation } from "../situation";
import type { ChannelSource } from "../source";

/** Requirements of starting by GTID. */
export function requireGtids(situation: Situation): void {
  const { source, replica, names, seedGtids } = situation;
  if (source.gtidMode !== "ON" && source.gtidMode !== "ON_PERMISSIVE")
    refuse(situation, "SOURCE_GTID_OFF", {
      what: `cannot start by GTID, ${names.source} does not use GTIDs`,
      found: `gtid_mode = ${source.gtidMode} on the source`,
      needs: "gtid_mode = ON on the source, or file and position in `start`",
      fix: "set start: { file, position } to the position of the replica's data (`seedPosition` of a StagingDatabase has it), or set gtid_mode = ON on the source",
    });
  if (replica.gtidMode !== "ON" && replica.gtidMode !== "ON_PERMISSIVE")
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: `cannot start by GTID, the replica has gtid_mode=${replica.gtidMode}`,
      found: `gtid_mode = ${replica.gtidMode} on the replica`,
      needs: "gtid_mode = ON on the replica",
      fix: "on the replica: enforce_gtid_consistency = ON and gtid_mode = ON in its option file (one restart)",
    });
  const lost = seedGtids === null ? undefined : subtractGtidSet(parseGtidSet(seedGtids), replica.executed);
  if (lost !== undefined && !isEmptyGtidSet(lost))
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: "cannot start after the seed, the replica has not executed all of start.gtidSet",
      found: `not executed on the replica: ${sayGtids(lost)}`,
      needs: "start.gtidSet is part of gtid_executed of the replica",
      fix: "seed the replica again (`reseed` of the StagingDatabase), or set `start` to the position of the replica's data",
    });
  requireNotPurged(situation);
  requireNotDiverged(situation);
}

/** Transactions that were received and are kept need not be fetched again. */
const heldBy = ({ replica, channel, points }: Situation): GtidSet =>
  channel === null || points ? replica.executed : uniteGtidSets(replica.executed, channel.receiver.received);

function requireNotPurged(situation: Situation): void {
  const { source, replica, names } = situation;
  const missing = subtractGtidSet(source.purged, heldBy(situation));
  if (isEmptyGtidSet(missing)) return;
  // Data of a dump without GTIDs looks like no data at all.
  const noHistory = isEmptyGtidSet(replica.executed)
    ? "if the replica was seeded from a dump file without a GTID set: make the dump with --set-gtid-purged=ON --source-data=2 and seed again; otherwise "
    : "";
  refuse(situation, "GTID_PURGED", {
    what: `cannot follow ${names.source}, the source purged transactions that the replica has not executed (error 1236)`,
    found: `purged on the source, not executed on the replica: ${sayGtids(missing)}\nexecuted on the replica: ${sayGtids(replica.executed)}`,
    needs: `gtid_purged of the source is part of gtid_executed of the replica: ${sayGtids(source.purged)}`,
    fix: `${noHistory}seed the replica from this source (\`source\` of the StagingDatabase; change \`reseed\` to seed again), and keep binary logs on the source for longer: SET PERSIST binlog_expire_logs_seconds = <seconds>`,
  });
}

/**
 * Transactions of other channels' sources are not a divergence: they came with the seed, or are known by a server uuid that
 * this source has never heard of, and which is not the replica's own.
 */
function requireNotDiverged(situation: Situation): void {
  const { source, replica, names } = situation;
  const errant = errantGtids(situation);
  if (isEmptyGtidSet(errant)) return;
  const writers = [...new Set([...errant.intervals.keys()].map(uuidOf))];
  const small = countGtids(errant) <= 5n; // as many statements as an administrator still types
  refuse(situation, "GTID_DIVERGED", {
    what: `cannot follow ${names.source}, the replica executed transactions that the source does not have`,
    found: [
      `executed on the replica, not on the source: ${sayGtids(errant)}`,
      ...writers.map((uuid) => `written by ${uuid}, ${writerOf(uuid, source, replica)}`),
    ].join("\n"),
    needs: "gtid_executed of the replica is part of gtid_executed of the source",
    fix:
      "seed the replica again (`reseed` of the StagingDatabase)" +
      (small
        ? `; or, to keep these changes on the replica, on the source for each of these GTIDs: SET GTID_NEXT = '<uuid:number>'; BEGIN; COMMIT; SET GTID_NEXT = 'AUTOMATIC'`
        : ""),
  });
}

function errantGtids({ source, replica, points, names, seedGtids }: Situation): GtidSet {
  const extra = subtractGtidSet(replica.executed, source.executed);
  const later = subtractGtidSet(extra, parseGtidSet(seedGtids ?? "")); // transactions of the seed may be of other sources
  const known = new Set([...source.executed.intervals.keys()].map(uuidOf));
  const channels = [names.channel, ...replica.otherChannels.map(({ channel }) => channel)];
  const assigned = channels.flatMap((channel) => assignedUuids(channel, replica.uuid));
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

function writerOf(uuid: string, source: ChannelSource, replica: ReplicaFacts): string {
  if (uuid === replica.uuid) return "the replica itself: a session wrote on the replica";
  if (uuid === source.uuid) return "the source, which no longer has them: the source was restored to an older state";
  const channel = replica.otherChannels.find(({ sourceUuid }) => sourceUuid === uuid);
  return channel === undefined
    ? "a server that is neither the source nor the replica"
    : `the source of channel ${channel.channel}`;
}
