import { nearest } from "../../schema/words";
import type { Account } from "./privileges";
import { id, join, keyword, sql, type Statement } from "../sql";

/** Privileges on one thing: all databases, one, a table or view, or a routine. */
export interface Grant {
  /** In the order of the alphabet. */
  readonly privileges: readonly string[];
  readonly on: GrantTarget;
}

export interface GrantTarget {
  readonly kind: "TABLE" | "FUNCTION" | "PROCEDURE";
  /** Null for all databases. */
  readonly database: string | null;
  /** Null for everything in it. */
  readonly name: string | null;
}

/** MySQL's manual, "Privileges Provided by MySQL"; those of one word with `_` are dynamic, and the server knows which it has. */
const staticPrivileges = [
  "ALL",
  "ALTER",
  "ALTER ROUTINE",
  "CREATE",
  "CREATE ROLE",
  "CREATE ROUTINE",
  "CREATE TABLESPACE",
  "CREATE TEMPORARY TABLES",
  "CREATE USER",
  "CREATE VIEW",
  "DELETE",
  "DROP",
  "DROP ROLE",
  "EVENT",
  "EXECUTE",
  "FILE",
  "INDEX",
  "INSERT",
  "LOCK TABLES",
  "PROCESS",
  "REFERENCES",
  "RELOAD",
  "REPLICATION CLIENT",
  "REPLICATION SLAVE",
  "SELECT",
  "SHOW DATABASES",
  "SHOW VIEW",
  "SHUTDOWN",
  "SUPER",
  "TRIGGER",
  "UPDATE",
];

const namePattern = "(?:`(?:``|[^`])+`|[^\\s.`]+)";
const grantPattern = new RegExp(
  `^\\s*([A-Za-z_ ,]+?)\\s+ON\\s+(?:(TABLE|FUNCTION|PROCEDURE)\\s+)?(\\*|${namePattern})\\s*\\.\\s*(\\*|${namePattern})\\s*$`,
  "i",
);

/**
 * `SELECT, SHOW VIEW ON shop.*`, `EXECUTE ON PROCEDURE shop.bill`, `PROCESS ON *.*`; names may be quoted by backticks.
 * Or why not.
 */
export function parseGrant(text: string): Grant | { readonly problem: string } {
  const match = grantPattern.exec(text);
  if (match === null) return { problem: "is not of the form `PRIVILEGE, PRIVILEGE ON database.table`" };
  const [, list = "", kind = "TABLE", database = "", name = ""] = match;
  const privileges = list.split(",").map((one) => canonicalPrivilege(one));
  const on: GrantTarget = {
    kind: kind.toUpperCase() as GrantTarget["kind"],
    database: database === "*" ? null : unquoted(database),
    name: name === "*" ? null : unquoted(name),
  };
  const problem =
    targetProblem(on) ?? privileges.map((one) => privilegeProblem(one, on)).find((one) => one !== undefined);
  return problem === undefined ? { privileges: [...new Set(privileges)].sort(), on } : { problem };
}

const canonicalPrivilege = (text: string): string => {
  const words = text.trim().replace(/\s+/g, " ").toUpperCase();
  return words === "ALL PRIVILEGES" ? "ALL" : words;
};

const unquoted = (name: string): string => (name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name);

function targetProblem({ kind, database, name }: GrantTarget): string | undefined {
  if (database === null && name !== null) return "names a table without its database";
  if (kind !== "TABLE" && (database === null || name === null)) return "must name the routine as database.routine";
  return undefined;
}

function privilegeProblem(privilege: string, { database }: GrantTarget): string | undefined {
  if (privilege === "ALL" && database === null)
    return "ALL on *.* would also allow to change this server and its accounts; name the privileges, or the databases";
  if (staticPrivileges.includes(privilege)) return undefined;
  if (/^[A-Z]+(?:_[A-Z]+)+$/.test(privilege))
    return database === null ? undefined : `${privilege} can be granted on *.* only`;
  const near = nearest(privilege, staticPrivileges);
  return `${privilege === "" ? "a privilege" : privilege} is not a privilege${near === undefined ? "" : `; did you mean ${near}?`}`;
}

/** What an account has in addition to its grants, as SHOW GRANTS shows it: roles, proxies, columns, restrictions. */
export interface ShownGrants {
  readonly grants: readonly Grant[];
  readonly others: readonly string[];
}

