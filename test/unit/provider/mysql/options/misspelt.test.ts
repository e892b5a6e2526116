import { meantOption, suggestOption } from "../../../../../provider/mysql/options/misspelt";
import { optionNames } from "../../../../../provider/mysql/options/names";

test.each([
  ["max_conections", "max_connections"],
  ["max-conections", "max_connections"],
  ["innodb_buffer_pol_size", "innodb_buffer_pool_size"],
  ["skip_name_reslove", "skip_name_resolve"],
  ["sql_mod_e", "sql_mode"],
])("%s: %s was meant", (written, meant) => {
  expect(meantOption(written)).toBe(meant);
});

test("no known option is taken for a mistake, however it is written", () => {
  const forms = optionNames.flatMap((name) => [name, name.replaceAll("_", "-"), `skip_${name}`, `loose-${name}`]);
  expect(forms.filter((name) => meantOption(name) !== undefined)).toEqual([]);
});

test("mysqld itself decides about loose options, options of components, and names that it completes", () => {
  const passing = ["loose_max_conections", "validate_password.lenght", "max_connectio", "innodb_buffer_pool_siz"];
  expect(passing.filter((name) => meantOption(name) !== undefined)).toEqual([]);
});

// Percona Server 8.0, "List of variables"; Percona XtraDB Cluster; MyRocks; the Enterprise plugins of MySQL.
const others =
  "audit_log_file audit_log_format audit_log_policy audit_log_rotations audit_log_strategy binlog_ddl_skip_rewrite binlog_skip_flush_commands binlog_space_limit coredumper encrypt_tmp_files enforce_storage_engine expand_fast_index_creation extra_max_connections extra_port ft_query_extra_word_chars innodb_cleaner_lsn_age_factor innodb_compressed_columns_threshold innodb_compressed_columns_zip_level innodb_corrupt_table_action innodb_empty_free_list_algorithm innodb_encrypt_online_alter_logs innodb_ft_ignore_stopwords innodb_parallel_dblwr_encrypt innodb_print_lock_wait_timeout_info innodb_records_in_range innodb_show_locks_held innodb_sys_tablespace_encrypt kill_idle_transaction log_slow_filter log_slow_rate_limit log_slow_rate_type log_slow_sp_statements log_slow_verbosity max_slowlog_files max_slowlog_size mysql_firewall_mode mysql_firewall_trace proxy_protocol_networks query_response_time_stats rocksdb_block_cache_size rocksdb_max_open_files secure_log_path slow_query_log_always_write_time slow_query_log_use_global_control thread_pool_high_prio_mode thread_pool_idle_timeout thread_pool_max_threads thread_pool_oversubscribe thread_statistics tls_session_cache userstat wsrep_cluster_address wsrep_provider wsrep_sst_method rpl_semi_sync_master_enabled rpl_semi_sync_slave_enabled keyring_vault_config authentication_ldap_sasl_server_host daemon_memcached_option".split(
    " ",
  );

test("options of other servers and plugins are not mistakes", () => {
  expect(others.filter((name) => meantOption(name) !== undefined)).toEqual([]);
});

test("for an option that mysqld refused, the one most like it is suggested", () => {
  expect(suggestOption("max_conectionz")).toBe("max_connections");
  expect(suggestOption("query_cache_size")).not.toBe("query_cache_size");
  expect(suggestOption("max_connections")).toBeUndefined();
  expect(suggestOption("qwertyuiop_asdfgh")).toBeUndefined();
});
