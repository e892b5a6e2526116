import type { SluiceError } from "../../provider/errors";
import type { InstanceRecord } from "../../provider/mysql/instance/record";
import type { Backup } from "../../provider/mysql/seed/file/backup";
import type { SeedFacts } from "../../provider/mysql/seed/job";
import type { SeedRequest } from "../../provider/mysql/seed/request";
import type { SeedSource } from "../../provider/mysql/seed/source/facts";
import { seedingHealth } from "../../provider/mysql/seed/words";
import {
  blankInstance,
  instanceAsDeclared,
  instanceExists,
  instanceOutputs,
  migrateInstance,
  unseenInstance,
  type InstanceLive,
  type InstanceSettled,
} from "../../provider/parts/instance/facts";
import { instanceStatus } from "../../provider/parts/instance/status";
import type { Observed as ObservedOf } from "../../provider/room";
import type { Status } from "../../provider/status";
import { instanceOf, type Declaration } from "./schema";

/** What the mark of a staging database records. */
export interface StagingRecord extends InstanceRecord {
  /** The `reseed` text the data was seeded under. */
  readonly reseed: string | null;
  /** What the data is being seeded for, or was seeded for last. Absent if an earlier version of Sluice began the seeding. */
  readonly seeding?: SeedRequest;
  readonly seedPosition: SeedPosition;
  readonly sizeBytes: string | null;
}

/** The source's position when the seed was taken. */
export interface SeedPosition {
  readonly gtidSet: string | null;
  readonly file: string | null;
  readonly position: string | null;
}

export interface Settled extends InstanceSettled<StagingRecord> {
  /** A seeding runs, or has succeeded and is not recorded yet. */
  readonly hasSeedJob?: boolean;
}

export interface Live extends InstanceLive {
  readonly seed: SeedFacts;
  readonly source: SeedSource | null;
  readonly sourceProblem: SluiceError | null;
  /** The declared backup file, and why it cannot be loaded. */
  readonly backup: Backup | null;
  readonly backupProblem: SluiceError | null;
}

export type Observed = ObservedOf<Settled, Live>;

export const blank: Settled = blankInstance;

export const migrate = (settled: Readonly<Record<string, unknown>>): Settled => migrateInstance(settled) as Settled;

export const exists = instanceExists;

export const unseenBecause = unseenInstance;

/**
 * A changed `reseed` asks for new data, a removed one does not; all other properties of the seed act only at the next
 * seeding.
 */
export const isSeeded = ({ reseed }: Pick<Declaration, "reseed">, { mark }: Pick<Settled, "mark">): boolean =>
  mark?.record.phase === "complete" && (reseed === undefined || reseed === mark.record.reseed);

/** Output-only properties. */
export const outputs = (_declared: Declaration, settled: Settled) => ({
  ...instanceOutputs(settled),
  seedPosition: settled.mark?.record.seedPosition ?? null,
  sizeBytes: settled.mark?.record.sizeBytes ?? null,
});

/** The observed settings, in the form of the declaration: a difference is drift. */
export const asDeclared = (declared: Declaration, settled: Settled): Record<string, unknown> =>
  instanceAsDeclared(instanceOf(declared), settled);

/** Its line in the topology. */
export function status(declared: Declaration, seen: Observed): Status {
  const record = seen.settled.mark?.record;
  const seed = seen.live?.seed.state ?? "none";
  return instanceStatus(instanceOf(declared), seen, {
    unfinished: record?.phase === "complete" ? null : seedingHealth[seed],
    lacks: record?.seeding?.ignored ?? [],
  });
}