/** Rows of SHOW GRANTS. The database of a grant is a pattern there, unless partial_revokes is on. */
export function parseShownGrants(rows: readonly string[], isPattern: boolean): ShownGrants {
  const grants: Grant[] = [];
  const others: string[] = [];
  for (const row of rows) {
    const match = /^GRANT (.+) TO [`'"](?:``|[^`'"])*[`'"]@[`'"][^`'"]*[`'"]( WITH GRANT OPTION)?$/.exec(row);
    const text = match?.[1] ?? "";
    if (/^USAGE ON \*\.\*$/.test(text) && match?.[2] === undefined) continue;
    const on = grantPattern.exec(text);
    if (on === null || match?.[2] !== undefined) {
      others.push(row);
      continue;
    }
    const [, list = "", kind = "TABLE", database = "", name = ""] = on;
    const plain = unquoted(database);
    grants.push({
      privileges: list.split(",").map(canonicalPrivilege).sort(),
      on: {
        kind: kind.toUpperCase() as GrantTarget["kind"],
        database: database === "*" ? null : name === "*" && isPattern ? plain.replace(/\\([%_\\])/g, "$1") : plain,
        name: name === "*" ? null : unquoted(name),
      },
    });
  }
  return { grants: mergeGrants(grants), others };
}

/** One grant for each target, in a fixed order. */
export function mergeGrants(grants: readonly Grant[]): readonly Grant[] {
  const byTarget = new Map<string, Grant>();
  for (const { privileges, on } of grants) {
    const key = sayTarget(on);
    const all = [...new Set([...(byTarget.get(key)?.privileges ?? []), ...privileges])].sort();
    byTarget.set(key, { privileges: all.includes("ALL") ? ["ALL"] : all, on });
  }
  return [...byTarget].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, grant]) => grant);
}

/** How a server compares the names of grants. */
export interface GrantNames {
  /** `lower_case_table_names` is not 0: upper and lower case are the same in names of databases and tables. */
  readonly ignoresCase: boolean;
}

/** What `wanted` has and `seen` has not. */
export function grantsBeyond(
  wanted: readonly Grant[],
  seen: readonly Grant[],
  { ignoresCase }: GrantNames,
): readonly Grant[] {
  const keyOf = ({ kind, database, name }: GrantTarget): string =>
    sayTarget({
      kind,
      database: ignoresCase ? (database?.toLowerCase() ?? null) : database,
      // mysql.procs_priv keeps the names of routines in lower case, and SHOW GRANTS prints them so.
      name: ignoresCase || kind !== "TABLE" ? (name?.toLowerCase() ?? null) : name,
    });
  const has = new Map<string, readonly string[]>();
  for (const grant of seen) has.set(keyOf(grant.on), [...(has.get(keyOf(grant.on)) ?? []), ...singlePrivileges(grant)]);
  return mergeGrants(wanted).flatMap((grant) => {
    const there = has.get(keyOf(grant.on)) ?? [];
    const missing = singlePrivileges(grant).filter((one) => !there.includes(one));
    return missing.length === 0 ? [] : [{ privileges: missing, on: grant.on }];
  });
}

/** SHOW GRANTS prints `ALL PRIVILEGES` for databases and tables, and for a routine what ALL consists of. */
const singlePrivileges = ({ privileges, on }: Grant): readonly string[] =>
  on.kind !== "TABLE" && privileges.includes("ALL") ? ["ALTER ROUTINE", "EXECUTE"] : privileges;

export const sayGrant = ({ privileges, on }: Grant): string => `${privileges.join(", ")} ON ${sayTarget(on)}`;

function sayTarget({ kind, database, name }: GrantTarget): string {
  const word = (text: string | null) =>
    text === null ? "*" : /^[\w$]+$/.test(text) ? text : `\`${text.replaceAll("`", "``")}\``;
  return `${kind === "TABLE" ? "" : `${kind} `}${word(database)}.${word(name)}`;
}

export const renderGrant = (grant: Grant, account: Account, isPattern: boolean): Statement =>
  sql`GRANT ${renderPrivileges(grant)} ON ${renderTarget(grant.on, isPattern)} TO ${account.user}@${account.host}`;

export const renderRevoke = (grant: Grant, account: Account, isPattern: boolean): Statement =>
  sql`REVOKE ${renderPrivileges(grant)} ON ${renderTarget(grant.on, isPattern)} FROM ${account.user}@${account.host}`;

const renderPrivileges = ({ privileges }: Grant): Statement => join(privileges.map(keyword), ", ");

/** `_` and `%` in a database's name would be wildcards: the account would reach databases that are not declared. */
function renderTarget({ kind, database, name }: GrantTarget, isPattern: boolean): Statement {
  if (database === null) return sql`*.*`;
  if (name === null) return sql`${id(isPattern ? database.replace(/[%_\\]/g, "\\$&") : database)}.*`;
  return sql`${keyword(kind)} ${id(database, name)}`;
}
