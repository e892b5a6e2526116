import { wordsOf } from "../../provider/errors";
import { assignedUuid, assignedUuids } from "../../provider/mysql/channel/settings";
import { awaitCondition, done, waiting } from "../../provider/wait";
import type { Declaration } from "../../resources/replication-channel/schema";
import { Stack, startServers, type Servers, type ServerUnderTest } from "./channel-servers";
import { closeHosts } from "./managed-server";
import { recipeOf, type } from "./recipes";

let servers: Servers;
const stack = new Stack();
const stock = new Stack("tests/live/stock");

beforeAll(async () => {
  servers = await startServers("channel-recipes", 3531);
  await servers.source.run(
    "CREATE DATABASE shop",
    "CREATE TABLE shop.items (id INT PRIMARY KEY, name VARCHAR(50))",
    "INSERT INTO shop.items VALUES (1, 'one'), (2, 'two'), (3, 'three')",
    "CREATE TABLE shop.views (page INT, seconds FLOAT, size FLOAT)",
    "INSERT INTO shop.views VALUES (1, 16777215, 1)",
    "CREATE TABLE shop.places (id INT PRIMARY KEY, latitude FLOAT)",
    "INSERT INTO shop.places VALUES (1, 2)",
    "CREATE TABLE shop.heap (id INT PRIMARY KEY) ENGINE = MyISAM",
    "CREATE TABLE shop.lost (id INT PRIMARY KEY)",
    "CREATE PROCEDURE shop.first() SELECT 1",
    "CREATE PROCEDURE shop.second() SELECT 1",
    "CREATE DATABASE gone",
  );
  await stack.up(servers.declare());
}, 240_000);

afterAll(async () => {
  await servers.remove();
  await closeHosts();
}, 120_000);

/** Writes on the replica as somebody does who should not: not logged, and the server read-only as before. */
const meddle = (...statements: readonly string[]) =>
  servers.replica.run(
    "SET GLOBAL super_read_only = 0",
    "SET sql_log_bin = 0",
    ...statements,
    "SET sql_log_bin = 1",
    "SET GLOBAL super_read_only = 1",
  );

const ask = (query: string) => servers.replica.ask(query);

const awaitStopped = (declared: Declaration): Promise<void> =>
  awaitCondition({
    object: "channel orders",
    what: "the applier to stop",
    withinSeconds: 30,
    everyMillis: 100,
    check: async () => {
      const { live } = await stack.observe(declared);
      return live.kind === "seen" && live.channel?.applier.error ? done(undefined) : waiting("it runs");
    },
  });

/** The error that `up` gives once the applier has stopped. */
async function failure(declared: Declaration): Promise<string> {
  await awaitStopped(declared);
  await stack.refresh(declared);
  try {
    await stack.up(declared);
  } catch (error) {
    return wordsOf(error);
  }
  throw new Error("up worked");
}

/** What the source wrote last has arrived, so the channel goes on; and the replica is as it was. */
async function goesOn(source: ServerUnderTest = servers.source): Promise<void> {
  const uuid = String(await source.ask("SELECT @@server_uuid"));
  await source.run("INSERT INTO shop.items (id) VALUES (FLOOR(1000 + RAND() * 1e9))");
  await stack.refresh(servers.declare());
  expect(await stack.up(servers.declare())).toEqual([]);
  const executed = String(await source.ask("SELECT @@GLOBAL.gtid_executed"));
  await awaitCondition({
    object: "the replica",
    what: `what ${uuid} has executed`,
    withinSeconds: 20,
    everyMillis: 100,
    check: async () => {
      const missing = String(await ask(`SELECT GTID_SUBTRACT('${executed}', @@GLOBAL.gtid_executed)`));
      return missing === "" ? done(undefined) : waiting(missing);
    },
  });
  expect(await ask("SELECT @@GLOBAL.super_read_only")).toBe(1);
  const replicaUuid = String(await ask("SELECT @@server_uuid"));
  expect(await ask("SELECT @@GLOBAL.gtid_executed")).not.toContain(replicaUuid);
}

const bothRows = (id: number) => [
  "BEGIN",
  `INSERT INTO shop.items VALUES (${String(id)}, 'source')`,
  `INSERT INTO shop.items VALUES (${String(id * 10)}, 'source')`,
  "COMMIT",
];
const nameOf = (id: number) => `SELECT name FROM shop.items WHERE id = ${String(id)}`;
const columnsOf = (table: string) =>
  `SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = '${table}'`;

