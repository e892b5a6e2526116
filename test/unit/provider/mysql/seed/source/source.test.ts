import { chooseDatabases, requireSeedable } from "../../../../../../provider/mysql/seed/source/requirements";
import { inheritedVariables, keptVariables } from "../../../../../../provider/mysql/seed/source/source";
import type { SeedSource } from "../../../../../../provider/mysql/seed/source/facts";
import { parseGrants } from "../../../../../../provider/mysql/privileges/privileges";
import { expectGoldenError } from "../../../../../harness/golden";
import { source as sample } from "../../../../../samples/staging-database";

const source = (changes: Partial<SeedSource> & { readonly grant?: string } = {}): SeedSource => {
  const {
    grant = "SELECT, LOCK TABLES, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT, SHOW VIEW, EVENT, TRIGGER",
    ...rest
  } = changes;
  return sample({
    server: { flavour: "mysql", version: "8.0.36" },
    account: { user: "sluice", host: "%" },
    grants: parseGrants([`GRANT ${grant} ON *.* TO \`sluice\`@\`%\``]),
    databases: [
      { name: "analytics", bytes: 10, rowBytes: 8 },
      { name: "Shop", bytes: 20, rowBytes: 15 },
    ],
    replicaIds: [1002],
    plugins: { clone: "mysql_clone.so" },
    variables: { lower_case_table_names: "0" },
    ...rest,
  });
};

const replica = { flavour: "mysql", version: "8.0.36" } as const;
const dump = { method: "dump", databases: "ALL", object: "server x", replica } as const;
const clone = { method: "clone", databases: "ALL", object: "server x", replica } as const;

test("a source that has everything is taken", () => {
  expect(() => {
    requireSeedable(source(), dump);
    requireSeedable(source({ grant: "BACKUP_ADMIN, REPLICATION CLIENT, REPLICATION SLAVE" }), clone);
    requireSeedable(source({ grant: "USAGE", databases: [] }), { ...dump, method: "none" });
  }).not.toThrow();
});

test.each([
  ["no binary log", { binlogOn: false }, dump, "SOURCE_BINLOG_OFF", "log_bin = OFF"],
  ["a server id of 0", { serverId: 0 }, dump, "SOURCE_SERVER_ID_ZERO", "server_id = 0"],
  [
    "a later series",
    { server: { flavour: "mysql", version: "8.4.1" } },
    dump,
    "SOURCE_NOT_SUPPORTED",
    "source db-1:3306 is mysql 8.4.1",
  ],
  [
    "another series, for CLONE",
    { server: { flavour: "mysql", version: "5.7.44" } },
    clone,
    "SOURCE_NOT_SUPPORTED",
    "source db-1:3306 is mysql 5.7.44",
  ],
  ["no clone plugin", { plugins: {} }, clone, "SOURCE_NOT_SUPPORTED", "source db-1:3306 is mysql 8.0.36"],
  [
    "tables that CLONE leaves empty",
    { foreignTables: [{ database: "Shop", name: "Shop.log (MyISAM)" }] },
    clone,
    "SOURCE_NOT_SUPPORTED",
    "Shop.log (MyISAM)",
  ],
  [
    "tables that no snapshot holds still, for a dump",
    { foreignTables: [{ database: "Shop", name: "Shop.log (MyISAM)" }] },
    dump,
    "SOURCE_ROWS_INEXACT",
    "Shop.log (MyISAM)",
  ],
  [
    "columns that mysqldump rounds",
    { floatColumns: [{ database: "Shop", name: "Shop.places.latitude" }] },
    dump,
    "SOURCE_ROWS_INEXACT",
    "Shop.places.latitude",
  ],
  [
    "a table by the name of the one we keep",
    { takenBooks: [{ database: "sluice", name: "sluice.ownership" }] },
    dump,
    "SOURCE_NOT_SUPPORTED",
    "sluice.ownership",
  ],
  [
    "views of what is not brought",
    {
      crossReferences: [
        { database: "Shop", needs: "analytics", name: "view Shop.v reads analytics.t" },
        { database: "Shop", needs: "analytics", name: "view Shop.w reads analytics.u" },
      ],
    },
    { ...dump, databases: ["Shop"] },
    "SEED_DATABASE_NEEDED",
    "view Shop.v reads analytics.t\nview Shop.w reads analytics.u",
  ],
  [
    "a managed service in front of it, for CLONE",
    { managedService: "Amazon RDS" },
    clone,
    "SOURCE_NOT_SUPPORTED",
    "source db-1:3306 is mysql 8.0.36",
  ],
  ["no database", { databases: [] }, dump, "SEED_DATABASE_MISSING", undefined],
] as const)("a source with %s is refused", (_, changes, needs, code, found) => {
  expect(() => {
    requireSeedable(source(changes), needs);
  }).toThrow(
    expect.objectContaining({ code, problem: expect.objectContaining(found === undefined ? {} : { found }) as object }),
  );
});

