import type { Problem } from "../../../errors";
import type { DumpFacts } from "./header";
import type { DumpPart } from "./parts";
import { systemDatabases, type SeedSource } from "../source/facts";

/** What a user's backup is compared with. */
export interface DumpExpected {
  readonly path: string;
  readonly databases: "ALL" | readonly string[];
  /** The declared source; null if none is declared, or it was not asked. */
  readonly source?: Pick<SeedSource, "endpoint" | "gtidOn" | "databases"> | null | undefined;
}

type Judgement = Omit<Problem, "object">;

const recipe =
  "make the dump with `mysqldump --single-transaction --set-gtid-purged=ON --source-data=2 --routines --triggers --events --all-databases`";
const again = "the next `pulumi up` starts the seeding again with empty data";

/** Why the data of a dump is not the source's data of one moment; undefined if it is. Pure. */
export function refusalOf(facts: DumpFacts, expected: DumpExpected): Judgement | undefined {
  return (
    incomplete(facts, expected) ??
    unreadable(facts, expected) ??
    ofSeveralMoments(facts, expected) ??
    withoutGtids(facts, expected) ??
    withoutDatabases(facts, expected) ??
    ofOneName(facts, expected)
  );
}

/** Warnings about a dump that is accepted. */
export function warningsOf(facts: DumpFacts, expected: DumpExpected): string[] {
  const { path, databases, source = null } = expected;
  const [held, lacked] = [heldBy(facts), lackedBy(facts, expected)];
  const hasPosition = facts.gtidPurged !== undefined || facts.file !== undefined;
  const isOfOneServer = new Set(facts.parts.map(({ gtidSet }) => gtidSet)).size <= 1;
  const mayBePartial = databases === "ALL" && facts.scope !== "all" && source === null && isOfOneServer;
  return [
    ...(hasPosition
      ? []
      : [
          `${path} names neither GTIDs nor a position, so a channel cannot know where to start; to replicate, ${recipe} and seed again`,
        ]),
    ...(mayBePartial
      ? [
          `${path} may not hold all databases: it holds ${held.join(", ")}; if the source has others, declare \`databases: [${held.map(quote).join(", ")}]\``,
        ]
      : []),
    ...(lacked.length > 0 && source !== null
      ? [
          `${path} does not hold ${lacked.join(", ")}, which ${source.endpoint} has. A database that was created after the backup arrives through the channel. If the backup left a database out, the channel stops at its first change: ${recipe}, and change \`reseed\``,
        ]
      : []),
  ];
}

function incomplete({ complete, parts }: DumpFacts, { path }: DumpExpected): Judgement | undefined {
  if (complete) return undefined;
  const cut = parts.findIndex((part) => !part.complete);
  return {
    code: "SEED_FILE_INCOMPLETE",
    what:
      parts.length > 1 && cut >= 0
        ? `cannot be seeded from ${path}, dump ${cut + 1} of the ${parts.length} in it does not end like a complete dump`
        : `cannot be seeded from ${path}, it does not end like a complete dump`,
    needs: 'a last line like "-- Dump completed"',
    fix: `take the backup again; ${again}`,
  };
}

function unreadable({ unreadableGtids }: DumpFacts, { path }: DumpExpected): Judgement | undefined {
  if (unreadableGtids.length === 0) return undefined;
  return {
    code: "SEED_POSITION_DOUBTFUL",
    what: `cannot be seeded from ${path}, its GTID set cannot be read`,
    found: unreadableGtids.join("\n"),
    needs: "a GTID set like 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
    fix: `${recipe}; ${again}`,
  };
}

/**
 * Concatenated dumps have a moment each. Dumps of different servers may: their GTIDs share no server_uuid. Between
 * two of one server there may be changes, which would never arrive.
 */
function ofSeveralMoments({ parts }: DumpFacts, { path }: DumpExpected): Judgement | undefined {
  const [first] = parts;
  const isOne =
    parts.every((part, at) => parts.slice(0, at).every((other) => areTogether(part, other))) &&
    (first?.gtidSet !== undefined || first?.position?.includes(" and ") !== true);
  if (isOne) return undefined;
  return {
    code: "SEED_POSITION_DOUBTFUL",
    what: `cannot be seeded from ${path}, it holds dumps of different positions: changes between them would be lost`,
    found: parts.map(momentOf).join("\n"),
    needs: "one dump, or several of exactly the same position",
    fix: `dump all databases at once: ${recipe}; ${again}`,
  };
}