interface Case {
  readonly replica: readonly string[];
  readonly source: readonly string[];
  readonly errno: number;
  /** Of the error's text. */
  readonly says?: string;
  readonly letter?: string;
  readonly fill?: Record<string, string>;
  readonly then: Readonly<Record<string, unknown>>;
}

/** The replica is meddled with, the source writes, one recipe is typed; `then` is what the replica holds after it. */
test.each<[string, Case]>([
  [
    "a row that exists: (a) deletes it, and the whole transaction of the source is applied",
    {
      replica: ["INSERT INTO shop.items VALUES (7, 'replica')"],
      source: bothRows(7),
      errno: 1062,
      letter: "a",
      fill: { "the row that the cause names": "id = 7" },
      then: { [nameOf(7)]: "source", [nameOf(70)]: "source" },
    },
  ],
  [
    "a row that exists: (b) keeps it, and all of the transaction is lost",
    {
      replica: ["INSERT INTO shop.items VALUES (8, 'replica')"],
      source: bothRows(8),
      errno: 1062,
      letter: "b",
      then: { [nameOf(8)]: "replica", [nameOf(80)]: undefined },
    },
  ],
  [
    "a row that is missing: (a) puts it back, and the change is applied to it",
    {
      replica: ["DELETE FROM shop.items WHERE id = 1"],
      source: ["UPDATE shop.items SET name = 'changed' WHERE id = 1"],
      errno: 1032,
      letter: "a",
      fill: { "the row as it was on the source": "1, 'one'" },
      then: { [nameOf(1)]: "changed" },
    },
  ],
  [
    "a row that is missing: (b) goes on without it",
    {
      replica: ["DELETE FROM shop.items WHERE id = 2"],
      source: ["UPDATE shop.items SET name = 'changed' WHERE id = 2"],
      errno: 1032,
      letter: "b",
      then: { [nameOf(2)]: undefined },
    },
  ],
  [
    "a row whose FLOAT value a dump rounded, in a table without a key: (c) gives it the source's value, and it is found",
    {
      replica: ["UPDATE shop.views SET seconds = 16777200"],
      source: ["UPDATE shop.views SET seconds = 3 WHERE page = 1"],
      errno: 1032,
      says: "it rounded the values of seconds, size to six digits",
      letter: "c",
      fill: { "the values on the source": "seconds = 16777215", "the row that the change means": "page = 1" },
      then: { "SELECT seconds FROM shop.views": 3 },
    },
  ],
  [
    "a row whose FLOAT value differs, in a table with a primary key: the key finds it",
    {
      replica: ["DELETE FROM shop.places"],
      source: ["UPDATE shop.places SET latitude = 3"],
      errno: 1032,
      says: "is missing on the replica, or has other values there",
      letter: "a",
      fill: { "the row as it was on the source": "1, 2" },
      then: { "SELECT latitude FROM shop.places": 3 },
    },
  ],
  [
    "a row of a table that is not InnoDB: (a) deletes it, (c) names the engine",
    {
      replica: ["INSERT INTO shop.heap VALUES (1)"],
      source: ["INSERT INTO shop.heap VALUES (1)"],
      errno: 1062,
      says: "the table's engine is MyISAM",
      letter: "a",
      fill: { "the row that the cause names": "id = 1" },
      then: { "SELECT COUNT(*) FROM shop.heap": 1 },
    },
  ],
  [
    "a table that exists: (a) drops it, and the source's is created",
    {
      replica: ["CREATE TABLE shop.extra (mine INT)"],
      source: ["CREATE TABLE shop.extra (theirs INT)"],
      errno: 1050,
      letter: "a",
      fill: { "the table that the cause names": "shop.extra" },
      then: { [columnsOf("extra")]: "theirs" },
    },
  ],
  [
    "a table that exists: (b) keeps it",
    {
      replica: ["CREATE TABLE shop.kept (mine INT)"],
      source: ["CREATE TABLE shop.kept (theirs INT)"],
      errno: 1050,
      letter: "b",
      then: { [columnsOf("kept")]: "mine" },
    },
  ],
  [
    "a column that exists: (a) drops it",
    {
      replica: ["ALTER TABLE shop.extra ADD COLUMN more INT"],
      source: ["ALTER TABLE shop.extra ADD COLUMN more VARCHAR(9)"],
      errno: 1060,
      letter: "a",
      fill: { "the table": "shop.extra", "the column that the cause names": "more" },
      then: { [columnsOf("extra")]: "theirs,more" },
    },
  ],
  [
    "a column that is missing: (a) makes it",
    {
      replica: ["ALTER TABLE shop.extra DROP COLUMN more"],
      source: ["ALTER TABLE shop.extra DROP COLUMN more"],
      errno: 1091,
      letter: "a",
      fill: { database: "shop", table: "extra", "the difference": "ADD COLUMN more INT" },
      then: { [columnsOf("extra")]: "theirs" },
    },
  ],
  [
    "a column that exists: (b) keeps it",
    {
      replica: ["ALTER TABLE shop.items ADD COLUMN short INT"],
      source: ["ALTER TABLE shop.items ADD COLUMN short INT"],
      errno: 1060,
      letter: "b",
      then: { [columnsOf("items")]: "id,name,short" },
    },
  ],
  [
    "a table that is missing: (b) makes it",
    {
      replica: ["DROP TABLE shop.lost"],
      source: ["INSERT INTO shop.lost VALUES (1)"],
      errno: 1146,
      letter: "b",
      fill: { "the CREATE TABLE statement": "CREATE TABLE shop.lost (id INT PRIMARY KEY)" },
      then: { "SELECT COUNT(*) FROM shop.lost": 1 },
    },
  ],
  [
    "a table that is missing: (c) goes on without the transaction",
    {
      replica: ["DROP TABLE shop.lost"],
      source: ["INSERT INTO shop.lost VALUES (2)"],
      errno: 1146,
      letter: "c",
      then: { [columnsOf("lost")]: null },
    },
  ],
  [
    "a routine that is missing: (a) makes it",
    {
      replica: ["DROP PROCEDURE shop.first"],
      source: ["DROP PROCEDURE shop.first"],
      errno: 1305,
      letter: "a",
      fill: { "the CREATE statement": "CREATE PROCEDURE shop.first() SELECT 1" },
      then: {},
    },
  ],
  [
    "a routine that is missing: (b) goes on without the statement",
    {
      replica: ["DROP PROCEDURE shop.second"],
      source: ["DROP PROCEDURE shop.second"],
      errno: 1305,
      letter: "b",
      then: {},
    },
  ],
  [
    "a database that is gone: the only way is on",
    { replica: ["DROP DATABASE gone"], source: ["DROP DATABASE gone"], errno: 1008, then: {} },
  ],
  [
    "an account that the replica has not: (b) goes on without the statement",
    {
      replica: [],
      source: ["SET sql_log_bin = 0", "CREATE USER one@localhost", "SET sql_log_bin = 1", "DROP USER one@localhost"],
      errno: 1396,
      letter: "b",
      then: {},
    },
  ],
])("%s", async (_title, { replica, source, errno, says = "", letter, fill, then }) => {
  await meddle(...replica);
  await servers.source.run(...source);
  const text = await failure(servers.declare());
  expect(text.split("\n")[0]).toMatch(new RegExp(`, error ${String(errno)} \\(CHANNEL_APPLIER_FAILED\\)$`));
  expect(text).toContain(says);
  await type(servers.replica.host, recipeOf(text, letter), fill);
  await goesOn();
  for (const [query, answer] of Object.entries(then)) expect([query, await ask(query)]).toEqual([query, answer]);
});

