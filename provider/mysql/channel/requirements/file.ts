import { has, oldestVersions } from "../../capabilities";
import { assignedUuids, assignsGtids, sayPosition, type Position } from "../settings";
import { refuse, sayGtids, uuidOf, type Situation } from "../situation";
import type { ChannelSource } from "../source";

/** Requirements of starting at a position in the source's binary log. */
export function requireFile(situation: Situation, { file, position }: Extract<Position, { by: "file" }>): void {
  const { source, replica, names, points } = situation;
  const withGtids = (mode: string) => mode.startsWith("ON");
  if (withGtids(source.gtidMode) && replica.gtidMode === "OFF")
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: `cannot follow ${names.source}, the source uses GTIDs, the replica has gtid_mode=OFF`,
      found: `gtid_mode = ${source.gtidMode} on the source, ${replica.gtidMode} on the replica`,
      needs: "gtid_mode = ON on the replica",
      fix: "on the replica: enforce_gtid_consistency = ON and gtid_mode = ON in its option file (one restart)",
    });
  if (source.gtidMode === "OFF" && replica.gtidMode === "ON" && !has(replica.server, "assignGtidsToAnonymous"))
    refuse(situation, "CHANNEL_REPLICA_NOT_READY", {
      what: `cannot follow ${names.source}, the source has gtid_mode=OFF, the replica has gtid_mode=ON`,
      found: `gtid_mode = OFF on the source, ON on the replica ${replica.server.version}`,
      needs: `MySQL ${oldestVersions.replica} on the replica, or gtid_mode = OFF there`,
      fix: "upgrade the replica, or set gtid_mode = OFF in its option file",
    });
  requireNothingAssigned(situation);
  if (!points || source.logs === null) return;
  const log = source.logs.find(({ name }) => name === file);
  if (log !== undefined && BigInt(position) <= log.sizeBytes) return;
  refuse(situation, "CHANNEL_SOURCE_LOG_MISSING", {
    what: `cannot begin at ${file}:${position}, ${names.source} ${log === undefined ? "does not have this file" : "has not written this position yet"}`,
    found: sayLogs(source.logs),
    needs: `${file}, at least ${position} bytes`,
    fix: "seed the replica again and set `start` to the position of that seed, or correct `start`",
  });
}

/**
 * The last position of an earlier channel of this name is not recorded: its transactions would be applied a second
 * time.
 */
function requireNothingAssigned(situation: Situation): void {
  const { source, replica, names, channel, position, points, hasTrace } = situation;
  if (!points || channel !== null || hasTrace) return;
  if (!assignsGtids(position, { source: source.gtidMode, replica: replica.gtidMode })) return;
  const uuids = assignedUuids(names.channel, replica.uuid);
  const applied = [...replica.executed.intervals].filter(([key]) => uuids.includes(uuidOf(key)));
  if (applied.length === 0) return;
  refuse(situation, "CHANNEL_BEGINS_TOO_EARLY", {
    what: `cannot begin ${sayPosition(position)}, the replica has applied transactions of an earlier channel of this name`,
    found: `executed on the replica: ${sayGtids({ intervals: new Map(applied) })}`,
    needs: "a replica that has applied nothing since it was seeded",
    fix: "seed the replica again (`reseed` of the StagingDatabase), or, if you know the file and position up to which the replica has applied, set `start` to them and give the channel another name",
  });
}

const sayLogs = (logs: NonNullable<ChannelSource["logs"]>): string => {
  const [first, last] = [logs[0], logs.at(-1)];
  return first === undefined || last === undefined
    ? "no binary log"
    : `${first.name} to ${last.name}; ${last.name} ends at ${String(last.sizeBytes)}`;
};
