import { isProblem } from "../../../errors";
import type { Report } from "../../../report";
import { mergeGrants, renderGrant, sayGrant, type Grant } from "../../privileges/grant";
import { parseAccount } from "../../privileges/privileges";
import { withWrites } from "../../read-only";
import type { MysqlClient, MysqlReader } from "../../reader";
import { systemDatabases } from "../../seed/source/facts";
import { id, sql, type Statement } from "../../sql";
import { markOf, readServer } from "./changes";

/** What a definer must have for its objects to work. */
export interface Definer {
  /** `app@%` */
  readonly account: string;
  readonly grants: readonly Grant[];
}

/** A view, a routine, a trigger or an event that runs with the rights of its definer, and what it reaches for. */
export interface DefinedObject {
  readonly definer: string;
  readonly grants: readonly Grant[];
}

/** The definers of what a dump of these databases will bring, as the source names them. */
export async function readDefiners(
  source: MysqlReader,
  databases: "ALL" | readonly string[],
): Promise<readonly string[]> {
  const isBrought = (column: Statement) =>
    databases === "ALL" ? sql`${column} NOT IN (${hidden})` : sql`${column} IN (${databases})`;
  const rows = await source.query<{ definer: string }>(
    sql`SELECT DEFINER AS definer FROM information_schema.VIEWS WHERE ${isBrought(id("TABLE_SCHEMA"))} UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ${isBrought(id("ROUTINE_SCHEMA"))} UNION SELECT DEFINER FROM information_schema.TRIGGERS WHERE ${isBrought(id("TRIGGER_SCHEMA"))} UNION SELECT DEFINER FROM information_schema.EVENTS WHERE ${isBrought(id("EVENT_SCHEMA"))}`,
    { withinSeconds: definitionSeconds },
  );
  return rows.map(({ definer }) => definer);
}

/**
 * Makes the definers before a load: a view on another view is not even made (1449, 1356) while the other's definer is not there or
 * may not read. Which rights they need is known when all is loaded; until then they may read everything, and are locked.
 */
export async function admitDefiners(mysql: MysqlClient, definers: readonly string[]): Promise<void> {
  const server = await readServer(mysql);
  const users = await readUsers(mysql);
  const missing = definers.filter((one) => isNamed(one) && !users.has(keyOf(one)));
  if (missing.length === 0) return;
  await withWrites(mysql, async () => {
    for (const account of missing) {
      const { user, host } = parseAccount(account);
      await mysql.execute(lockedAccount(account, server));
      await mysql.execute(sql`GRANT SELECT, EXECUTE ON *.* TO ${user}@${host}`);
    }
  });
}

/** An account without a name would catch the logins of every user without an account. */
const isNamed = (account: string): boolean => parseAccount(account).user !== "";

function lockedAccount(account: string, server: { readonly uuid: string }): Statement {
  const { user, host } = parseAccount(account);
  return sql`CREATE USER IF NOT EXISTS ${user}@${host} IDENTIFIED WITH caching_sha2_password BY RANDOM PASSWORD ACCOUNT LOCK ATTRIBUTE ${markOf(server, "definer")}`;
}

interface User {
  readonly name: string;
  readonly host: string;
  readonly uuid: string | null;
  readonly purpose: string | null;
}

async function readUsers(mysql: MysqlReader): Promise<ReadonlyMap<string, User>> {
  const users = await mysql.query<User>(
    sql`SELECT User AS name, Host AS host, User_attributes->>'$.metadata.sluice.server' AS uuid, User_attributes->>'$.metadata.sluice.purpose' AS purpose FROM mysql.user`,
  );
  return new Map(users.map((user) => [`${user.name}@${user.host.toLowerCase()}`, user]));
}

/**
 * A dump brings no accounts, and what runs with the rights of an account that is not there fails with 1449. So the definers of what
 * was brought become locked accounts with the rights that their objects need. May be repeated.
 */
export async function ensureDefiners(mysql: MysqlClient, object: string, report: Report): Promise<void> {
  const wanted = mergeDefiners(await readDefinedObjects(mysql));
  const server = await readServer(mysql);
  const there = await readUsers(mysql);
  const isOurs = (key: string) => there.get(key)?.uuid === server.uuid && there.get(key)?.purpose === "definer";
  const needed = wanted
    .map((definer) => ({ ...definer, key: keyOf(definer.account) }))
    .filter(({ account, key }) => isNamed(account) && (!there.has(key) || isOurs(key)));
  const outdated = [...there].filter(([key]) => isOurs(key) && !needed.some((one) => one.key === key));
  if (needed.length + outdated.length === 0) return;
  await withWrites(mysql, async () => {
    for (const { account, key, grants } of needed) {
      const { user, host } = parseAccount(account);
      if (there.has(key)) await mysql.execute(sql`REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${user}@${host}`);
      else await mysql.execute(lockedAccount(account, server));
      for (const grant of grants)
        await grantIfThere(mysql, renderGrant(grant, { user, host }, server.isPattern), () =>
          report.say(`${object}: ${account} could not be granted ${sayGrant(grant)}: objects that use it will fail`),
        );
    }
    for (const [, { name, host }] of outdated) await mysql.execute(sql`DROP USER IF EXISTS ${name}@${host}`);
  });
  if (needed.length > 0)
    report.say(
      `${object}: created locked accounts for the definers of views and programs: ${needed.map(({ account }) => account).join(", ")}`,
    );
}

const keyOf = (account: string): string => {
  const { user, host } = parseAccount(account);
  return `${user}@${host.toLowerCase()}`;
};

/** A view may name a table that is not there; it did not work on its source either. */
async function grantIfThere(mysql: MysqlClient, statement: Statement, otherwise: () => void): Promise<void> {
  try {
    await mysql.execute(statement);
  } catch (error) {
    if (!isProblem(error, "SERVER_QUERY_FAILED")) throw error;
    otherwise();
  }
}