test.each([
  [
    "an account that the replica has not: (a) ignores its statements from then on",
    ["SET sql_log_bin = 0", "CREATE USER two@localhost", "SET sql_log_bin = 1", "DROP USER two@localhost"],
    { wildIgnoreTables: ["mysql.%"] },
  ],
  [
    "a table that is missing: (a) ignores its changes from then on",
    ["INSERT INTO shop.lost VALUES (3)"],
    { ignoreTables: ["shop.lost"] },
  ],
])("%s, by the program", async (_title, source, filters) => {
  await servers.source.run(...source);
  const text = await failure(servers.declare());
  expect(text).toContain(`filters.${Object.keys(filters)[0] ?? ""}`);
  await stack.up(servers.declare({ filters }));
  await servers.source.run("INSERT INTO shop.items (id) VALUES (FLOOR(1000 + RAND() * 1e9))");
  await stack.up(servers.declare());
  await goesOn();
});

test("a transaction without a GTID is skipped by the server's counter, and the channel goes on behind it", async () => {
  const { other, replica } = servers;
  await other.run("SET sql_log_bin = 0", "CREATE DATABASE stock", "CREATE TABLE stock.items (id INT PRIMARY KEY)");
  await other.run("SET sql_log_bin = 1");
  await meddle(
    "CREATE DATABASE stock",
    "CREATE TABLE stock.items (id INT PRIMARY KEY)",
    "INSERT INTO stock.items VALUES (1)",
  );
  for (const mode of ["ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"]) await other.run(`SET GLOBAL gtid_mode = '${mode}'`);
  await other.run("FLUSH BINARY LOGS");
  const file = String(
    await other.ask(
      "SELECT SUBSTRING_INDEX(FILE_NAME, '/', -1) FROM performance_schema.file_instances WHERE FILE_NAME REGEXP 'binlog[.][0-9]+$' ORDER BY FILE_NAME DESC LIMIT 1",
    ),
  );
  await other.run("INSERT INTO stock.items VALUES (1)", "INSERT INTO stock.items VALUES (2)");
  const declared = servers.declare({
    channel: "stock",
    source: { ...servers.declare().source, port: other.port },
    start: { file, position: 4 },
  });
  const text = wordsOf(await stock.up(declared).catch((error: unknown) => error));
  expect(text).toContain("already exists on the replica, error 1062");
  expect(text).toContain("transaction ANONYMOUS");
  await type(replica.host, recipeOf(text, "b"));
  await stock.refresh(declared);
  await stock.up(declared);
  expect(await ask("SELECT GROUP_CONCAT(id) FROM stock.items")).toBe("1,2");
});