test("what a dump cannot bring exactly, and what needs another database, matters among the databases that are brought only", () => {
  const others: Partial<SeedSource> = {
    floatColumns: [{ database: "analytics", name: "analytics.views.seconds" }],
    foreignTables: [{ database: "analytics", name: "analytics.log (MyISAM)" }],
    crossReferences: [{ database: "analytics", needs: "Shop", name: "view analytics.v reads Shop.t" }],
  };
  expect(() => {
    requireSeedable(source(others), { ...dump, databases: ["Shop"] });
    requireSeedable(source(others), { ...dump, inexactRows: "accept" });
    const grant = "BACKUP_ADMIN, REPLICATION CLIENT, REPLICATION SLAVE";
    requireSeedable(source({ floatColumns: others.floatColumns ?? [], grant }), clone);
  }).not.toThrow();
});

test("a managed service without a binary log is told in its own words how to turn it on", () => {
  expect(() => {
    requireSeedable(source({ binlogOn: false, managedService: "Amazon RDS" }), dump);
  }).toThrow(/fix +Amazon RDS: give the instance a backup retention period/);
});

test("missing privileges are listed with why, and with the statement that gives them", () => {
  expectGoldenError("source-privileges-missing", () => {
    requireSeedable(source({ grant: "SELECT, REPLICATION SLAVE" }), { ...dump, databases: ["Shop"] });
  });
});

test("SELECT on everything shows the bodies of routines: no other privilege is asked for", () => {
  const without = source({ grant: "LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT, SHOW VIEW, EVENT" });
  expect(() => {
    requireSeedable(without, dump);
  }).toThrow(/SHOW_ROUTINE/);
});

test("databases are found as the source compares names, and taken as it writes them", () => {
  const choose = (lower: string, ...databases: readonly string[]) =>
    chooseDatabases(source({ variables: { lower_case_table_names: lower } }), { databases, object: "server x" });
  expect(choose("0", "Shop")).toEqual([{ name: "Shop", bytes: 20, rowBytes: 15 }]);
  expect(choose("1", "shop", "ANALYTICS").map(({ name }) => name)).toEqual(["Shop", "analytics"]);
  expect(() => choose("0", "shop", "nothing")).toThrow(
    /it has no databases shop, nothing \(SEED_DATABASE_MISSING\)\n +found +analytics, Shop/,
  );
});

test("what a copy must share is taken over, without what the server no longer takes", () => {
  const variables = {
    lower_case_table_names: "1",
    sql_mode: "ONLY_FULL_GROUP_BY,NO_AUTO_CREATE_USER,STRICT_TRANS_TABLES",
    time_zone: "+02:00",
    innodb_strict_mode: "OFF",
    restrict_fk_on_non_standard_key: "OFF",
  };
  expect(inheritedVariables(source({ variables }))).toEqual({
    lower_case_table_names: "1",
    sql_mode: "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES",
    default_time_zone: "+02:00",
    innodb_strict_mode: "OFF",
    // Deprecated: a later server may not know it.
    loose_restrict_fk_on_non_standard_key: "OFF",
  });
  expect(inheritedVariables(source({ variables: { time_zone: "SYSTEM" } }))).toEqual({});
  expect(inheritedVariables(source({ variables: { time_zone: "Europe/Berlin" } }))).toEqual({
    default_time_zone: "Europe/Berlin",
  });
});

test("data that is taken over keeps what its own option file said that it depends on", () => {
  const file = `[mysqld]
lower-case-table-names = 1
innodb_page_size=16k
innodb_page_size=8k
sql_mode = STRICT_TRANS_TABLES,no_auto_create_user
default-time-zone = Europe/Berlin
explicit_defaults_for_timestamp
max_connections = 500
[mysqld-5.7]
div_precision_increment = 9
`;
  expect(keptVariables(file, ["mysqld", "mysqld-9.7"])).toEqual({
    lower_case_table_names: "1",
    innodb_page_size: "8k",
    sql_mode: "STRICT_TRANS_TABLES",
    default_time_zone: "Europe/Berlin",
    explicit_defaults_for_timestamp: "ON",
  });
  expect(keptVariables("", ["mysqld"])).toEqual({});
});
