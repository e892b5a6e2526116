import { createHash } from "node:crypto";
import { canonicalText, isSame } from "../../plan/plan";

export type SeedMethod = "dump" | "clone" | "file" | "none";

/** What a seeding is asked to bring. The mark keeps it while the data is not complete, and the job keeps its digest. */
export interface SeedRequest {
  readonly method: SeedMethod;
  /** `db-1:3306`, or the path of the file; empty for `none`. */
  readonly from: string;
  /** Null if the seed is not taken from a server, and in a preview, which does not ask the source. */
  readonly sourceUuid: string | null;
  /** Size of the file; null without a file, and if it was not read. */
  readonly fileBytes: number | null;
  /** Sorted. */
  readonly databases: "ALL" | readonly string[];
  /** Objects that stay out, sorted. Absent if there are none, and in a mark of an earlier version. */
  readonly ignored?: readonly string[];
  /** The `reseed` text; null without one. */
  readonly reseed: string | null;
}

/** One word for a request: what a job keeps of it. */
export const digestOf = (request: SeedRequest): string =>
  createHash("sha256").update(canonicalText(request)).digest("hex");

export interface EarlierSeeding {
  /** A job runs, or has brought data that is not recorded yet. */
  readonly job: boolean;
  /** Why its data is not the declared data; null if the seeding may continue, or if no data exists. */
  readonly whyAnew: string | null;
}

/** Data that was seeded for another declaration is never used for this one. */
export function compareSeeding(
  wanted: SeedRequest,
  record: { readonly phase: "claimed" | "complete"; readonly seeding?: SeedRequest } | undefined,
  // `request`: the digest that the job was started with; undefined if nothing looked at it.
  found: { readonly isThere: boolean; readonly request: string | null | undefined },
): EarlierSeeding {
  const job = found.isThere;
  if (record?.phase === "complete") return { job, whyAnew: "`reseed` changed" };
  const begun = record?.seeding;
  if (!job) return { job, whyAnew: begun === undefined ? null : differenceOf(begun, wanted) };
  if (begun === undefined || (found.request !== undefined && found.request !== digestOf(begun)))
    return { job, whyAnew: "the declaration of the unfinished seeding is not recorded" };
  return { job, whyAnew: differenceOf(begun, wanted) };
}

/**
 * Why the data of a seeding that was started for `begun` must not be used for `wanted`; null if it may. The same
 * server under another address, or with another password, is the same request: its server_uuid says so.
 */
export function differenceOf(begun: SeedRequest, wanted: SeedRequest): string | null {
  if (begun.method !== wanted.method) return `the unfinished seeding is ${methodWords(begun)}`;
  const differs = sourceDifference(begun, wanted);
  if (differs !== null) return differs;
  if (!isSame(begun.databases, wanted.databases))
    return `the unfinished seeding brings ${databaseWords(begun.databases)}`;
  if (!isSame(begun.ignored ?? [], wanted.ignored ?? []))
    return begun.ignored === undefined
      ? "the unfinished seeding leaves no objects out"
      : `the unfinished seeding leaves out ${begun.ignored.join(", ")}`;
  // Removing the text from the program does not ask for new data.
  if (wanted.reseed !== null && wanted.reseed !== begun.reseed)
    return "`reseed` changed since the unfinished seeding began";
  return null;
}

function sourceDifference(begun: SeedRequest, wanted: SeedRequest): string | null {
  if (wanted.method === "none") return null;
  if (begun.sourceUuid !== null && wanted.sourceUuid !== null)
    return begun.sourceUuid === wanted.sourceUuid
      ? null
      : `the unfinished seeding is from server ${begun.sourceUuid} at ${begun.from}, and ${wanted.from} is server ${wanted.sourceUuid}`;
  if (begun.from !== wanted.from)
    return wanted.method === "file"
      ? `the unfinished seeding is from ${begun.from}`
      : `the unfinished seeding is from ${begun.from}; it is kept if ${wanted.from} is the same server`;
  if (begun.fileBytes !== null && wanted.fileBytes !== null && begun.fileBytes !== wanted.fileBytes)
    return `${wanted.from} was replaced after the seeding began`;
  return null;
}

const methodWords = ({ method, from }: SeedRequest): string =>
  ({ dump: `a dump of ${from}`, clone: `a clone of ${from}`, file: `from ${from}`, none: '`seed: "none"`' })[method];

const databaseWords = (databases: SeedRequest["databases"]): string =>
  databases === "ALL" ? "all databases" : `databases ${databases.join(", ")}`;
