import { textIn } from "../../cells";
import type { MysqlReader } from "../../reader";
import { sql } from "../../sql";

/** What decides whether the applier finds a row of a table that was filled by a dump. */
export interface ErrorTable {
  /** Columns whose values mysqldump rounds to six digits: FLOAT without declared digits. */
  readonly floatColumns: readonly string[];
  /** True if a unique key without NULL and without FLOAT finds the row; else all values of the row are compared. */
  readonly isFoundByKey: boolean;
  /** `InnoDB` */
  readonly engine: string;
}

interface TableName {
  readonly database: string;
  readonly table: string;
}

/** The table that an error of a row event names: "Could not execute Update_rows event on table shop.t; ...". */
export function tableNamed(message: string): TableName | null {
  const [, database, table] = /\bon table ([^.;]+)\.([^;]+?);/.exec(message) ?? [];
  return database === undefined || table === undefined ? null : { database, table };
}

/** Null if the replica does not have the table. */
async function readErrorTable(mysql: MysqlReader, { database, table }: TableName): Promise<ErrorTable | null> {
  const [tables, columns, keys] = await Promise.all([
    mysql.query(
      sql`SELECT ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${database} AND TABLE_NAME = ${table}`,
    ),
    mysql.query(
      sql`SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ${database} AND TABLE_NAME = ${table}
        AND DATA_TYPE = 'float' AND NUMERIC_SCALE IS NULL ORDER BY ORDINAL_POSITION`,
    ),
    mysql.query(
      sql`SELECT INDEX_NAME AS name, COLUMN_NAME AS \`column\`, NULLABLE AS nullable FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = ${database} AND TABLE_NAME = ${table} AND NON_UNIQUE = 0`,
    ),
  ]);
  if (tables[0] === undefined) return null;
  const floatColumns = columns.map((row) => textIn(row, "name"));
  const namesOf = (rows: typeof keys) => new Set(rows.map((row) => textIn(row, "name")));
  const unfit = namesOf(
    keys.filter((row) => textIn(row, "nullable") === "YES" || floatColumns.includes(textIn(row, "column"))),
  );
  return {
    floatColumns,
    isFoundByKey: [...namesOf(keys)].some((name) => !unfit.has(name)),
    engine: textIn(tables[0], "engine"),
  };
}

/** ER_DUP_ENTRY, ER_KEY_NOT_FOUND: the columns, keys and engine of the table decide what the error means. */
const rowErrnos = [1062, 1032];

/** The error with what is known about its table. */
export async function withTable<E extends { readonly errno: number; readonly message: string }>(
  mysql: MysqlReader,
  error: E | null,
): Promise<(E & { readonly table?: ErrorTable }) | null> {
  const named = error !== null && rowErrnos.includes(error.errno) ? tableNamed(error.message) : null;
  const table = named === null ? null : await readErrorTable(mysql, named);
  return error === null || table === null ? error : { ...error, table };
}
