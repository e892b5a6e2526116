import { isProblem } from "../../../errors";
import { renderEndpoint } from "../../../endpoint";
import type { MysqlReader } from "../../reader";
import { parseOptionFile, readSettings } from "../../options/file";
import { readManagedService } from "../../managed-service";
import { parseAccount, parseGrants } from "../../privileges/privileges";
import { sql } from "../../sql";
import { modernRow, showReplicas } from "../../terms";
import { readCrossReferences, readDatabases, readFloatColumns, readForeignTables, readTakenBooks } from "./objects";
import type { SourceAddress, SeedSource } from "./facts";

/**
 * Variables that data and replicated statements depend on; all are options of the same name but one. Left out on purpose:
 * sql_require_primary_key and sql_generate_invisible_primary_key, because tables that the source made before it had them would be
 * refused or get another column here, and a channel takes both from the statement's own session.
 */
const inheritable = [
  // Fixed when the data directory is made; CLONE and file names need them equal.
  "lower_case_table_names",
  "innodb_page_size",
  "innodb_data_file_path",
  // Definitions without a character set, row format or timestamp default of their own take these.
  "character_set_server",
  "collation_server",
  "explicit_defaults_for_timestamp",
  "innodb_default_row_format",
  "default_storage_engine",
  // The applier has the server's value, not that of the session on the source: a definition that the source accepts is accepted
  // only with these (1118 and 1031 by row size and format, 6125 by foreign keys, 1114 by the size of MEMORY tables).
  "innodb_strict_mode",
  "restrict_fk_on_non_standard_key",
  "max_heap_table_size",
  "log_bin_trust_function_creators",
  // Statements mean the same, and are accepted, only with these.
  "sql_mode",
  "time_zone",
  "div_precision_increment",
  "default_week_format",
  "group_concat_max_len",
  "max_allowed_packet",
  // Words in full-text indexes.
  "ft_min_word_len",
  "ft_max_word_len",
  "innodb_ft_enable_stopword",
  "innodb_ft_min_token_size",
  "innodb_ft_max_token_size",
  "ngram_token_size",
] as const;

/** Deprecated by the server that has it: a later one may not know it, and would not start. */
const deprecated: ReadonlySet<string> = new Set(["restrict_fk_on_non_standard_key"]);

/** A dozen queries of the dictionary, most of them for what an error must name. */
export async function readSource(
  mysql: MysqlReader,
  { address, port }: Pick<SourceAddress, "address" | "port">,
): Promise<SeedSource> {
  const [row] = await mysql.query<Record<"id" | "binlog", number> & Record<"account" | "uuid", string>>(
    sql`SELECT CURRENT_USER() AS account, @@GLOBAL.server_id AS id, @@GLOBAL.server_uuid AS uuid, @@GLOBAL.log_bin AS binlog`,
  );
  const named = ["gtid_mode", "performance_schema", ...inheritable];
  const variables = await mysql.query<{ Variable_name: string; Value: string }>(
    sql`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${named})`,
  );
  const values = Object.fromEntries(variables.map(({ Variable_name, Value }) => [Variable_name, Value]));
  const plugins = await mysql.query<{ name: string; soname: string }>(
    sql`SELECT PLUGIN_NAME AS name, PLUGIN_LIBRARY AS soname FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE' AND PLUGIN_LIBRARY IS NOT NULL`,
  );
  const grants = await mysql.query<Record<string, string>>(sql`SHOW GRANTS`);
  const { gtid_mode: gtidMode, performance_schema: performanceSchema, ...rest } = values;
  return {
    endpoint: renderEndpoint({ address, port }),
    server: mysql.server,
    account: parseAccount(row?.account ?? ""),
    grants: parseGrants(grants.map((grant) => Object.values(grant)[0] ?? "")),
    serverId: row?.id ?? 0,
    serverUuid: row?.uuid ?? "",
    binlogOn: row?.binlog === 1,
    gtidOn: /^ON/.test(gtidMode ?? ""),
    hasPerformanceSchema: performanceSchema === "ON" && (await readLockInstruments(mysql)),
    databases: await readDatabases(mysql),
    foreignTables: await readForeignTables(mysql),
    floatColumns: await readFloatColumns(mysql),
    crossReferences: await readCrossReferences(mysql),
    takenBooks: await readTakenBooks(mysql),
    managedService: await readManagedService(mysql),
    replicaIds: await readReplicaIds(mysql),
    plugins: Object.fromEntries(plugins.map(({ name, soname }) => [name, soname])),
    variables: rest,
  };
}

