import {
  initialSettings,
  refusedConfig,
  refusedFile,
  renderOptions,
  type OptionsWanted,
} from "../../../../../provider/mysql/instance/options";
import { parseOptionFile, readSettings } from "../../../../../provider/mysql/options/file";
import { binariesOf, instanceOf, withoutRoot } from "../../../../samples/server";

const wanted = (changes: Partial<OptionsWanted> = {}): OptionsWanted => ({
  instance: instanceOf(),
  serverId: 4711,
  readOnly: true,
  config: {},
  ...changes,
});

/** What mysqld would take: by name, the last value or, for options that add up, all. */
const settingsOf = (options: OptionsWanted) =>
  Object.fromEntries(
    [...readSettings(parseOptionFile(renderOptions(options)), ["mysqld"])].map(([name, values]) => [
      name,
      values.join(","),
    ]),
  );

test("a server without wishes has these settings", () => {
  expect(renderOptions(wanted())).toMatchInlineSnapshot(`
   "# Made by sluice for shop/dev/orders. Change the declaration, not this file.
   [mysqld]
   # From the declaration
   gtid_mode = ON
   enforce_gtid_consistency = ON
   log_bin = binlog
   relay_log = relay
   log_replica_updates = ON
   relay_log_recovery = ON
   event_scheduler = OFF
   mysqlx = OFF
   secure_file_priv = NULL
   persisted_globals_load = OFF
   user = mysql
   server_id = 4711
   port = 3307
   datadir = /srv/mysql/orders/data
   socket = /srv/mysql/orders/run/mysqld.sock
   pid_file = /srv/mysql/orders/run/mysqld.pid
   tmpdir = /srv/mysql/orders/tmp
   log_error = /srv/mysql/orders/log/mysqld.err
   init_file = /srv/mysql/orders/init.sql
   read_only = ON
   super_read_only = ON
   plugin_load_add = auth_socket.so
   plugin_load_add = mysql_clone.so
   !includedir /srv/mysql/orders/conf.d
   "
  `);
});

test("the same wishes give the same text", () => {
  const config = { max_connections: 500, "innodb-buffer-pool-size": "1G" };
  expect(renderOptions(wanted({ config }))).toBe(renderOptions(wanted({ config })));
});

test("a declared setting wins over the starter file, that over the source's, that over Sluice's", () => {
  const inherited = "# from production\n[mysqld]\nevent-scheduler = ON\nmax_connections = 100\nsort_buffer_size = 1M\n";
  const sourceVariables = { sql_mode: "ANSI_QUOTES", max_connections: "50", lower_case_table_names: "1" };
  const config = { "sort-buffer-size": "2M", "skip-name-resolve": true, skip_log_bin: true };
  const settings = settingsOf(wanted({ inherited, sourceVariables, config }));
  expect(settings).toMatchObject({
    event_scheduler: "ON",
    max_connections: "100",
    sort_buffer_size: "2M",
    sql_mode: "ANSI_QUOTES",
    lower_case_table_names: "1",
    skip_name_resolve: "ON",
    log_bin: "OFF",
  });
});

test("the server's identity is Sluice's, whatever a starter file says; its comments stay, other programs' groups go", () => {
  const inherited =
    "# tuned in 2019\n[client]\nport = 3306\n[mysqld]\nport = 3306\ndatadir=/var/lib/mysql\nskip-log-error\nuser=root\n[mysqld-5.7]\nquery_cache_size=1M\n[mysqld-9.7]\nback_log=99\n";
  const text = renderOptions(wanted({ inherited }));
  const settings = settingsOf(wanted({ inherited }));
  expect(settings).toMatchObject({
    port: "3307",
    datadir: "/srv/mysql/orders/data",
    log_error: "/srv/mysql/orders/log/mysqld.err",
    user: "mysql",
  });
  expect(text).toContain("# tuned in 2019");
  expect(text).toContain("back_log=99");
  expect(text).not.toMatch(/3306|query_cache_size|var\/lib/);
});

test("what a starter file includes is read at any position, and before Sluice's settings", () => {
  const inherited = "[client]\nport = 3306\n!includedir /etc/mysql/conf.d/\nsocket = /x\n!include /etc/tuned.cnf\n";
  const lines = renderOptions(wanted({ inherited })).split("\n");
  expect(lines.slice(1, 4)).toEqual(["!includedir /etc/mysql/conf.d/", "!include /etc/tuned.cnf", "[mysqld]"]);
  expect(lines).not.toContain("socket = /x");
});

test("plugins of a starter file and of the declaration are loaded in addition to Sluice's", () => {
  const inherited = "[mysqld]\nplugin-load-add=semisync_replica.so\nplugin-load-add=auth_socket.so\n";
  const settings = settingsOf(wanted({ inherited, config: { plugin_load_add: "rewriter.so" } }));
  expect(settings["plugin_load_add"]).toBe("semisync_replica.so,auth_socket.so,rewriter.so,mysql_clone.so");
  const none = instanceOf({ binaries: binariesOf({ hasAuthSocket: false, hasClone: false }) });
  expect(settingsOf(wanted({ instance: none }))).not.toHaveProperty("plugin_load_add");
});

