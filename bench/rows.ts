/** The measured rows of Sluice; `--only` selects them by the beginning of their names. */
export const ownRows = ["up-dump", "up-clone", "up-nothing", "status-100-channels", "refresh-100-channels"] as const;
export type OwnRow = (typeof ownRows)[number];

/** The same work by hand, or what Pulumi itself takes for it; each is a row too. */
export const peers = [
  "mysqldump-mysql",
  "mydumper-myloader",
  "clone-instance",
  "pulumi-plain-resources",
  "pulumi-empty-program",
  "pulumi-stack-export",
  "pulumi-refresh-plain-resources",
] as const;
export type Peer = (typeof peers)[number];

/** These names are published: results of different days are compared by them, so they never change and are never used again. */
export type RowName = OwnRow | Peer;

/** The peers against which each row of Sluice is measured in the same run. */
export const peersOf: Readonly<Record<OwnRow, readonly Peer[]>> = {
  "up-dump": ["mysqldump-mysql", "mydumper-myloader"],
  "up-clone": ["clone-instance"],
  "up-nothing": ["pulumi-plain-resources", "pulumi-empty-program"],
  "status-100-channels": ["pulumi-stack-export"],
  "refresh-100-channels": ["pulumi-refresh-plain-resources"],
};

export interface Ratio {
  readonly against: Peer;
  /** Our median divided by the peer's: below 1 is faster. */
  readonly ratio: number;
}

/** Of a peer: none. A peer that could not be measured is left out. */
export function ratiosOf(name: RowName, medians: ReadonlyMap<RowName, number>): readonly Ratio[] {
  const own = medians.get(name);
  const against = (peersOf as Partial<Record<RowName, readonly Peer[]>>)[name] ?? [];
  return against.flatMap((peer) => {
    const median = medians.get(peer);
    return own === undefined || median === undefined ? [] : [{ against: peer, ratio: own / median }];
  });
}

/** Rows of Sluice whose names begin with one of the texts; without texts, all. */
export function rowsFor(beginnings: readonly string[]): readonly OwnRow[] {
  if (beginnings.length === 0) return ownRows;
  for (const text of beginnings)
    if (!ownRows.some((name) => name.startsWith(text)))
      throw new Error(`--only takes the beginning of ${ownRows.join(", ")}, and not "${text}"`);
  return ownRows.filter((name) => beginnings.some((text) => name.startsWith(text)));
}
