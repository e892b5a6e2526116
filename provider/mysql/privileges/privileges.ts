import { has, type ServerFacts } from "../capabilities";
import { id, join, keyword, sql, type Statement } from "../sql";
import { mariadbPrivilegeNames, replicationPrivileges } from "../terms";

/** What an account may do, from its SHOW GRANTS. */
export interface Grants {
  /** Privileges by what they are on: "*.*", or a database's name as a pattern of GRANT (`%`, `_`, `\_`). */
  readonly onDatabases: ReadonlyMap<string, ReadonlySet<string>>;
  /** Privileges on one table or routine: `db.table`. */
  readonly onTables: ReadonlyMap<string, ReadonlySet<string>>;
  /** Taken back from a database (partial_revokes). */
  readonly revoked: ReadonlyMap<string, ReadonlySet<string>>;
  /** Roles as printed, `name`@`host`: their privileges show with SHOW GRANTS ... USING. */
  readonly roles: readonly string[];
}

/** One privilege, and where: all databases, or one. */
export interface Need {
  readonly privilege: string;
  /** Undefined for `*.*`. */
  readonly database?: string | undefined;
  /** Privileges on `*.*` that do as well. */
  readonly orElse?: readonly string[];
  /** Ends "needed to ...", for errors. */
  readonly why: string;
}

const everywhere = "*.*";

