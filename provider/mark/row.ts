import { withBriefLock } from "../mysql/lock/lock";
import type { MysqlClient, MysqlReader } from "../mysql/reader";
import { withWrites } from "../mysql/read-only";
import { errnoOf } from "../mysql/fault/fault";
import { sql } from "../mysql/sql";
import { markOf, parseMark, type Former, type Mark } from "./mark";

export const ownershipDatabase = "sluice";
export const ownershipTable = "ownership";
/** With the name, identifies Sluice's table: a user may have one of that name. */
export const ownershipComment = "What pulumi-sluice made in this server, and for whom";

const unknownTableErrnos = new Set([1049, 1146]); // no such database, no such table

/**
 * The mark on an object of this server (`channel orders`), or null. Marks that were copied with the data from
 * another server have its uuid and are ignored.
 */
export async function readRowMark<Record extends object>(
  mysql: MysqlReader,
  object: string,
): Promise<Mark<Record> | null> {
  try {
    // All rows: several objects of one server then ask the same question, which is put once (provider/readers.ts).
    const rows = await mysql.query<{ object: string; owner: string; note: string }>(
      sql`SELECT object, owner, note FROM sluice.ownership WHERE server_uuid = @@GLOBAL.server_uuid`,
    );
    const row = rows.find((one) => one.object === object);
    if (row === undefined) return null;
    const place = { object: `server ${mysql.name}`, mark: "the row of sluice.ownership", marked: object };
    return parseMark<Record>(row.note.replace(/^\d+ /, ""), (read) => formerRowMark(row.owner, read), place);
  } catch (error) {
    if (unknownTableErrnos.has(errnoOf(error))) return null;
    throw error;
  }
}

/** A mark of version 1; it marked only channels. */
export function formerRowMark<Record extends object>(owner: string, { seal = null, ...record }: Former): Mark<Record> {
  const identity = owner === "" ? null : { kind: "ReplicationChannel", name: owner, seal: seal as string | null };
  return markOf(identity, record as Record);
}

/**
 * Replaces the mark by what `change` makes of it; null removes it. `change` may refuse: no other session of Sluice
 * changes a mark of this server between the reading and the writing, whatever address it connected to. May be repeated.
 */
export async function changeRowMark<Record extends object>(
  mysql: MysqlClient,
  object: string,
  change: (found: Mark<Record> | null) => Mark<Record> | null,
): Promise<void> {
  await withBriefLock(mysql, "sluice.ownership", async () => {
    const found = await readRowMark<Record>(mysql, object);
    const mark = change(found);
    if (mark !== null && mark === found) return;
    if (mark === null) await removeMark(mysql, object);
    else await writeMark(mysql, object, mark);
  });
}

/**
 * Column `owner` repeats the identity's name, for people who look into the table. The version stands first: a pulumi-sluice of
 * version 1 would find a JSON text without seal and positions, and claim the channel again; it cannot read this text, and stops.
 */
const writeMark = (mysql: MysqlClient, object: string, mark: Mark): Promise<void> =>
  withWrites(mysql, async () => {
    await mysql.execute(sql`CREATE DATABASE IF NOT EXISTS sluice`);
    await mysql.execute(createTable);
    await mysql.execute(sql`DELETE FROM sluice.ownership WHERE server_uuid <> @@GLOBAL.server_uuid`);
    await mysql.execute(sql`REPLACE INTO sluice.ownership (object, server_uuid, owner, note)
      VALUES (${object}, @@GLOBAL.server_uuid, ${mark.identity?.name ?? ""}, ${`${String(mark.version)} ${JSON.stringify(mark)}`})`);
  });

const createTable = sql`CREATE TABLE IF NOT EXISTS sluice.ownership (
  object VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  server_uuid CHAR(36) CHARACTER SET ascii NOT NULL,
  owner VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  note TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (object)
) ENGINE = InnoDB COMMENT = ${ownershipComment}`;

/** Drops marks that were copied with the data of another server. What else is in a database of that name is the user's. */
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
