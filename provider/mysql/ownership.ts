import type { MysqlClient } from "./reader";
import { errnoOf } from "./fault/fault";
import type { MysqlReader } from "./reader";
import { withWrites } from "./read-only";
import { withServerLock } from "./lock/lock";
import { sql } from "./sql";

/** Whose an object that lives inside a server is, and what its room noted down about it. */
export interface ServerMark {
  /** `project/stack/name`; null where the object is gone, and only the note is left for whoever makes it again. */
  readonly owner: string | null;
  /** Data of the room, as JSON. */
  readonly note: Readonly<Record<string, unknown>>;
}

export const ownershipDatabase = "sluice";
export const ownershipTable = "ownership";
/** With the name, what tells our table from one of the user's. */
export const ownershipComment = "What pulumi-sluice made in this server, and for whom";

const unknownTableErrnos = new Set([1049, 1146]); // no such database, no such table

/**
 * The mark on an object of this server (`channel orders`), or null. Marks that came along when the data was copied from
 * another server carry its uuid and count as absent.
 */
export async function readMark(mysql: MysqlReader, object: string): Promise<ServerMark | null> {
  try {
    // All of them: whoever looks at several objects of one server asks once (provider/readers.ts).
    const rows = await mysql.query<{ object: string; owner: string; note: string }>(
      sql`SELECT object, owner, note FROM sluice.ownership WHERE server_uuid = @@GLOBAL.server_uuid`,
    );
    const row = rows.find((one) => one.object === object);
    if (row === undefined) return null;
    return { owner: row.owner === "" ? null : row.owner, note: JSON.parse(row.note) as ServerMark["note"] };
  } catch (error) {
    if (unknownTableErrnos.has(errnoOf(error))) return null;
    throw error;
  }
}

/**
 * Makes the mark, or null for none, out of the one that is there. `change` may refuse: between its look and the writing nobody
 * else of us changes a mark of this server, whatever name they reach it by. May be repeated.
 */
export async function changeMark(
  mysql: MysqlClient,
  object: string,
  change: (found: ServerMark | null) => ServerMark | null,
): Promise<void> {
  await withServerLock(mysql, "sluice.ownership", async () => {
    const found = await readMark(mysql, object);
    const mark = change(found);
    if (mark !== null && mark === found) return;
    if (mark === null) await removeMark(mysql, object);
    else await writeMark(mysql, object, mark);
  });
}

const writeMark = (mysql: MysqlClient, object: string, { owner, note }: ServerMark): Promise<void> =>
  withWrites(mysql, async () => {
    await mysql.execute(sql`CREATE DATABASE IF NOT EXISTS sluice`);
    await mysql.execute(createTable);
    await mysql.execute(sql`DELETE FROM sluice.ownership WHERE server_uuid <> @@GLOBAL.server_uuid`);
    await mysql.execute(sql`REPLACE INTO sluice.ownership (object, server_uuid, owner, note)
      VALUES (${object}, @@GLOBAL.server_uuid, ${owner ?? ""}, ${JSON.stringify(note)})`);
  });

const createTable = sql`CREATE TABLE IF NOT EXISTS sluice.ownership (
  object VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  server_uuid CHAR(36) CHARACTER SET ascii NOT NULL,
  owner VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  note TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (object)
) ENGINE = InnoDB COMMENT = ${ownershipComment}`;

/** Drops marks that came along with the data of another server. What else is in a database of that name is the user's. */
export async function dropMarks(mysql: MysqlClient): Promise<void> {
  const ours = await mysql.queryRow(
    sql`SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${ownershipDatabase} AND TABLE_NAME = ${ownershipTable} AND TABLE_COMMENT = ${ownershipComment}`,
  );
  if (ours === undefined) return;
  await mysql.execute(sql`DROP TABLE sluice.ownership`);
  const rest = await mysql.queryRow(
    sql`SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${ownershipDatabase} UNION ALL SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ${ownershipDatabase} UNION ALL SELECT 1 FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ${ownershipDatabase} LIMIT 1`,
  );
  if (rest === undefined) await mysql.execute(sql`DROP DATABASE sluice`);
}

/** With the last mark goes the table, and the database if nothing else is in it. */
async function removeMark(mysql: MysqlClient, object: string): Promise<void> {
  if (!(await readTables(mysql)).includes("ownership")) return;
  await withWrites(mysql, async () => {
    await mysql.execute(
      sql`DELETE FROM sluice.ownership WHERE object = ${object} OR server_uuid <> @@GLOBAL.server_uuid`,
    );
    if ((await mysql.queryRow(sql`SELECT 1 FROM sluice.ownership LIMIT 1`)) !== undefined) return;
    await mysql.execute(sql`DROP TABLE sluice.ownership`);
    if ((await readTables(mysql)).length === 0) await mysql.execute(sql`DROP DATABASE sluice`);
  });
}

async function readTables(mysql: MysqlReader): Promise<string[]> {
  const rows = await mysql.query<{ name: string }>(
    sql`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'sluice'`,
  );
  return rows.map(({ name }) => name);
}
