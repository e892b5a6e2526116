import { isProblem, wordsOf } from "../../errors";
import { sh } from "../../host/command";
import type { Host } from "../../host/host";
import type { Report } from "../../report";
import { withWrites } from "../read-only";
import type { MysqlClient, MysqlReader, Row } from "../reader";
import { id, join, sql } from "../sql";
import { accountKind } from "./init-file";
import type { Instance } from "./instance";
import { managementAccount } from "./layout";

export interface TimeZonesWanted {
  readonly host: Host;
  readonly instance: Instance;
  readonly mysql: MysqlClient;
  readonly report: Report;
  /** Reads from the source; null if none is declared. */
  readonly askSource: (<T>(ask: (source: MysqlReader) => Promise<T>) => Promise<T>) | null;
}

/**
 * Loads the tables of time zones, which a new server has empty: a session, an event or a replicated statement in `Europe/Berlin`
 * fails without them (1298). From the host's zoneinfo, else from the source's tables; outside the binary log. May be repeated. False
 * if neither has them.
 */
export async function ensureTimeZones(wanted: TimeZonesWanted): Promise<boolean> {
  const { mysql, instance, report } = wanted;
  if (await hasTimeZones(mysql)) return true;
  const reasons: string[] = [];
  for (const load of [loadFromHost, loadFromSource]) {
    const reason = await load(wanted);
    if (reason === null) return true;
    reasons.push(reason);
  }
  report.say(
    `${instance.object}: has no named time zones, statements that use one fail with error 1298: ${reasons.join("; ")}. Install tzdata and mysql_tzinfo_to_sql on the host and change \`reseed\`, or load the zones by hand`,
  );
  return false;
}

export async function hasTimeZones(mysql: MysqlReader): Promise<boolean> {
  return (await mysql.queryRow(sql`SELECT 1 FROM mysql.time_zone_name LIMIT 1`)) !== undefined;
}

const loadSeconds = 300; // 1,800 zones take 2 s (measured); a slow disk a hundred times that
const zoneInfo = "/usr/share/zoneinfo";

/** Null, or why not. The program's warnings about files that are not zones are dropped. */
async function loadFromHost({ host, instance, mysql }: TimeZonesWanted): Promise<string | null> {
  const { mysqld, mysql: client } = instance.binaries;
  if (client === null) return "the host has no mysql client";
  const near = `${mysqld.replace(/\/[^/]*$/, "")}/mysql_tzinfo_to_sql`;
  const login = accountKind(instance) === "socket" ? "--no-defaults" : `--defaults-file=${instance.layout.accountFile}`;
  const words = [login, `--socket=${instance.layout.socket}`, `--user=${managementAccount}`, "--protocol=socket"];
  return withWrites(mysql, async () => {
    const { exitCode, stdout, stderr } = await host.run(
      sh`
      program=${near}; [ -x "$program" ] || program=$(command -v mysql_tzinfo_to_sql) || { echo the host has no mysql_tzinfo_to_sql; exit 0; }
      [ -e ${`${zoneInfo}/UTC`} ] || { echo ${`the host has no ${zoneInfo}`}; exit 0; }
      "$program" ${zoneInfo} 2>/dev/null | ${client.path} ${words} "--init-command=SET SESSION sql_log_bin = 0" mysql`,
      { withinSeconds: loadSeconds, accept: [0, 1] },
    );
    if (stdout.trim() !== "") return stdout.trim();
    if (exitCode === 0 && (await hasTimeZones(mysql))) return null;
    return `the host's zones could not be loaded: ${stderr.trim().split("\n")[0] ?? ""}`;
  });
}

/** The tables of time zones, each with its columns (MySQL's manual, "MySQL Server Time Zone Support"); the names come last. */
const tables = {
  time_zone: ["Time_zone_id", "Use_leap_seconds"],
  time_zone_leap_second: ["Transition_time", "Correction"],
  time_zone_transition: ["Time_zone_id", "Transition_time", "Transition_type_id"],
  time_zone_transition_type: ["Time_zone_id", "Transition_type_id", "Offset", "Is_DST", "Abbreviation"],
  time_zone_name: ["Name", "Time_zone_id"],
} as const;

const rowsAtOnce = 1000; // of at most 40 bytes: far below any max_allowed_packet

async function loadFromSource({ mysql, askSource }: TimeZonesWanted): Promise<string | null> {
  if (askSource === null) return "no source is declared";
  const copies: (readonly [string, readonly string[], readonly Row[]])[] = [];
  try {
    await askSource(async (source) => {
      for (const [table, columns] of Object.entries(tables)) {
        const list = join(
          columns.map((column) => id(column)),
          ", ",
        );
        copies.push([table, columns, await source.query(sql`SELECT ${list} FROM mysql.${id(table)}`)]);
      }
    });
  } catch (error) {
    if (!isProblem(error)) throw error;
    return `the source's zones could not be read: ${wordsOf(error).split("\n")[0] ?? ""}`;
  }
  if (copies.some(([table, , rows]) => table === "time_zone_name" && rows.length === 0)) return "the source has none";
  return withWrites(mysql, async () => {
    for (const [table, columns, rows] of copies) {
      await mysql.execute(sql`TRUNCATE TABLE mysql.${id(table)}`);
      const list = join(
        columns.map((column) => id(column)),
        ", ",
      );
      for (let at = 0; at < rows.length; at += rowsAtOnce) {
        const values = rows
          .slice(at, at + rowsAtOnce)
          .map((row) => sql`(${columns.map((column) => row[column] ?? null)})`);
        await mysql.execute(sql`INSERT INTO mysql.${id(table)} (${list}) VALUES ${join(values, ", ")}`);
      }
    }
    return null;
  });
}

/** Whether the server can work in this zone. */
export async function knowsTimeZone(mysql: MysqlReader, zone: string): Promise<boolean> {
  const row = await mysql.queryRow<{ known: number }>(
    sql`SELECT CONVERT_TZ('2000-01-01 00:00:00', '+00:00', ${zone}) IS NOT NULL AS known`,
  );
  return row?.known === 1;
}
