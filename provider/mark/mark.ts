import { SluiceError, wordsOf } from "../errors";

/** Who an object belongs to. */
export interface Identity {
  /** The resource's type: `StagingDatabase`. */
  readonly kind: string;
  /** `project/stack/name`, as the resource was first made. */
  readonly name: string;
  /**
   * Random text, given to an object when it is complete and kept by Pulumi's state: it tells apart two people whose stacks have
   * the same names. Null on an object that was never complete, and in a state that does not know the object.
   */
  readonly seal: string | null;
}

/** The mark of an object, on a host (`sluice.json`) or in a server (a row of `sluice.ownership`): one format. */
export interface Mark<Record extends object = object> {
  /** Of the format. */
  readonly version: typeof markVersion;
  /** Null if the object was removed and its record is kept for the resource that creates it again. */
  readonly identity: Identity | null;
  /** The object of Sluice that created this one; null if a declaration did. */
  readonly parent: Pick<Identity, "kind" | "name"> | null;
  /** What the resource records of the object: its phase, positions, settings. */
  readonly record: Record;
}

/** 1 is the form before this one, which had no version: owner, seal and record side by side. */
export const markVersion = 2;

export const markOf = <Record extends object>(identity: Identity | null, record: Record): Mark<Record> => ({
  version: markVersion,
  identity,
  parent: null,
  record,
});

/** The mark, with `change` recorded on it. */
export const recorded = <Record extends object>(mark: Mark<Record>, change: Partial<Record>): Mark<Record> => ({
  ...mark,
  record: { ...mark.record, ...change },
});

/** A run that was killed before the state knew the object left no seal: a resource of the same kind and name continues its work. */
export const isOurs = (found: Identity | null | undefined, { kind, name, seal }: Identity): boolean =>
  found != null && found.kind === kind && found.name === name && (found.seal === null || found.seal === seal);

/** As far as both are sealed: an object may have been sealed since it was remembered. */
export const isSameObject = (one: Identity | null, other: Identity | null): boolean =>
  one !== null && other !== null && (isOurs(one, other) || isOurs(other, one));

export const renderMark = (mark: Mark): string => `${JSON.stringify(mark, null, 2)}\n`;

/** Where a mark is, for errors: `sluice.json`, `the row of sluice.ownership`; and what it is on. */
export interface MarkPlace {
  readonly object: string;
  readonly mark: string;
  readonly marked: string;
}

/**
 * A mark out of its text. `formerly` reads the form of version 1, whose place tells the kind; `require` may throw. Throws
 * OWNERSHIP_MARKER_UNREADABLE for a text that is not a mark, because it may be another owner's, and STATE_TOO_NEW.
 */
export function parseMark<Record extends object>(
  text: string,
  formerly: (read: Former) => Mark<Record>,
  place: MarkPlace,
  require: (mark: Mark<Record>) => void = () => undefined,
): Mark<Record> {
  try {
    const read = JSON.parse(text) as (Partial<Mark<Record>> & Former) | null;
    if (typeof read !== "object" || read === null) throw new Error("it is not an object");
    const { version, identity, parent = null, record } = read;
    if (version === undefined) return required(formerly(read), require);
    if (typeof version === "number" && version > markVersion) throw tooNew(version, place);
    if (version !== markVersion) throw new Error(`it has version ${String(version)}`);
    if (typeof record !== "object" || (record as unknown) === null) throw new Error("it has no record");
    return required({ version, identity: identityIn(identity), parent, record }, require);
  } catch (error) {
    throw error instanceof SluiceError ? error : unreadable(error, place);
  }
}

function required<M>(mark: M, require: (mark: M) => void): M {
  require(mark);
  return mark;
}

function identityIn(identity: Identity | null | undefined): Identity | null {
  if (identity === null) return null;
  const { kind, name, seal = null } = identity ?? {};
  if (typeof kind !== "string" || typeof name !== "string") throw new Error("it has no identity");
  return { kind, name, seal };
}

const tooNew = (version: number, { object, mark, marked }: MarkPlace): SluiceError =>
  new SluiceError({
    code: "STATE_TOO_NEW",
    object,
    what: `cannot use ${marked}, a newer pulumi-sluice wrote its mark`,
    found: `version ${String(version)} in ${mark}`,
    needs: `version ${String(markVersion)} or older`,
    fix: "install the version of pulumi-sluice that last changed the object, or a newer one",
  });

const unreadable = (error: unknown, { object, mark, marked }: MarkPlace): SluiceError =>
  new SluiceError({
    code: "OWNERSHIP_MARKER_UNREADABLE",
    object,
    what: `cannot tell which resource owns ${marked}, its mark cannot be read`,
    found: mark,
    needs: "the mark as Sluice wrote it",
    fix: `restore ${mark} from a backup; Sluice changes nothing without it`,
    detail: wordsOf(error).split("\n")[0] ?? "",
  });

/** A mark of version 1, as it was read. */
export type Former = Readonly<{ [key: string]: unknown }>;
