import {
  isSameValue,
  needsRestart,
  parseSize,
  selectVariables,
  setVariable,
} from "../../../../../provider/mysql/options/variables";

describe("two ways to write a value", () => {
  it.each([
    ["read_only", "ON", "1"],
    ["read_only", "true", "YES"],
    ["read_only", undefined, "ON"],
    ["read_only", "off", "FALSE"],
    ["innodb_buffer_pool_size", "128M", "134217728"],
    ["innodb_buffer_pool_size", "1g", "1024M"],
    ["max_connections", "0100", "100"],
    ["long_query_time", "1.5", "1.500000"],
    ["sql_mode", "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION", "no_engine_substitution, strict_all_tables"],
    ["binlog_format", "row", "ROW"],
    ["datadir", "/srv/data/", "/srv/data"],
    ["tmpdir", "/srv//tmp", "/srv/tmp"],
    ["character_set_server", "utf8mb4", "UTF8MB4"],
    ["tmpdir", "/", "/"],
  ])("%s: %j is %j", (name, one, other) => {
    expect(isSameValue(name, one, other)).toBe(true);
  });

  it.each([
    ["read_only", "ON", "OFF"],
    ["innodb_buffer_pool_size", "128M", "128"],
    ["max_connections", "100", "1000"],
    ["log_error", "/var/log/A.err", "/var/log/a.err"],
    ["init_connect", "SET x='A'", "SET x='a'"],
    ["replicate_do_db", "a,b", "b,a"],
    ["tmpdir", "/", "/tmp"],
    ["secure_file_priv", "", "NULL"],
    ["binlog_format", "", "ROW"],
  ])("%s: %j is not %j", (name, one, other) => {
    expect(isSameValue(name, one, other)).toBe(false);
  });
});

it.each([
  ["16", 16n],
  ["16K", 16384n],
  ["1m", 1048576n],
  ["2G", 2147483648n],
  ["1T", 1099511627776n],
  ["8E", 9223372036854775808n],
  ["-1", -1n],
  ["16 M", undefined],
  ["16MB", undefined],
  ["", undefined],
  ["ON", undefined],
])("the size %j is %s", (text, size) => {
  expect(parseSize(text)).toBe(size);
});

describe("a variable that differs", () => {
  it("knows the ones we set", () => {
    for (const name of [
      "read_only",
      "super_read_only",
      "max_connections",
      "server_id",
      "event_scheduler",
      "gtid_mode",
    ]) {
      expect(needsRestart(name)).toBe(false);
    }
    for (const name of ["datadir", "socket", "port", "log_bin", "lower_case_table_names", "innodb_page_size"]) {
      expect(needsRestart(name)).toBe(true);
    }
  });
});

describe("statements", () => {
  it.each([
    ["200", "SET GLOBAL `max_connections` = 200"],
    ["16M", "SET GLOBAL `max_connections` = 16777216"],
    ["1.5", "SET GLOBAL `max_connections` = 1.5"],
    ["ON", "SET GLOBAL `max_connections` = 'ON'"],
    ["it's", "SET GLOBAL `max_connections` = 'it''s'"],
    ["", "SET GLOBAL `max_connections` = ''"],
  ])("sets %j", (value, text) => {
    expect(setVariable("max_connections", value).text).toBe(text);
  });

  it("keeps a setting over restarts, and asks for several", () => {
    expect(setVariable("read_only", "OFF", "PERSIST").text).toBe("SET PERSIST `read_only` = 'OFF'");
    expect(selectVariables(["port", "socket"]).text).toMatch(/WHERE VARIABLE_NAME IN \('port', 'socket'\)$/);
  });
});
