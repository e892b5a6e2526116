import { SluiceError, wordsOf } from "../../errors";
import type { Owner } from "../../ownership";
import type { SeedRequest } from "../seed/request";
import type { Confined } from "./confine/confine";
import type { Adjusted } from "../options/variables";

/** The file that makes a directory ours; written first, removed last. */
export interface Marker extends Owner {
  readonly directory: string;
  readonly phase: "claimed" | "seeded";
  /** The `reseed` text the data was seeded under. */
  readonly reseed: string | null;
  readonly serverId: number;
  /** Settings of the source that data and replication depend on. */
  readonly sourceVariables: Readonly<Record<string, string>>;
  /** What the data is being seeded for, or was seeded for last. Absent where an earlier version of sluice began the seeding. */
  readonly seeding?: SeedRequest;
  readonly seedPosition: SeedPosition;
  readonly sizeBytes: string | null;
  /** root@localhost has, or had nearly, a password of ours. */
  readonly hasRootPassword: boolean;
  /** The server has tables of time zones. Absent where an older version made it. */
  readonly hasTimeZones?: boolean;
  /** What was changed in AppArmor's or SELinux's policy for it. */
  readonly confined?: Confined;
  /** By variable: what the server made of a value that it does not take as it is. */
  readonly adjusted?: Readonly<Record<string, Adjusted>>;
}

/** Where the source stood when the seed was taken. */
export interface SeedPosition {
  readonly gtidSet: string | null;
  readonly file: string | null;
  readonly position: string | null;
}

/** No text is no marker; a text that cannot be read is somebody's, and stops everything. */
export function parseMarker(text: string | null | undefined, object: string): Marker | null {
  if (text === null || text === undefined) return null;
  try {
    const read = JSON.parse(text) as Partial<Marker> | null;
    if (typeof read?.owner !== "string" || typeof read.serverId !== "number")
      throw new Error("it names no owner or server id");
    return { seal: null, hasRootPassword: false, ...read } as Marker;
  } catch (error) {
    throw new SluiceError({
      code: "OWNERSHIP_MARKER_UNREADABLE",
      object,
      what: "cannot tell whose the directory is, its marker sluice.json cannot be read",
      needs: "the marker as sluice wrote it",
      fix: "restore sluice.json from a backup of the directory; nothing is touched without it",
      detail: wordsOf(error).split("\n")[0] ?? "",
    });
  }
}
