import { SluiceError } from "../../errors";
import { setSealed, withWrites } from "../read-only";
import type { MysqlClient, MysqlReader } from "../reader";
import { dropMarks } from "../../mark/row";
import { resetBinaryLogsAndGtids } from "../terms";
import { sql, type Statement } from "../sql";
import { jobFiles } from "./script";
import { readDatabases } from "./source/objects";
import type { Files } from "./client-options";

const largestPacketBytes = 1_073_741_824; // max_allowed_packet's own limit: a row that the source could store can be loaded

/**
 * The statements around a load. Without the redo log every page is written only once (manual, "Disabling Redo
 * Logging"); a server that crashes meanwhile cannot start again, so a seeding that breaks off begins with empty data.
 */
export async function frameFiles(mysql: MysqlClient): Promise<Files> {
  const row = await mysql.queryRow<{ packet: number; readOnly: number }>(
    sql`SELECT @@GLOBAL.max_allowed_packet AS packet, @@GLOBAL.super_read_only AS readOnly`,
  );
  return {
    [jobFiles.before]: renderStatements(
      // read_only stays: only the management account writes.
      setSealed(false),
      sql`SET GLOBAL max_allowed_packet = ${largestPacketBytes}`,
      sql`ALTER INSTANCE DISABLE INNODB REDO_LOG`,
    ),
    [jobFiles.after]: renderStatements(
      sql`ALTER INSTANCE ENABLE INNODB REDO_LOG`,
      sql`SET GLOBAL max_allowed_packet = ${row?.packet ?? largestPacketBytes}`,
      setSealed(row?.readOnly !== 0),
    ),
  };
}

const renderStatements = (...statements: readonly Statement[]): string =>
  statements.map(({ text }) => `${text};\n`).join("");

/** Throws if the server already holds a database: a seeding never mixes with existing data. */
export async function requireEmpty(mysql: MysqlClient, object: string): Promise<void> {
  const databases = await readDatabases(mysql);
  if (databases.length === 0) return;
  throw new SluiceError({
    code: "SEED_FAILED",
    object,
    what: "cannot be seeded, it is not empty",
    found: `databases ${databases.map(({ name }) => name).join(", ")}`,
    needs: "a server without user databases",
    fix: "delete its data first: change `reseed`",
  });
}

export interface Loaded {
  /** Sets what the server has executed; null sets nothing, because it is unknown. */
  readonly gtidExecuted: string | null;
}

export interface Filled {
  readonly databases: readonly string[];
  readonly bytes: number;
}

/** After a load: the history of the source in place of our own. May be repeated. */
export async function finishLoad(mysql: MysqlClient, { gtidExecuted }: Loaded): Promise<Filled> {
  await withWrites(mysql, async () => {
    await dropMarks(mysql);
    await mysql.execute(resetBinaryLogsAndGtids(mysql.server));
    if (gtidExecuted !== null && gtidExecuted !== "")
      await mysql.execute(sql`SET GLOBAL gtid_purged = ${gtidExecuted}`);
  });
  return readFilled(mysql);
}

/** What the server holds, by the size of its files: the statistics of tables just loaded lag behind. */
export async function readFilled(mysql: MysqlReader): Promise<Filled> {
  const databases = await readDatabases(mysql);
  const row = await mysql.queryRow<{ bytes: string | null }>(
    sql`SELECT SUM(FILE_SIZE) AS bytes FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE = 'Single'`,
  );
  return { databases: databases.map(({ name }) => name), bytes: Number(row?.bytes ?? 0) };
}