test("a server of before 8.0.26 gets the words it knows", () => {
  const old = instanceOf({ binaries: binariesOf({ version: "8.0.23" }) });
  const settings = settingsOf(wanted({ instance: old }));
  expect(settings).toHaveProperty("log_slave_updates", "ON");
  expect(settings).not.toHaveProperty("log_replica_updates");
});

test("without root mysqld runs as the connected user, and the file names no user", () => {
  const instance = instanceOf({
    runtime: withoutRoot,
  });
  expect(settingsOf(wanted({ instance }))).not.toHaveProperty("user");
});

test("settings with a property of their own, and names written twice, are refused by their path", () => {
  const config = {
    "server-id": 1,
    port: 1,
    "loose-socket": "/x",
    read_only: true,
    max_connections: 1,
    "max-connections": 2,
    "no name": 1,
    sql_mode: "",
  };
  expect(refusedConfig(config)).toMatchInlineSnapshot(`
   [
     "config.server-id: is set by \`serverId\`",
     "config.port: is set by \`port\`",
     "config.loose-socket: is always below \`directory\`",
     "config.read_only: is set by \`readOnly\`",
     "config.max-connections: is the same option as max_connections",
     "config.no name: is not the name of an option",
   ]
  `);
});

test("a misspelt option is refused with the one that was meant, and with the way to have mysqld decide", () => {
  const words =
    "is not an option that mysqld knows; did you mean max_connections? If the server does know it, write loose_max_conections";
  expect(refusedConfig({ max_conections: 5, audit_log_file: "x" })).toEqual([`config.max_conections: ${words}`]);
  expect(refusedConfig({ "loose-max_conections": 5 })).toEqual([]);
  expect(refusedFile("[mysqld]\nmax_conections = 5\n[mysqldump]\nmax_conections = 5\n")).toEqual([
    `configFile: max_conections ${words}`,
  ]);
});

test("a starter file may not place data elsewhere, nor open the server; what is overridden may stand in it", () => {
  const text = `[client]
port = 3306
innodb-undo-directory = /x
[mysqld]
datadir = /var/lib/mysql
socket = /run/mysqld/mysqld.sock
user = mysql
innodb-undo-directory = /other/disk
innodb_data_file_path = ibdata1:12M;/other/disk/ibdata2:12M:autoextend
loose-innodb_doublewrite_dir = /other/disk
[mysqld-8.0]
skip-grant-tables
`;
  expect(refusedFile(text)).toMatchInlineSnapshot(`
   [
     "configFile: innodb_undo_directory is always below \`directory\`",
     "configFile: innodb_data_file_path names a file outside of the data directory, which is always below \`directory\`",
     "configFile: innodb_doublewrite_dir is always below \`directory\`",
     "configFile: skip_grant_tables would let every user in without a password",
   ]
  `);
  expect(refusedConfig({ innodb_data_file_path: "/other/ibdata1:12M:autoextend" })).toMatchInlineSnapshot(`
   [
     "config.innodb_data_file_path: names a file outside of the data directory, which is always below \`directory\`",
   ]
  `);
});

test("what a data directory is made with is read from the option file", () => {
  const text = renderOptions(wanted({ config: { lower_case_table_names: 1, innodb_page_size: "8k" } }));
  expect(initialSettings(text, ["mysqld"])).toEqual([
    ["lower_case_table_names", "1"],
    ["innodb_page_size", "8k"],
  ]);
});

test("a named zone waits for the time zone tables, wherever it is declared", () => {
  const named = { config: { "default-time-zone": "Europe/Berlin" } };
  expect(settingsOf(wanted({ ...named, hasTimeZones: false }))).not.toHaveProperty("default_time_zone");
  expect(settingsOf(wanted({ ...named, hasTimeZones: true }))).toHaveProperty("default_time_zone", "Europe/Berlin");
  const sourceVariables = { default_time_zone: "+02:00" };
  expect(settingsOf(wanted({ sourceVariables, hasTimeZones: false }))).toHaveProperty("default_time_zone", "+02:00");
});

test("relaxed durability sets both logs, unless the program or its starter file does", () => {
  const relaxed = { durability: "relaxed" } as const;
  expect(settingsOf(wanted(relaxed))).toMatchObject({ sync_binlog: "0", innodb_flush_log_at_trx_commit: "2" });
  expect(settingsOf(wanted({ ...relaxed, config: { "sync-binlog": 100 } }))).toHaveProperty("sync_binlog", "100");
  expect(settingsOf(wanted({ ...relaxed, inherited: "[mysqld]\nsync-binlog = 7\n" }))).toHaveProperty(
    "sync_binlog",
    "7",
  );
  expect(settingsOf(wanted())).not.toHaveProperty("sync_binlog");
});