test("transactions without GTIDs are numbered under a uuid of this replica, and an older channel keeps its own", async () => {
  const { other, replica } = servers;
  const ofThisReplica = assignedUuid("stock", String(await ask("SELECT @@server_uuid")));
  expect(await ask("SELECT @@GLOBAL.gtid_executed")).toContain(`${ofThisReplica}:1`);
  const [, byName = ""] = assignedUuids("stock", "");
  await replica.run(
    "STOP REPLICA FOR CHANNEL 'stock'",
    `CHANGE REPLICATION SOURCE TO ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS = '${byName}' FOR CHANNEL 'stock'`,
    "START REPLICA FOR CHANNEL 'stock'",
  );
  await other.run("FLUSH BINARY LOGS");
  const file = String(
    await other.ask(
      "SELECT SUBSTRING_INDEX(FILE_NAME, '/', -1) FROM performance_schema.file_instances WHERE FILE_NAME REGEXP 'binlog[.][0-9]+$' ORDER BY FILE_NAME DESC LIMIT 1",
    ),
  );
  const declared = servers.declare({
    channel: "stock",
    source: { ...servers.declare().source, address: "localhost", port: other.port },
    start: { file, position: 4 },
  });
  await stock.refresh(declared);
  const said = (await stock.up(declared)).join("\n");
  expect(said).toContain("point the channel at localhost:3532");
  await other.run("INSERT INTO stock.items VALUES (3)");
  await stock.up({ ...declared, retryCount: 5 });
  expect(await ask("SELECT GROUP_CONCAT(id) FROM stock.items")).toBe("1,2,3");
  expect(await ask("SELECT @@GLOBAL.gtid_executed")).toContain(`${byName}:1`);
});

