import { SluiceError } from "../../../errors";
import type { ServerFacts } from "../../capabilities";
import { ownershipTable } from "../../../mark/row";
import type { SeedSource, SourceObject } from "./facts";

export interface SourceNeeds {
  readonly method: "dump" | "clone" | "file" | "none";
  readonly databases: "ALL" | readonly string[];
  /** What errors call the server that is to be filled. */
  readonly object: string;
  /** What a dump does with rows that it cannot bring exactly. Default refuse. */
  readonly inexactRows?: "refuse" | "accept" | undefined;
  /** That server, if it is known. */
  readonly replica?: ServerFacts | undefined;
}

const shownNames = 10; // lines of an error that a person reads at once; the rest is counted

/** One name a line; the rest as a number. */
export function listNames(objects: readonly Pick<SourceObject, "name">[]): string {
  const names = objects.slice(0, shownNames).map(({ name }) => name);
  const more = objects.length - names.length;
  return [...names, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

/** Those in the databases that are brought. */
export const amongWanted = <T extends SourceObject>(
  objects: readonly T[],
  databases: "ALL" | readonly string[],
): readonly T[] => (databases === "ALL" ? objects : objects.filter(({ database }) => databases.includes(database)));

/** Tables of other engines are empty in a clone, without an error. */
export function requireCloneable({ foreignTables, endpoint }: SeedSource, { object }: SourceNeeds): void {
  if (foreignTables.length === 0) return;
  throw new SluiceError({
    code: "SOURCE_NOT_SUPPORTED",
    object,
    what: `cannot be cloned from ${endpoint}: CLONE copies only InnoDB tables, and leaves tables of other engines empty`,
    found: listNames(foreignTables),
    fix: "on the source: ALTER TABLE ... ENGINE = InnoDB",
  });
}

/**
 * Rows that a dump would bring with other values than the source has at the dump's position. `databases`: as the source
 * writes them.
 */
export function requireExact(source: SeedSource, { object, inexactRows }: SourceNeeds, databases: readonly string[]) {
  if (inexactRows === "accept") return;
  const floats = amongWanted(source.floatColumns, databases);
  const foreign = amongWanted(source.foreignTables, databases);
  const refuse = (what: string, found: readonly SourceObject[], fix: string) =>
    new SluiceError({
      code: "SOURCE_ROWS_INEXACT",
      object,
      what: `cannot be seeded exactly by a dump of ${source.endpoint}: ${what}`,
      found: listNames(found),
      fix: `${fix}; or set \`inexactRows: "accept"\` to accept the inexact rows`,
    });
  if (foreign.length > 0)
    throw refuse(
      "its snapshot holds only InnoDB tables, and these tables use other engines",
      foreign,
      "on the source: ALTER TABLE ... ENGINE = InnoDB",
    );
  if (floats.length > 0)
    throw refuse(
      "mysqldump rounds the values of FLOAT columns to six digits",
      floats,
      'use `seed: "clone"`, which copies every value as it is',
    );
}

/** Every view and foreign key that needs a database which is not brought, at once. */
export function requireWhole(source: SeedSource, { object }: SourceNeeds, databases: readonly string[]): void {
  const open = amongWanted(source.crossReferences, databases).filter(({ needs }) => !databases.includes(needs));
  if (open.length === 0) return;
  const missing = [...new Set(open.map(({ needs }) => needs))].sort();
  throw new SluiceError({
    code: "SEED_DATABASE_NEEDED",
    object,
    what: `cannot be seeded from ${source.endpoint}, objects of its databases also need ${missing.join(", ")}`,
    found: listNames(open),
    fix: `add ${missing.map((name) => JSON.stringify(name)).join(", ")} to \`databases\`, or drop these objects on the source`,
  });
}

/** Sluice keeps its marks in a table; a table of that name on the source would be taken for it. */
export function requireBooksFree({ takenBooks, endpoint }: SeedSource, { object }: SourceNeeds): void {
  if (takenBooks.length === 0) return;
  throw new SluiceError({
    code: "SOURCE_NOT_SUPPORTED",
    object,
    what: `cannot be seeded from ${endpoint}, it has a table with the name of Sluice's own table of marks`,
    found: listNames(takenBooks),
    fix: `on the source: rename the table ${ownershipTable}`,
  });
}
