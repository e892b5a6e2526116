import { has } from "../../capabilities";
import type { MysqlReader } from "../../reader";
import { ownershipComment, ownershipDatabase, ownershipTable } from "../../../mark/row";
import { join, sql, type Statement } from "../../sql";
import { systemDatabases, type CrossReference, type DatabaseFacts, type SourceObject } from "./facts";

const sizesSeconds = 300; // statistics of 100,000 tables that were not read since the server's start
const mostRows = 10_000; // enough for a list that a person reads; the query that finds more is in the manual

const isOurTable = sql`(TABLE_SCHEMA = ${ownershipDatabase} AND TABLE_NAME = ${ownershipTable} AND TABLE_COMMENT = ${ownershipComment})`;

/**
 * A database that holds only Sluice's own table belongs to Sluice; with anything else in it, or empty, it is the
 * user's.
 */
const isNotOurs = sql`NOT (s.SCHEMA_NAME = ${ownershipDatabase} AND EXISTS (SELECT 1 FROM information_schema.TABLES WHERE ${isOurTable}) AND NOT EXISTS (SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${ownershipDatabase} AND NOT ${isOurTable}) AND NOT EXISTS (SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ${ownershipDatabase}) AND NOT EXISTS (SELECT 1 FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ${ownershipDatabase}))`;

/** Of SCHEMATA s: what `databases: "ALL"` brings. */
const isUsers = sql`s.SCHEMA_NAME NOT IN (${systemDatabases}) AND ${isNotOurs}`;

/** One name a line, as `hexName` writes it. */
export const listDatabases = sql`SELECT HEX(s.SCHEMA_NAME) FROM information_schema.SCHEMATA s WHERE ${isUsers}`;

/** A name may hold any character, a line break too. */
export const hexName = (name: string): string => Buffer.from(name).toString("hex").toUpperCase();

/** User databases with their sizes, by name. */
export async function readDatabases(mysql: MysqlReader): Promise<DatabaseFacts[]> {
  const rows = await mysql.query<{ name: string; bytes: string | null; rowBytes: string | null }>(
    sql`SELECT s.SCHEMA_NAME AS name, SUM(t.DATA_LENGTH + t.INDEX_LENGTH) AS bytes, SUM(t.DATA_LENGTH) AS rowBytes FROM information_schema.SCHEMATA s LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME WHERE ${isUsers} GROUP BY s.SCHEMA_NAME ORDER BY s.SCHEMA_NAME`,
    { withinSeconds: sizesSeconds },
  );
  return rows.map(({ name, bytes, rowBytes }) => ({
    name,
    bytes: Number(bytes ?? 0),
    rowBytes: Number(rowBytes ?? 0),
  }));
}

/** A user's table with the name of Sluice's own: marks could not be stored. */
export const readTakenBooks = (mysql: MysqlReader): Promise<SourceObject[]> =>
  mysql.query<{ database: string; name: string }>(
    sql`SELECT TABLE_SCHEMA AS \`database\`, CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${ownershipDatabase} AND TABLE_NAME = ${ownershipTable} AND NOT ${isOurTable}`,
  );

/** They are not part of a snapshot, and CLONE copies none of their rows. */
export const readForeignTables = (mysql: MysqlReader): Promise<SourceObject[]> =>
  mysql.query<{ database: string; name: string }>(
    sql`SELECT TABLE_SCHEMA AS \`database\`, CONCAT(TABLE_SCHEMA, '.', TABLE_NAME, ' (', ENGINE, ')') AS name FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB' AND TABLE_SCHEMA NOT IN (${systemDatabases}) ORDER BY 2 LIMIT ${mostRows}`,
    { withinSeconds: sizesSeconds },
  );

/** Printed with six digits, where a FLOAT holds up to nine (9.7); FLOAT(M,D) has been rounded to what is printed when it was stored. */
export const readFloatColumns = (mysql: MysqlReader): Promise<SourceObject[]> =>
  mysql.query<{ database: string; name: string }>(
    sql`SELECT c.TABLE_SCHEMA AS \`database\`, CONCAT(c.TABLE_SCHEMA, '.', c.TABLE_NAME, '.', c.COLUMN_NAME) AS name FROM information_schema.COLUMNS c JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME AND t.TABLE_TYPE = 'BASE TABLE' WHERE c.DATA_TYPE = 'float' AND c.NUMERIC_SCALE IS NULL AND c.EXTRA NOT LIKE '%GENERATED%' AND c.TABLE_SCHEMA NOT IN (${systemDatabases}) ORDER BY 2 LIMIT ${mostRows}`,
    { withinSeconds: sizesSeconds },
  );

/**
 * Objects that cannot be created without another database. Triggers, routines and events look names up only when they
 * run.
 */
export async function readCrossReferences(mysql: MysqlReader): Promise<CrossReference[]> {
  const foreignKeys = sql`SELECT CONSTRAINT_SCHEMA AS \`database\`, UNIQUE_CONSTRAINT_SCHEMA AS needs, CONCAT('foreign key ', CONSTRAINT_SCHEMA, '.', TABLE_NAME, '.', CONSTRAINT_NAME, ' references ', UNIQUE_CONSTRAINT_SCHEMA, '.', REFERENCED_TABLE_NAME) AS name FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA <> UNIQUE_CONSTRAINT_SCHEMA`;
  const views = sql`SELECT VIEW_SCHEMA, TABLE_SCHEMA, CONCAT('view ', VIEW_SCHEMA, '.', VIEW_NAME, ' reads ', TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.VIEW_TABLE_USAGE WHERE VIEW_SCHEMA <> TABLE_SCHEMA`;
  const functions = sql`SELECT TABLE_SCHEMA, SPECIFIC_SCHEMA, CONCAT('view ', TABLE_SCHEMA, '.', TABLE_NAME, ' calls ', SPECIFIC_SCHEMA, '.', SPECIFIC_NAME) FROM information_schema.VIEW_ROUTINE_USAGE WHERE TABLE_SCHEMA <> SPECIFIC_SCHEMA`;
  const parts: Statement[] = has(mysql.server, "viewUsage")
    ? [foreignKeys, sql`UNION ALL ${views}`, sql`UNION ALL ${functions}`]
    : [foreignKeys];
  const rows = await mysql.query<{ database: string; needs: string; name: string }>(
    sql`${join(parts, " ")} ORDER BY 3 LIMIT ${mostRows}`,
    { withinSeconds: sizesSeconds },
  );
  const hidden = new Set(systemDatabases);
  return rows.filter(({ database, needs }) => !hidden.has(database) && !hidden.has(needs));
}