function areTogether(one: DumpPart, other: DumpPart): boolean {
  if (one.gtidSet === undefined || other.gtidSet === undefined)
    return one.gtidSet === other.gtidSet && one.position === other.position;
  return one.gtidSet === other.gtidSet || !sharesServer(one.gtidSet, other.gtidSet);
}

function sharesServer(one: string, other: string): boolean {
  const uuidsOf = (set: string) => new Set(set.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g));
  const others = uuidsOf(other);
  return [...uuidsOf(one)].some((uuid) => others.has(uuid));
}

const momentOf = ({ gtidSet, position }: DumpPart, at: number): string =>
  `dump ${at + 1}: ${gtidSet === undefined ? "no GTID set" : `GTIDs ${gtidSet === "" ? "none" : gtidSet}`}, ${position === undefined ? "no position" : `position ${position}`}`;

function withoutGtids({ gtidPurged }: DumpFacts, { path, source = null }: DumpExpected): Judgement | undefined {
  if (gtidPurged !== undefined || source?.gtidOn !== true) return undefined;
  return {
    code: "SEED_POSITION_DOUBTFUL",
    what: `cannot be seeded from ${path}, it names no GTID set, and ${source.endpoint} uses GTIDs`,
    needs: "the GTID set of the data",
    fix: `${recipe}; ${again}`,
  };
}

function withoutDatabases(facts: DumpFacts, { path, databases }: DumpExpected): Judgement | undefined {
  const held = heldBy(facts);
  const missing = databases === "ALL" ? [] : databases.filter((name) => !held.includes(name));
  if (held.length > 0 && missing.length === 0) return undefined;
  return {
    code: "SEED_FILE_NOT_FULL",
    what:
      held.length === 0
        ? `cannot be seeded from ${path}, it holds no user database`
        : `cannot be seeded from ${path}, it does not hold ${missing.join(", ")}`,
    found: facts.databases.join(", "),
    fix: `take a full backup, or correct \`databases\`; ${again}`,
  };
}

/**
 * The databases that a file of named databases lacks. Before the load a partial file is refused if its head is the
 * whole file. After hours of loading, the data is kept: a database that the source has today may be younger than the backup.
 */
export const refusalOfHead = (head: DumpFacts, expected: DumpExpected): Judgement | undefined =>
  head.complete && head.databases.length > 0 ? (lacking(head, expected) ?? ofOneName(head, expected)) : undefined;

function lacking(facts: DumpFacts, expected: DumpExpected): Judgement | undefined {
  const { path, source } = expected;
  const others = lackedBy(facts, expected);
  if (others.length === 0 || source == null) return undefined;
  return {
    ...partialFile(facts, path),
    found: `on ${source.endpoint} also ${others.join(", ")}`,
    fix: `declare \`databases: [${heldBy(facts).map(quote).join(", ")}]\`, or ${recipe}`,
  };
}

/**
 * For a file of one named database, if no source can be queried: a channel without filters stops at the first change of
 * another.
 */
function ofOneName(facts: DumpFacts, { path, databases, source = null }: DumpExpected): Judgement | undefined {
  const held = heldBy(facts);
  if (databases !== "ALL" || source !== null || facts.scope !== "named" || held.length !== 1) return undefined;
  return {
    ...partialFile(facts, path),
    found: `a dump made with --databases ${held.join(" ")}`,
    fix: `declare \`databases: [${held.map(quote).join(", ")}]\`, or ${recipe}; if the source has no other database, declare \`source\`, and the file is compared with it; ${again}`,
  };
}

const partialFile = (facts: DumpFacts, path: string): Pick<Judgement, "code" | "what"> => ({
  code: "SEED_FILE_NOT_FULL",
  what: `cannot be seeded from ${path} with \`databases: "ALL"\`, the file holds ${heldBy(facts).join(", ")} only`,
});

/** Databases that the source has today, and the file does not hold. */
function lackedBy(facts: DumpFacts, { databases, source }: DumpExpected): string[] {
  if (databases !== "ALL" || facts.scope === "all" || source == null) return [];
  const held = heldBy(facts);
  return source.databases.map(({ name }) => name).filter((name) => !held.includes(name));
}

const heldBy = ({ databases }: DumpFacts): string[] => databases.filter((name) => !systemDatabases.includes(name));

const quote = (name: string): string => JSON.stringify(name);
