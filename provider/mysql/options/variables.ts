import { id, sql, type SqlValue, type Statement } from "../sql";

/**
 * Variables that need a restart, of those that Sluice sets or users often set. For all others SET GLOBAL is tried when the
 * value differs, and error 1238 means restart. Source: every global variable of 9.7.4 set to its own value, those that gave 1238;
 * and options of the command line that its --help shows and that are not variables.
 */
const fixedAtStart = new Set([
  "admin_address",
  "admin_port",
  "allow_suspicious_udfs",
  "archive",
  "auto_generate_certs",
  "back_log",
  "basedir",
  "bind_address",
  "binlog_do_db",
  "binlog_gtid_simple_recovery",
  "binlog_ignore_db",
  "binlog_rotate_encryption_master_key_at_startup",
  "binlog_row_event_max_size",
  "blackhole",
  "caching_sha2_password_auto_generate_rsa_keys",
  "caching_sha2_password_private_key_path",
  "caching_sha2_password_public_key_path",
  "character_set_client_handshake",
  "character_sets_dir",
  "check_table_functions",
  "chroot",
  "console",
  "container_aware",
  "core_file",
  "create_admin_listener_thread",
  "datadir",
  "default_authentication_plugin",
  "default_time_zone",
  "disabled_storage_engines",
  "disconnect_on_expired_password",
  "early_plugin_load",
  "external_locking",
  "federated",
  "ft_max_word_len",
  "ft_min_word_len",
  "ft_stopword_file",
  "init_file",
  "innodb_adaptive_hash_index_parts",
  "innodb_api_disable_rowlock",
  "innodb_api_enable_binlog",
  "innodb_api_enable_mdl",
  "innodb_autoinc_lock_mode",
  "innodb_buffer_pool_chunk_size",
  "innodb_buffer_pool_instances",
  "innodb_buffer_pool_load_at_startup",
  "innodb_data_file_path",
  "innodb_data_home_dir",
  "innodb_dedicated_server",
  "innodb_directories",
  "innodb_doublewrite_batch_size",
  "innodb_doublewrite_dir",
  "innodb_doublewrite_files",
  "innodb_doublewrite_pages",
  "innodb_flush_method",
  "innodb_force_load_corrupted",
  "innodb_force_recovery",
  "innodb_ft_cache_size",
  "innodb_ft_max_token_size",
  "innodb_ft_min_token_size",
  "innodb_ft_sort_pll_degree",
  "innodb_ft_total_cache_size",
  "innodb_log_file_size",
  "innodb_log_files_in_group",
  "innodb_log_group_home_dir",
  "innodb_numa_interleave",
  "innodb_open_files",
  "innodb_page_cleaners",
  "innodb_page_size",
  "innodb_purge_threads",
  "innodb_read_io_threads",
  "innodb_read_only",
  "innodb_rollback_on_timeout",
  "innodb_sort_buffer_size",
  "innodb_status_file",
  "innodb_sync_array_size",
  "innodb_temp_data_file_path",
  "innodb_temp_tablespaces_dir",
  "innodb_undo_directory",
  "innodb_use_native_aio",
  "innodb_validate_tablespace_paths",
  "innodb_write_io_threads",
  "large_pages",
  "lc_messages_dir",
  "log_bin",
  "log_bin_index",
  "log_error",
  "log_isam",
  "log_replica_updates",
  "log_short_format",
  "log_slave_updates",
  "log_tc",
  "log_tc_size",
  "lower_case_table_names",
  "master_retry_count",
  "max_binlog_dump_events",
  "max_digest_length",
  "memlock",
  "myisam_block_size",
  "myisam_mmap_size",
  "myisam_recover_options",
  "mysqlx",
  "mysqlx_bind_address",
  "mysqlx_port",
  "mysqlx_socket",
  "ngram",
  "ngram_token_size",
  "old_style_user_limits",
  "open_files_limit",
  "performance_schema",
  "persisted_globals_load",
  "pid_file",
  "plugin_dir",
  "plugin_load",
  "plugin_load_add",
  "port",
  "port_open_timeout",
  "relay_log",
  "relay_log_index",
  "relay_log_recovery",
  "relay_log_space_limit",
  "replica_load_tmpdir",
  "replica_skip_errors",
  "replicate_do_db",
  "replicate_do_table",
  "replicate_ignore_db",
  "replicate_ignore_table",
  "replicate_rewrite_db",
  "replicate_same_server_id",
  "replicate_wild_do_table",
  "replicate_wild_ignore_table",
  "report_host",
  "report_password",
  "report_port",
  "report_user",
  "safe_user_create",
  "secure_file_priv",
  "sha256_password_auto_generate_rsa_keys",
  "sha256_password_private_key_path",
  "sha256_password_public_key_path",
  "show_replica_auth_info",
  "show_slave_auth_info",
  "skip_external_locking",
  "skip_name_resolve",
  "skip_networking",
  "skip_replica_start",
  "skip_show_database",
  "skip_slave_start",
  "slave_load_tmpdir",
  "slave_skip_errors",
  "socket",
  "sporadic_binlog_dump_fail",
  "ssl_fips_mode",
  "super_large_pages",
  "symbolic_links",
  "sysdate_is_now",
  "table_open_cache_instances",
  "tc_heuristic_recover",
  "thread_handling",
  "thread_stack",
  "tmpdir",
  "user",
  "validate_user_plugins",
]);