/** Reads the rows of SHOW GRANTS; a row it does not know grants nothing. */
export function parseGrants(rows: readonly string[]): Grants {
  const onDatabases = new Map<string, Set<string>>();
  const onTables = new Map<string, Set<string>>();
  const revoked = new Map<string, Set<string>>();
  const roles: string[] = [];
  for (const row of rows) {
    const grant = grantPattern.exec(row);
    if (grant === null) {
      const role = /^GRANT\s+([`'"].*?)\s+TO\s+/is.exec(row)?.[1];
      if (role !== undefined) roles.push(...role.split(/,\s*(?=[`'"])/));
      continue;
    }
    const [, verb = "", list = "", on = ""] = grant;
    const target = parseTarget(on);
    if (target === undefined) continue;
    const map = verb.toUpperCase() === "REVOKE" ? revoked : target.isTable ? onTables : onDatabases;
    map.set(target.name, new Set([...(map.get(target.name) ?? []), ...parsePrivileges(list)]));
  }
  return { onDatabases, onTables, revoked, roles };
}

const grantPattern =
  /^(GRANT|REVOKE)\s+(.*?)\s+ON\s+(?:(?:TABLE|FUNCTION|PROCEDURE)\s+)?(\*\.\*|(?:`(?:``|[^`])+`|"[^"]+"|[^\s.`"]+)\.(?:\*|`(?:``|[^`])+`|"[^"]+"|[^\s`"]+))\s+(?:TO|FROM)\s/is;

/** `*.*`, `` `shop`.* ``, `` `shop`.`orders` ``. */
function parseTarget(on: string): { readonly name: string; readonly isTable: boolean } | undefined {
  if (on === everywhere) return { name: everywhere, isTable: false };
  const match = /^([`"]?)((?:``|[^`"])+)\1\.(.+)$/.exec(on);
  if (match?.[2] === undefined) return undefined;
  const database = match[2].replaceAll("``", "`");
  if (match[3] === "*") return { name: database, isTable: false };
  return { name: `${database}.${(match[3] ?? "").replace(/^[`"]|[`"]$/g, "")}`, isTable: true };
}

/** Column lists belong to their privilege: `SELECT (a, b), INSERT` is INSERT alone, since SELECT is of columns only. */
function parsePrivileges(list: string): readonly string[] {
  const whole = list.replace(/[A-Z ]+\([^)]*\)/gi, "");
  return whole
    .split(",")
    .map((one) => canonicalPrivilege(one))
    .filter((one) => one !== "");
}

function canonicalPrivilege(privilege: string): string {
  const name = privilege.trim().replace(/\s+/g, " ").toUpperCase();
  return mariadbPrivilegeNames[name] ?? (name === "ALL PRIVILEGES" ? "ALL" : name);
}

/** What SUPER still allows, in addition to the privileges that replace it. */
const impliedBySuper = new Set<string>([
  replicationPrivileges.administer,
  replicationPrivileges.observe,
  "BINLOG_ADMIN",
  "BACKUP_ADMIN",
  "CONNECTION_ADMIN",
  "GROUP_REPLICATION_ADMIN",
  "SYSTEM_VARIABLES_ADMIN",
  "SESSION_VARIABLES_ADMIN",
]);

/** The needs that the grants do not meet, in their order. */
export const missingPrivileges = (grants: Grants, needs: readonly Need[]): readonly Need[] =>
  needs.filter((need) => {
    const others = (need.orElse ?? []).map((privilege): Need => ({ privilege, why: need.why }));
    return ![need, ...others].some((one) => meets(grants, one));
  });

function meets(grants: Grants, need: Need): boolean {
  const holds = (set: ReadonlySet<string> | undefined, isGlobal: boolean) =>
    set !== undefined &&
    (set.has(need.privilege) || set.has("ALL") || (isGlobal && set.has("SUPER") && impliedBySuper.has(need.privilege)));
  const { database } = need;
  if (holds(grants.onDatabases.get(everywhere), true)) {
    return database === undefined || !holds(grants.revoked.get(database), false);
  }
  if (database === undefined) return false;
  return [...grants.onDatabases].some(([pattern, set]) => matchesPattern(pattern, database) && holds(set, false));
}

/** The database of a GRANT is a pattern: `%` any text, `_` any character, `\` before either means itself. */
export function matchesPattern(pattern: string, database: string): boolean {
  const expression = pattern.replace(/\\([%_])|%|_|[.*+?^${}()|[\]\\]/g, (found, literal: string | undefined) => {
    if (literal !== undefined) return literal;
    if (found === "%") return ".*";
    return found === "_" ? "." : `\\${found}`;
  });
  return new RegExp(`^${expression}$`, "su").test(database);
}

/** `app@10.%` as CURRENT_USER() prints it; the host follows the last `@`. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

export function parseAccount(text: string): Account {
  const at = text.lastIndexOf("@");
  return at < 0 ? { user: text, host: "%" } : { user: text.slice(0, at), host: text.slice(at + 1) };
}

export const renderAccount = ({ user, host }: Account): Statement => sql`${user}@${host}`;

/** The GRANT statements that give what is missing: one for all databases, one for each database. */
export function renderGrants(missing: readonly Need[], account: Account): readonly Statement[] {
  const byTarget = new Map<string | undefined, Set<string>>();
  for (const { privilege, database } of missing) {
    byTarget.set(database, new Set([...(byTarget.get(database) ?? []), privilege]));
  }
  return [...byTarget].map(([database, privileges]) => {
    const list = join([...privileges].map(keyword), ", ");
    const target = database === undefined ? sql`*.*` : sql`${id(database.replace(/[%_\\]/g, "\\$&"))}.*`;
    return sql`GRANT ${list} ON ${target} TO ${renderAccount(account)}`;
  });
}

/** What the replica's account must have on the source. */
export const followNeeds = (): readonly Need[] => [
  { privilege: replicationPrivileges.follow, why: "fetch the binary log" },
];

/** What is needed to look at a source: its position, its GTIDs, who follows it. */
export const observeNeeds = (): readonly Need[] => [
  { privilege: replicationPrivileges.observe, why: "read the position of the binary log" },
];

/**
 * What a consistent dump with its position takes: LOCK TABLES for the moment in which its snapshot is opened, and
 * mysqldump --single-transaction --routines --events --triggers. Neither RELOAD nor FLUSH_TABLES.
 * Databases "ALL" asks for the privileges everywhere.
 */
export function dumpNeeds(
  server: ServerFacts,
  databases: readonly string[] | "ALL",
  { hasPerformanceSchema = true }: { readonly hasPerformanceSchema?: boolean } = {},
): readonly Need[] {
  const places = databases === "ALL" ? [undefined] : databases;
  const inDatabases = (privilege: string, why: string): readonly Need[] =>
    places.map((database) => ({ privilege, database, why }));
  // Before 8.0.20 only SELECT everywhere shows the bodies of other people's routines.
  const routines: readonly Need[] = has(server, "showRoutine")
    ? [{ privilege: "SHOW_ROUTINE", orElse: ["SELECT"], why: "read the bodies of routines" }]
    : [{ privilege: "SELECT", why: "read the bodies of routines" }];
  return [
    ...inDatabases("SELECT", "read tables"),
    ...inDatabases("SHOW VIEW", "read the definitions of views"),
    ...inDatabases("TRIGGER", "read triggers"),
    ...inDatabases("EVENT", "read events"),
    ...inDatabases("LOCK TABLES", "hold writes for the moment in which the snapshot is opened"),
    { privilege: "PROCESS", why: "see who waits for the dump, and how long the history list is" },
    ...(hasPerformanceSchema && databases !== "ALL"
      ? [{ privilege: "SELECT", database: "performance_schema", why: "see which sessions wait for the dump" }]
      : []),
    { privilege: replicationPrivileges.observe, why: "read the position of the binary log" },
    ...routines,
  ];
}

/** What a donor's account must have. */
export const cloneDonorNeeds = (): readonly Need[] => [
  { privilege: "BACKUP_ADMIN", why: "be cloned" },
  { privilege: replicationPrivileges.observe, why: "read the position of the binary log" },
];
