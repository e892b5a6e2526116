import { SluiceError } from "../../errors";
import { hasUnknown } from "../../schema/unknown";
import type { ChannelFacts, ReplicaFacts } from "./facts";
import { planPosition, sayPosition, type Position } from "./settings";
import type { ChannelSource } from "./source";

/** A position in a source's binary log. */
export type FilePosition = Extract<Position, { by: "file" }>;

/** How far a channel got that was removed: the mark outlives it with this, or its rows would be applied a second time. */
export interface Ended {
  /** Up to here all is applied. */
  readonly at: FilePosition;
  /** Whose log that is. */
  readonly sourceUuid: string;
  /** The declared position it had started at, as `sayPosition` renders it; null if Sluice did not create the channel. */
  readonly start: string | null;
}

/** What the mark records about positions in binary logs. */
export interface Trace {
  /** The declared position the channel was pointed at; null if GTIDs find it, and once it is removed. */
  readonly start: string | null;
  readonly ended: Ended | null;
}

export const noTrace: Trace = { start: null, ended: null };

/** What a channel leaves behind that is stopped and about to be removed. By GTID the data itself says how far it got. */
export function endOf({ autoPosition, sourceUuid, applier }: ChannelFacts, trace: Trace): Ended | null {
  if (autoPosition || applier.file === "") return null;
  // Before the receiver has connected once, the channel does not know its source; nothing was applied since it was pointed.
  const uuid = sourceUuid === "" ? (trace.ended?.sourceUuid ?? "") : sourceUuid;
  if (uuid === "") return null;
  return {
    at: { by: "file", file: applier.file, position: applier.position },
    sourceUuid: uuid,
    start: trace.start ?? trace.ended?.start ?? null,
  };
}

/** Where the declaration lets a channel begin; null while a preview does not know it. */
export function declaredPlace(
  start: Parameters<typeof planPosition>[0],
  live: {
    readonly source: Pick<ChannelSource, "gtidMode"> | null;
    readonly replica: Pick<ReplicaFacts, "gtidMode">;
  } | null,
): Position | null {
  if (hasUnknown(start)) return null;
  const modes =
    live === null || live.source === null ? null : { source: live.source.gtidMode, replica: live.replica.gtidMode };
  return planPosition(start, modes);
}

export interface Beginning {
  readonly object: string;
  /** `channel orders`, as the mark has it. */
  readonly mark: string;
  readonly declared: FilePosition;
  readonly trace: Trace;
  /** Null in a preview. */
  readonly sourceUuid: string | null;
}

/**
 * Where a new channel begins by file: at the declared position, or where an earlier channel ended that began there.
 * Refuses a position from which rows would be applied a second time.
 */
export function beginningOf(beginning: Beginning): FilePosition {
  const { declared, trace, sourceUuid } = beginning;
  const { start, ended } = trace;
  if (start === sayPosition(declared))
    throw appliedBefore(beginning, "it began there before and was removed outside of Sluice");
  if (ended === null) return declared;
  const isStart = ended.start === sayPosition(declared);
  if (sourceUuid !== null && sourceUuid !== ended.sourceUuid) {
    if (isStart) throw appliedBefore(beginning, "this is a position in the binary log of an earlier source");
    return declared;
  }
  if (!isBefore(declared, ended.at)) return declared;
  if (isStart) return ended.at;
  throw appliedBefore(beginning, "the replica has already applied the transactions after it");
}

function appliedBefore({ object, mark, declared, trace }: Beginning, why: string): SluiceError {
  const { ended } = trace;
  const end =
    ended === null
      ? "its last position is not known"
      : `applied up to ${ended.at.file}:${ended.at.position} of ${ended.sourceUuid}`;
  return new SluiceError({
    code: "CHANNEL_BEGINS_TOO_EARLY",
    object,
    what: `cannot begin ${sayPosition(declared)}, ${why}`,
    found: `an earlier channel of this name; ${end}`,
    needs: "`start` at the position of the replica's data",
    fix: `set \`start\` to that position, or seed the replica again (\`reseed\` of the StagingDatabase); if the replica's data was restored by hand, delete the record of the earlier channel: DELETE FROM sluice.ownership WHERE object = '${mark.replaceAll("'", "''")}'`,
  });
}

/** Logs are numbered; under another name they are a log of their own, of which nothing is known. */
function isBefore(one: FilePosition, other: FilePosition): boolean {
  const [a, b] = [numbered(one.file), numbered(other.file)];
  if (a.name !== b.name) return true;
  return a.number === b.number ? BigInt(one.position) < BigInt(other.position) : a.number < b.number;
}

function numbered(file: string): { readonly name: string; readonly number: bigint } {
  const [, name = file, digits = "0"] = /^(.*)\.(\d+)$/.exec(file) ?? [];
  return { name, number: BigInt(digits) };
}