export function mergeDefiners(objects: readonly DefinedObject[]): readonly Definer[] {
  const byAccount = new Map<string, Grant[]>();
  for (const { definer, grants } of objects) byAccount.set(definer, [...(byAccount.get(definer) ?? []), ...grants]);
  return [...byAccount].map(([account, grants]) => ({ account, grants: mergeGrants(grants) }));
}

const hidden = systemDatabases;

async function readDefinedObjects(mysql: MysqlReader): Promise<readonly DefinedObject[]> {
  const databases = await mysql.query<{ name: string }>(
    sql`SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN (${hidden})`,
  );
  const programs = await mysql.query<Program>(
    sql`SELECT DEFINER AS definer, ROUTINE_SCHEMA AS home, ROUTINE_DEFINITION AS body, 'routine' AS kind FROM information_schema.ROUTINES WHERE SECURITY_TYPE = 'DEFINER' AND ROUTINE_SCHEMA NOT IN (${hidden}) UNION ALL SELECT DEFINER, TRIGGER_SCHEMA, ACTION_STATEMENT, 'trigger' FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN (${hidden}) UNION ALL SELECT DEFINER, EVENT_SCHEMA, EVENT_DEFINITION, 'event' FROM information_schema.EVENTS WHERE EVENT_SCHEMA NOT IN (${hidden})`,
    { withinSeconds: definitionSeconds },
  );
  const names = databases.map(({ name }) => name);
  return [
    ...(await readViews(mysql)),
    ...programs.map((program) => ({ definer: program.definer, grants: programGrants(program, names) })),
  ];
}

const definitionSeconds = 300; // of 100,000 objects that were not read since the server's start

interface Program {
  readonly definer: string;
  readonly home: string;
  readonly body: string | null;
  readonly kind: "routine" | "trigger" | "event";
}

/**
 * The server does not say what a program reaches for: rights on rows of its own database, and of those that its text names.
 * Definitions only where its text has such words.
 */
export function programGrants({ home, body, kind }: Program, databases: readonly string[]): readonly Grant[] {
  const text = (body ?? "").toLowerCase();
  const named = databases.filter((name) => name === home || text.includes(name.toLowerCase()));
  const defines = /\b(?:create|alter|drop|truncate|rename)\b/.test(text);
  return named.map((database) => ({
    privileges: [
      ...rowPrivileges,
      ...(defines ? definitionPrivileges : []),
      ...(kind === "routine" || database !== home ? [] : [kind.toUpperCase()]),
    ],
    on: { kind: "TABLE", database, name: null },
  }));
}

const rowPrivileges = ["SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "CREATE TEMPORARY TABLES"];
const definitionPrivileges = ["CREATE", "ALTER", "DROP", "INDEX"];

interface View {
  readonly definer: string;
  readonly home: string;
  readonly name: string;
  readonly updatable: string;
}

interface Use {
  readonly viewHome: string;
  readonly view: string;
  readonly home: string;
  readonly name: string;
}

/** What a view uses the server knows by name. */
async function readViews(mysql: MysqlReader): Promise<readonly DefinedObject[]> {
  const limit = { withinSeconds: definitionSeconds };
  const views = await mysql.query<View>(
    sql`SELECT DEFINER AS definer, TABLE_SCHEMA AS home, TABLE_NAME AS name, IS_UPDATABLE AS updatable FROM information_schema.VIEWS WHERE SECURITY_TYPE = 'DEFINER' AND TABLE_SCHEMA NOT IN (${hidden})`,
    limit,
  );
  const tables = await mysql.query<Use>(
    sql`SELECT VIEW_SCHEMA AS viewHome, VIEW_NAME AS view, TABLE_SCHEMA AS home, TABLE_NAME AS name FROM information_schema.VIEW_TABLE_USAGE WHERE VIEW_SCHEMA NOT IN (${hidden}) AND TABLE_SCHEMA NOT IN (${hidden})`,
    limit,
  );
  const routines = await mysql.query<Use>(
    sql`SELECT TABLE_SCHEMA AS viewHome, TABLE_NAME AS view, SPECIFIC_SCHEMA AS home, SPECIFIC_NAME AS name FROM information_schema.VIEW_ROUTINE_USAGE WHERE TABLE_SCHEMA NOT IN (${hidden}) AND SPECIFIC_SCHEMA NOT IN (${hidden})`,
    limit,
  );
  const [tablesOf, routinesOf] = [byView(tables), byView(routines)];
  return views.map(({ definer, home, name, updatable }) => {
    const key = JSON.stringify([home, name]);
    return { definer, grants: viewGrants(updatable === "YES", tablesOf.get(key) ?? [], routinesOf.get(key) ?? []) };
  });
}

function byView(uses: readonly Use[]): ReadonlyMap<string, readonly Use[]> {
  const found = new Map<string, Use[]>();
  for (const use of uses) {
    const key = JSON.stringify([use.viewHome, use.view]);
    const there = found.get(key);
    if (there === undefined) found.set(key, [use]);
    else there.push(use);
  }
  return found;
}

const viewGrants = (isUpdatable: boolean, tables: readonly Use[], functions: readonly Use[]): readonly Grant[] => [
  ...tables.map(({ home, name }): Grant => ({
    privileges: isUpdatable ? ["SELECT", "INSERT", "UPDATE", "DELETE"] : ["SELECT"],
    on: { kind: "TABLE", database: home, name },
  })),
  ...functions.map(({ home, name }): Grant => ({
    privileges: ["EXECUTE"],
    on: { kind: "FUNCTION", database: home, name },
  })),
];