describe("a channel that brings only the database shop", () => {
  const ofShop = (change: Partial<Declaration> = {}): Declaration => {
    const declared = servers.declare();
    return {
      ...declared,
      replica: { ...declared.replica, holds: { databases: ["shop"], accounts: false } },
      ...change,
    };
  };

  test("skips routines and events of another database, and loses nothing of shop", async () => {
    const { source } = servers;
    await source.run(
      "SET sql_log_bin = 0",
      "CREATE DATABASE hr",
      "CREATE TABLE hr.people (id INT PRIMARY KEY, name VARCHAR(9))",
      ...[1, 2, 3].flatMap((n) => [
        `CREATE PROCEDURE hr.old_procedure${String(n)}() SELECT 1`,
        `CREATE FUNCTION hr.old_function${String(n)}() RETURNS INT DETERMINISTIC RETURN 1`,
        `CREATE EVENT hr.old_event${String(n)} ON SCHEDULE EVERY 1 DAY DO SELECT 1`,
      ]),
      "SET sql_log_bin = 1",
    );
    await stack.up(ofShop());
    await source.run(
      // Without a default database first: a session cannot leave the one it uses.
      ...inDatabase("hr.", 1),
      "USE shop",
      ...inDatabase("hr.", 2),
      "ALTER TABLE shop.items ADD COLUMN within_shop INT",
      "USE hr",
      ...inDatabase("", 3),
      "ALTER TABLE shop.items ADD COLUMN within_hr INT",
      "CREATE PROCEDURE shop.made_within_hr() SELECT 1",
      "CREATE EVENT shop.made_within_hr ON SCHEDULE EVERY 1 DAY DO SELECT 1",
      "CREATE VIEW shop.made_within_hr AS SELECT id FROM shop.items",
      "INSERT INTO shop.items (id) VALUES (501)",
    );
    await stack.refresh(ofShop());
    const said = await stack.up(ofShop({ retryCount: 7 }));
    expect(said.join("\n")).toMatch(
      /skipped transaction [0-9a-f-]{36}:\d+: CREATE PROCEDURE hr\.new_procedure1 is about a database that the filters of channel orders keep out/,
    );
    expect(said.filter((line) => line.includes("skipped transaction")).length).toBe(3 * 8);
    expect(await ask("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'hr'")).toBe(0);
    expect(await ask(columnsOf("items"))).toMatch(/within_shop,within_hr$/);
    for (const query of [
      "SELECT COUNT(*) FROM shop.items WHERE id = 501",
      "SELECT COUNT(*) FROM information_schema.routines WHERE routine_name = 'made_within_hr'",
      "SELECT COUNT(*) FROM information_schema.events WHERE event_name = 'made_within_hr'",
      "SELECT COUNT(*) FROM information_schema.views WHERE table_name = 'made_within_hr'",
    ])
      expect([query, await ask(query)]).toEqual([query, 1]);
  });

  test("stops on one while nobody runs up; then refresh and preview name it, and up --refresh goes on", async () => {
    await servers.source.run(
      "USE shop",
      "DROP PROCEDURE hr.new_procedure1",
      "INSERT INTO shop.items (id) VALUES (502)",
    );
    await awaitStopped(ofShop());
    await stack.refresh(ofShop());
    expect(stack.preview(ofShop())).toMatch(
      /start the channel +last error of the applier 1305: stopped applying, a statement changes a routine or event of a database that the filters exclude/,
    );
    expect((await stack.up(ofShop())).join("\n")).toContain("DROP PROCEDURE hr.new_procedure1 is about");
    expect(await ask("SELECT COUNT(*) FROM shop.items WHERE id = 502")).toBe(1);
  });

  test("does not skip what changes shop, and says how to go on", async () => {
    await servers.source.run("CREATE VIEW shop.of_hr AS SELECT * FROM hr.people");
    const text = await failure(ofShop());
    expect(text).toContain("a statement names a database, routine or event that the replica does not hold, error 1049");
    await type(servers.replica.host, recipeOf(text, "b"));
    await stack.refresh(ofShop());
    expect(await stack.up(ofShop())).toEqual([]);
  });
});

/** Everything that concerns only another database. */
const inDatabase = (prefix: string, n: number): string[] => [
  `CREATE PROCEDURE ${prefix}new_procedure${String(n)}() SELECT 1`,
  `ALTER PROCEDURE ${prefix}old_procedure${String(n)} COMMENT 'x'`,
  `DROP PROCEDURE ${prefix}old_procedure${String(n)}`,
  `CREATE FUNCTION ${prefix}new_function${String(n)}() RETURNS INT DETERMINISTIC RETURN 1`,
  `DROP FUNCTION ${prefix}old_function${String(n)}`,
  `CREATE EVENT ${prefix}new_event${String(n)} ON SCHEDULE EVERY 1 DAY DO SELECT 1`,
  `ALTER EVENT ${prefix}old_event${String(n)} DISABLE`,
  `DROP EVENT ${prefix}old_event${String(n)}`,
  `CREATE TRIGGER ${prefix}new_trigger${String(n)} BEFORE INSERT ON ${prefix}people FOR EACH ROW SET NEW.name = 'x'`,
  `DROP TRIGGER ${prefix}new_trigger${String(n)}`,
  `CREATE VIEW ${prefix}new_view${String(n)} AS SELECT * FROM ${prefix}people`,
  `ALTER VIEW ${prefix}new_view${String(n)} AS SELECT 1`,
  `DROP VIEW ${prefix}new_view${String(n)}`,
  `CREATE USER somebody${String(n)}@localhost`,
  `GRANT SELECT ON hr.* TO somebody${String(n)}@localhost`,
  `GRANT EXECUTE ON PROCEDURE hr.new_procedure${String(n)} TO somebody${String(n)}@localhost`,
  `DROP USER somebody${String(n)}@localhost`,
  `INSERT INTO ${prefix}people (id) VALUES (${String(n)})`,
];
