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

export const renderMark = (mark: Mark): string => `${JSON.stringify(mark, null, 2)}\n`;

/**
 * A mark out of its text. `formerly`: reads the form of version 1, which the place tells the kind of.
 * Throws a plain Error that says what is wrong with the text.
 */
export function parseMark<Record extends object>(text: string, formerly: (read: Former) => Mark<Record>): Mark<Record> {
  const read = JSON.parse(text) as Partial<Mark<Record>> & Former;
  if (typeof read !== "object" || (read as unknown) === null) throw new Error("it is not an object");
  const { version, identity, parent = null, record } = read;
  if (version === undefined) return formerly(read);
  if (version !== markVersion)
    throw new Error(`it has version ${String(version)}; this version of pulumi-sluice reads ${String(markVersion)}`);
  if (identity === undefined || record === undefined) throw new Error("it has no identity or no record");
  return { version, identity, parent, record };
}

/** A mark of version 1, as it was read. */
export type Former = Readonly<{ [key: string]: unknown }>;
