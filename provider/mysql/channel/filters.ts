import { isSame, type Difference } from "../../plan/plan";
import { renderOption } from "../options/file";
import { id, join, keyword, sql, type Statement } from "../sql";

/** What a program declares; every list may be empty. */
export interface Filters {
  readonly doDatabases: readonly string[];
  readonly ignoreDatabases: readonly string[];
  readonly doTables: readonly string[];
  readonly ignoreTables: readonly string[];
  readonly wildDoTables: readonly string[];
  readonly wildIgnoreTables: readonly string[];
  readonly rewriteDatabases: readonly { readonly from: string; readonly to: string }[];
}

/** What the replica was seeded with. */
export interface Held {
  readonly databases: "ALL" | readonly string[];
  readonly accounts: boolean;
  /** `database.object`: left out of the seeding. */
  readonly lacks?: readonly string[] | undefined;
}

export type FilterKind = keyof Filters;

/** The rules of a channel, one text each, as mysqld's startup options write them (`from->to` for a rewrite). */
export type FilterRules = Readonly<Record<FilterKind, readonly string[]>>;

interface Words {
  /** In CHANGE REPLICATION FILTER and performance_schema. */
  readonly name: string;
  /** mysqld's startup option, the only form that outlives a restart. */
  readonly option: string;
  readonly literal: (rule: string) => Statement;
}

const table: Readonly<Record<FilterKind, Words>> = {
  doDatabases: { name: "REPLICATE_DO_DB", option: "replicate-do-db", literal: (rule) => id(rule) },
  ignoreDatabases: { name: "REPLICATE_IGNORE_DB", option: "replicate-ignore-db", literal: (rule) => id(rule) },
  doTables: { name: "REPLICATE_DO_TABLE", option: "replicate-do-table", literal: tableName },
  ignoreTables: { name: "REPLICATE_IGNORE_TABLE", option: "replicate-ignore-table", literal: tableName },
  wildDoTables: { name: "REPLICATE_WILD_DO_TABLE", option: "replicate-wild-do-table", literal: (rule) => sql`${rule}` },
  wildIgnoreTables: {
    name: "REPLICATE_WILD_IGNORE_TABLE",
    option: "replicate-wild-ignore-table",
    literal: (rule) => sql`${rule}`,
  },
  rewriteDatabases: { name: "REPLICATE_REWRITE_DB", option: "replicate-rewrite-db", literal: renaming },
};

export const filterKinds = Object.keys(table) as readonly FilterKind[];

export const noRules: FilterRules = {
  doDatabases: [],
  ignoreDatabases: [],
  doTables: [],
  ignoreTables: [],
  wildDoTables: [],
  wildIgnoreTables: [],
  rewriteDatabases: [],
};

export const noFilters: Filters = { ...noRules, rewriteDatabases: [] };

/**
 * The declared rules, and those that follow from what the replica holds.
 *
 * - A list of databases becomes `db.%` wildcards and not REPLICATE_DO_DB: that one looks at the session's default database, and
 *   loses `USE other; ALTER TABLE shop.orders ...` without an error. Wildcards also keep out accounts, roles and grants
 *   (tried on 9.7.4). Where the program has a do-rule of its own, that one decides.
 * - Without the source's accounts `mysql.%` is ignored: otherwise GRANT and RENAME USER stop the applier on accounts that the
 *   replica does not have (error 1396, 1410).
 * - Views that the replica was seeded without are ignored: DROP VIEW would stop the applier (1051). No table has such a name.
 */
export function planRules(declared: Filters, holds: Held | undefined): FilterRules {
  const rules: FilterRules = {
    ...declared,
    rewriteDatabases: declared.rewriteDatabases.map(({ from, to }) => `${from}->${to}`),
  };
  if (holds === undefined) return sorted(rules);
  const chosen = [...declared.doDatabases, ...declared.doTables, ...declared.wildDoTables];
  const databases = holds.databases === "ALL" ? [] : holds.databases;
  const reached = [...databases, ...declared.rewriteDatabases.map(({ to }) => to)];
  const follows = chosen.length === 0 && holds.databases !== "ALL";
  const wantsAccounts = holds.accounts || chosen.some((rule) => /^mysql(\.|$)/.test(rule));
  return sorted({
    ...rules,
    ignoreTables: [...declared.ignoreTables, ...(holds.lacks ?? [])],
    wildDoTables: [...declared.wildDoTables, ...(follows ? reached.map((name) => `${escapeWild(name)}.%`) : [])],
    wildIgnoreTables: [...declared.wildIgnoreTables, ...(wantsAccounts ? [] : ["mysql.%"])],
  });
}