/**
 * Off by default in 5.7, and if a DBA disabled instruments: performance_schema.metadata_locks then exists, and is
 * empty.
 */
async function readLockInstruments(mysql: MysqlReader): Promise<boolean> {
  try {
    const [row] = await mysql.query<{ on: number }>(
      sql`SELECT EXISTS (SELECT 1 FROM performance_schema.setup_instruments WHERE NAME = 'wait/lock/metadata/sql/mdl' AND ENABLED = 'YES') AND EXISTS (SELECT 1 FROM performance_schema.setup_consumers WHERE NAME = 'global_instrumentation' AND ENABLED = 'YES') AS \`on\``,
    );
    return row?.on === 1;
  } catch (error) {
    // Unknown. A dump asks for the privilege then (dumpNeeds); nothing else needs to know.
    if (isProblem(error, "SERVER_PRIVILEGE_MISSING")) return true;
    throw error;
  }
}

async function readReplicaIds(mysql: MysqlReader): Promise<number[]> {
  try {
    const rows = await mysql.query<Record<string, number>>(showReplicas(mysql.server));
    return rows.map((row) => Number(modernRow(row)["Server_Id"]));
  } catch (error) {
    if (isProblem(error, "SERVER_PRIVILEGE_MISSING")) return [];
    throw error;
  }
}

/** Settings of the source that a copy must share, as options of mysqld. */
export function inheritedVariables({
  variables,
  server,
}: Pick<SeedSource, "variables" | "server">): Record<string, string> {
  if (server.flavour === "mariadb") return {};
  const { time_zone: zone, sql_mode: mode, ...same } = variables;
  const options = Object.entries(same).map(([name, value]) => [deprecated.has(name) ? `loose_${name}` : name, value]);
  return {
    ...(Object.fromEntries(options) as Record<string, string>),
    ...(mode !== undefined && { sql_mode: withoutRemoved(mode) }),
    // A named zone is set when the server has the time zone tables.
    ...(zone !== undefined && zone.toUpperCase() !== "SYSTEM" && { default_time_zone: zone }),
  };
}

/** The same settings, as the option file says that data was served with before it was taken over. */
export function keptVariables(optionText: string, groups: readonly string[]): Record<string, string> {
  const settings = readSettings(parseOptionFile(optionText), groups);
  const names = inheritable.map((name) => (name === "time_zone" ? "default_time_zone" : name));
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = settings.get(name);
      if (values === undefined) return [];
      const value = values.at(-1) ?? "ON";
      return [[name, name === "sql_mode" ? withoutRemoved(value) : value]];
    }),
  );
}

const withoutRemoved = (modes: string): string =>
  modes
    .split(",")
    .filter((one) => !removedModes.has(one.trim().toUpperCase()))
    .join(",");

/** Modes of 5.7 that a server since 8.0.11 refuses to start with. */
const removedModes = new Set([
  "DB2",
  "MAXDB",
  "MSSQL",
  "MYSQL323",
  "MYSQL40",
  "NO_AUTO_CREATE_USER",
  "NO_FIELD_OPTIONS",
  "NO_KEY_OPTIONS",
  "NO_TABLE_OPTIONS",
  "ORACLE",
  "POSTGRESQL",
]);
