import type { MysqlReader } from "./reader";
import { sql } from "./sql";

/** A service that runs MySQL for its customers without SUPER and without access to the host. */
export type ManagedService = "Amazon RDS" | "Amazon Aurora" | "Google Cloud SQL" | "Azure Database for MySQL";

/** How each of them can be a source; docs/compatibility.md is made from it. */
export const managedServices: Readonly<Record<ManagedService, ManagedServiceWords>> = {
  "Amazon RDS": {
    binlog: "give the instance a backup retention period of at least one day: automated backups turn the binary log on",
    settings: [
      "backup retention period: at least 1 day (turns `log_bin` on)",
      "parameter group: `binlog_format = ROW`, `gtid-mode = ON`, `enforce_gtid_consistency = ON`",
      "binary logs are removed as soon as they can be: `CALL mysql.rds_set_configuration('binlog retention hours', 168);` keeps them for a week",
      "parameter group: `performance_schema = 1`, which small instance classes leave off",
    ],
    retention: "CALL mysql.rds_set_configuration('binlog retention hours', 168);",
  },
  "Amazon Aurora": {
    binlog: "set binlog_format = ROW in the cluster's parameter group and restart the writer",
    settings: [
      "cluster parameter group: `binlog_format = ROW` (turns `log_bin` on), `gtid-mode = ON`, `enforce_gtid_consistency = ON`",
      "`source.address` is the cluster's writer endpoint: a reader has no binary log",
      "binary logs are removed as soon as they can be: `CALL mysql.rds_set_configuration('binlog retention hours', 168);` keeps them for a week",
      "parameter group: `performance_schema = 1`, which small instance classes leave off",
    ],
    retention: "CALL mysql.rds_set_configuration('binlog retention hours', 168);",
  },
  "Google Cloud SQL": {
    binlog: "enable point-in-time recovery on the instance: it turns the binary log on",
    settings: [
      "point-in-time recovery: on (turns `log_bin` on); it also keeps binary logs for its own number of days",
      "GTIDs are on and cannot be turned off",
    ],
  },
  "Azure Database for MySQL": {
    binlog: "choose a pricing tier and a server that keeps binary logs, and set binlog_expire_logs_seconds",
    settings: [
      "server parameters: `binlog_expire_logs_seconds = 604800` keeps binary logs for a week; the default of 0 removes them as soon as they can be",
      "server parameters: `gtid_mode = ON`, `enforce_gtid_consistency = ON`",
    ],
  },
};

export interface ManagedServiceWords {
  /** Ends a `fix`, if the server has no binary log. */
  readonly binlog: string;
  readonly settings: readonly string[];
  /** What keeps binary logs until a channel has fetched them. */
  readonly retention?: string;
}

/** The service that runs the server, or null. */
export async function readManagedService(mysql: MysqlReader): Promise<ManagedService | null> {
  const rows = await mysql.query<{ Variable_name: string; Value: string }>(
    sql`SHOW GLOBAL VARIABLES WHERE Variable_name IN ('basedir', 'version', 'version_comment', 'aurora_version', 'aad_auth_only') OR Variable_name LIKE 'cloudsql%' OR Variable_name LIKE 'azure%'`,
  );
  const procedures = await mysql.query<{ name: string }>(
    sql`SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'mysql' AND (ROUTINE_NAME LIKE 'rds\\_%' OR ROUTINE_NAME LIKE 'az\\_%') LIMIT 100`,
  );
  return managedServiceOf(
    Object.fromEntries(rows.map(({ Variable_name, Value }) => [Variable_name, Value])),
    procedures.map(({ name }) => name),
  );
}

/** Recognised by its variables, and by the procedures that replace what it does not allow. */
export function managedServiceOf(
  variables: Readonly<Record<string, string>>,
  procedures: readonly string[],
): ManagedService | null {
  const names = Object.keys(variables);
  const comment = `${variables["version_comment"] ?? ""} ${variables["version"] ?? ""}`;
  if ("aurora_version" in variables) return "Amazon Aurora";
  if (/^\/rdsdbbin\b/.test(variables["basedir"] ?? "") || procedures.some((name) => name.startsWith("rds_")))
    return "Amazon RDS";
  if (/google/i.test(comment) || names.some((name) => name.startsWith("cloudsql"))) return "Google Cloud SQL";
  const isAzure =
    /azure/i.test(comment) ||
    names.some((name) => name.startsWith("azure") || name === "aad_auth_only") ||
    procedures.some((name) => name.startsWith("az_"));
  return isAzure ? "Azure Database for MySQL" : null;
}