/** `my_db` as a wildcard would also be `my1db`. */
const escapeWild = (name: string): string => name.replace(/[\\%_]/g, "\\$&");

const sorted = (rules: FilterRules): FilterRules =>
  mapRules((kind) => [...new Set(rules[kind])].sort((a, b) => (a < b ? -1 : 1)));

const mapRules = (rulesOf: (kind: FilterKind) => readonly string[]): FilterRules =>
  Object.fromEntries(filterKinds.map((kind) => [kind, rulesOf(kind)])) as unknown as FilterRules;

/**
 * From performance_schema.replication_applier_filters. The server prints names unquoted and comma-separated, so that names
 * with commas come back in pieces; `differentRules` compares in pieces for that reason.
 */
export function parseRules(rows: readonly { readonly name: string; readonly rule: string }[]): FilterRules {
  return mapRules((kind) => {
    const text = rows.find(({ name }) => name === table[kind].name)?.rule ?? "";
    return kind === "rewriteDatabases" ? parseRenamings(text) : piecesOf([text]);
  });
}

/** `(shop,shop_copy),(a,b)` */
const parseRenamings = (text: string): string[] =>
  [...text.matchAll(/\(([^()]*?),([^()]*)\)/g)].map(([, from = "", to = ""]) => `${from}->${to}`).sort();

const piecesOf = (rules: readonly string[]): string[] =>
  rules
    .join(",")
    .split(",")
    .filter((piece) => piece !== "")
    .sort();

/** The kinds of rules that differ, named as the program's properties. */
export function compareRules(wanted: FilterRules, seen: FilterRules): Difference[] {
  return filterKinds
    .filter((kind) => !isSame(piecesOf(wanted[kind]), piecesOf(seen[kind])))
    .map((kind) => ({ property: `filters.${kind}`, from: inWords(seen[kind]), to: inWords(wanted[kind]) }));
}

const inWords = (rules: readonly string[]): string => (rules.length === 0 ? "nothing" : rules.join(", "));

/** The rules back in a program's form. */
export const filtersOf = (rules: FilterRules): Filters => ({
  ...rules,
  rewriteDatabases: rules.rewriteDatabases.map((rule) => {
    const [from = "", to = ""] = rule.split("->");
    return { from, to };
  }),
});

export const hasRules = (rules: FilterRules): boolean => filterKinds.some((kind) => rules[kind].length > 0);

/** All seven kinds at once: what is not wanted is emptied. Needs the applier stopped (error 3085). */
export function changeReplicationFilter(rules: FilterRules, channel: string): Statement {
  const settings = filterKinds.map((kind) => {
    const literals = rules[kind].map(table[kind].literal);
    return sql`${keyword(table[kind].name)} = (${literals.length === 0 ? sql`` : join(literals, ", ")})`;
  });
  return sql`CHANGE REPLICATION FILTER ${join(settings, ", ")} FOR CHANNEL ${channel}`;
}

function tableName(rule: string): Statement {
  const dot = rule.indexOf(".");
  return id(rule.slice(0, dot), rule.slice(dot + 1));
}

function renaming(rule: string): Statement {
  const [from = "", to = ""] = rule.split("->");
  return sql`(${id(from)}, ${id(to)})`;
}

/**
 * The rules as startup options of this channel: a restarted mysqld starts the channel automatically, with these rules
 * only.
 */
export function renderFilterOptions(rules: FilterRules, channel: string, owner: string): string {
  const options = filterKinds.flatMap((kind) =>
    rules[kind].map((rule) => renderOption(table[kind].option, `${channel}:${rule}`)),
  );
  return [`# by sluice for ${owner}; change the declaration, not this file`, "[mysqld]", ...options, ""].join("\n");
}

/** What the option file of the filters should say; null for no file. */
export const keptFilters = (rules: FilterRules, channel: string, owner: string): string | null =>
  hasRules(rules) ? renderFilterOptions(rules, channel, owner) : null;