/** True: only a restart changes it. False says that SET GLOBAL is worth trying. */
export const needsRestart = (name: string): boolean =>
  fixedAtStart.has(name) || (name.startsWith("performance_schema_") && !dynamicInstrumentation.has(name));

const dynamicInstrumentation = new Set([
  "performance_schema_max_digest_sample_age",
  "performance_schema_show_processlist",
]);

/** Names and values of global variables, as rows { name, value }; a name the server does not have gives no row. */
export const selectVariables = (names: readonly [string, ...string[]]): Statement =>
  sql`SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM performance_schema.global_variables WHERE VARIABLE_NAME IN (${names})`;

export type VariableScope = "GLOBAL" | "PERSIST" | "SESSION";

/**
 * Sets a variable while the server runs. A number, or a size as option files write it, goes as a number: SET refuses
 * "16M" and '100' for numeric variables (error 1232).
 */
export const setVariable = (name: string, value: string, scope: VariableScope = "GLOBAL"): Statement =>
  sql`SET ${scopes[scope]} ${id(name)} = ${literalOf(value)}`;

const scopes: Record<VariableScope, Statement> = { GLOBAL: sql`GLOBAL`, PERSIST: sql`PERSIST`, SESSION: sql`SESSION` };

function literalOf(value: string): SqlValue {
  const size = parseSize(value);
  if (size !== undefined) return size;
  return /^-?\d+\.\d+$/.test(value.trim()) ? Number(value) : value;
}

/** A whole number, with K, M, G, T, P or E as mysqld multiplies them; undefined for anything else. */
export function parseSize(text: string): bigint | undefined {
  const match = /^([+-]?\d+)([kmgtpe]?)$/i.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const power = " kmgtpe".indexOf((match[2] || " ").toLowerCase());
  return BigInt(match[1]) * 1024n ** BigInt(power);
}

/**
 * Whether two ways to write a value are the same to mysqld: ON, 1, TRUE, YES and a name without a value; 16M and 16777216;
 * lists in any order; paths with and without a last slash; enumerations in any case.
 */
export function isSameValue(name: string, one: string | undefined | null, other: string | undefined | null): boolean {
  return canonical(name, one) === canonical(name, other);
}

function canonical(name: string, value: string | undefined | null): string {
  const text = (value ?? "ON").trim();
  const lower = text.toLowerCase();
  if (["on", "true", "yes", "1"].includes(lower)) return "1";
  if (["off", "false", "no", "0"].includes(lower)) return "0";
  const size = parseSize(text);
  if (size !== undefined) return String(size);
  if (/^[+-]?\d+\.\d+$/.test(text)) return String(Number(text));
  if (unorderedLists.has(name)) return [...new Set(lower.split(",").map((item) => item.trim()))].sort().join(",");
  if (text.startsWith("/") || text.startsWith("./")) return text.replace(/(?<=.)\/+$/, "").replace(/\/{2,}/g, "/");
  return caseMatters.test(name) ? text : lower.replace(/\s*,\s*/g, ",");
}

const unorderedLists = new Set(["sql_mode", "optimizer_switch", "tls_version", "admin_tls_version", "log_output"]);

/** Names of files and the text of statements, which mysqld keeps as they are. */
const caseMatters =
  /(?:dir|path|file|socket|home|basename|index|log_bin|relay_log|log_error|init_connect|password|ciphers?|ciphersuites|report_\w+|priv)$/;

/** What the server made of a value: it rounds sizes and keeps to its limits (300M of buffer pool become 384M). */
export interface Adjusted {
  readonly asked: string;
  readonly got: string;
}

/** Whether the value set is neither the declared one nor what the server makes of it. */
export function isDrifted(
  name: string,
  asked: string | undefined,
  running: string | undefined,
  adjusted: Readonly<Record<string, Adjusted>> = {},
): boolean {
  if (running === undefined || needsRestart(name) || isSameValue(name, asked, running)) return false;
  const made = adjusted[name];
  return made?.asked !== asked || made?.got !== running;
}
