import { connectMysql } from "../../provider/mysql/client";
import type { MysqlClient } from "../../provider/mysql/reader";
import { readJob } from "../../provider/host/job/job";
import { seedPlaceOf } from "../../provider/mysql/seed/run";
import { seedFromDump } from "../../provider/mysql/seed/dump/dump";
import { sql } from "../../provider/mysql/sql";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { probe, type Probe } from "./probe";
import { awaitProgress, dropEverything, requireSeeded, seedingOf, useSeedingLab } from "./seeding";
import type { ManagedServer } from "./managed-server";

const lab = useSeedingLab("source5"); // it is kept busy, and its statements are held up
const wanted = () => ({ source: lab.address, databases: ["outlet5", "busy"] });
const mostSeconds = 2; // no statement of ours makes another session of the source wait for longer

const writer = { user: "writer", password: "writes" };
const open: MysqlClient[] = [];
let server: ManagedServer;
let watched: Probe;

beforeAll(() =>
  lab.onSource(`DROP DATABASE IF EXISTS busy; CREATE DATABASE busy; DROP USER IF EXISTS writer;
    CREATE TABLE busy.probed (id INT PRIMARY KEY, n INT NOT NULL DEFAULT 0); INSERT INTO busy.probed (id) VALUES (1), (2);
    CREATE TABLE busy.large (id INT PRIMARY KEY, text TEXT); SET SESSION cte_max_recursion_depth = 100000;
    INSERT INTO busy.large WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 80000)
      SELECT i, REPEAT(SHA2(i, 256), 16) FROM n;
    CREATE USER writer IDENTIFIED BY 'writes'; GRANT ALL ON busy.* TO writer;`),
);
afterAll(() => lab.onSource("DROP DATABASE busy; DROP USER writer;"));

async function begin(): Promise<void> {
  server = await lab.keptServer("busy", 3841);
  watched = await probe({ ...lab.address, ...writer }, server.host, [
    sql`SELECT 1 FROM busy.probed LIMIT 1`,
    sql`SELECT 1 FROM busy.large LIMIT 1`,
    sql`UPDATE busy.probed SET n = n + 1 WHERE id = 2`,
  ]);
}

/** A session of somebody else's on the source. */
async function session(): Promise<MysqlClient> {
  const client = await connectMysql({ ...lab.address, ...writer }, server.host);
  open.push(client);
  return client;
}

const idOf = async (client: MysqlClient): Promise<number> =>
  (await client.queryRow<{ id: number }>(sql`SELECT CONNECTION_ID() AS id`))?.id ?? 0;

afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
  await watched.end();
});

const seed = (limits: { lockWaitSeconds?: number; historyListLimit?: number } = {}) =>
  seedFromDump(seedingOf(server, limits), { ...wanted(), ...limits });

/** Its first table is the large one: when bytes have come, that table is being read. */
const seedLarge = () => seedFromDump(seedingOf(server), { ...wanted(), databases: ["busy"] });

test("a long SELECT on the source holds up neither the dump nor, behind it, anybody else", async () => {
  await begin();
  const reader = await session();
  const id = await idOf(reader);
  const long = reader.queryRow(sql`SELECT SLEEP(150) AS interrupted FROM busy.probed LIMIT 1`, { withinSeconds: 160 });
  long.catch(() => undefined); // awaited below
  await requireSeeded(server, await seed());
  expect(watched.longestSeconds()).toBeLessThan(mostSeconds);
  await (await session()).execute(sql`KILL QUERY ${id}`);
  expect(await long).toEqual({ interrupted: 1 }); // so it has run until then
});

test("a transaction that keeps rows changed is waited for, and then named without its literals", async () => {
  await begin();
  const holder = await session();
  await holder.execute(sql`BEGIN`);
  await holder.execute(sql`UPDATE busy.large SET text = 'a secret of the row' WHERE id = 7`);
  const id = await idOf(holder);
  await holder.execute(sql`UPDATE busy.large SET text = 'a secret of the row' WHERE id = 7`);
  const refused = (await seed({ lockWaitSeconds: 4 }).catch((error: unknown) => error)) as Error;
  expect(refused).toMatchObject({
    code: "SOURCE_BUSY",
    problem: {
      found: expect.stringMatching(
        new RegExp(
          `^session ${id} of writer, \\d+ s, busy.large: UPDATE .busy. . .large. SET TEXT = \\? WHERE .id. = \\?`,
          "i",
        ),
      ) as string,
    },
  });
  expect(String(refused)).not.toContain("a secret");
  expect(watched.longestSeconds()).toBeLessThan(mostSeconds);

  await dropEverything(server);
  const seeding = seed({ lockWaitSeconds: 60 });
  await awaitSession("SHARED_WRITE");
  await holder.execute(sql`ROLLBACK`);
  await requireSeeded(server, await seeding);
  expect(watched.longestSeconds()).toBeLessThan(mostSeconds);
});

test("an ALTER TABLE of what is being dumped goes through at once: the dump gives way and names it", async () => {
  await begin();
  const seeding = expect(seed()).rejects.toMatchObject({
    code: "SOURCE_BUSY",
    problem: {
      what: expect.stringContaining("sessions of the source waited for it") as string,
      found: expect.stringMatching(/session \d+ of writer, \d+ s, busy.large: ALTER TABLE/) as string,
    },
  });
  await awaitLock(
    "what mysqldump takes to read a table",
    `OBJECT_NAME = 'large' AND LOCK_TYPE = 'SHARED_READ'
        AND OWNER_THREAD_ID IN (SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_USER = '${lab.address.user}')`,
  );
  const from = performance.now();
  await (await session()).execute(sql`ALTER TABLE busy.large ADD COLUMN more INT`, { withinSeconds: 120 });
  expect((performance.now() - from) / 1000).toBeLessThan(30);
  await seeding;
  expect(watched.longestSeconds()).toBeLessThan(mostSeconds);
});

test("under heavy load a dump and its position are of one moment, and nobody waits for it", async () => {
  await begin();
  await lab.onSource(
    "CREATE TABLE busy.ledger (id INT PRIMARY KEY AUTO_INCREMENT, at BIGINT); CREATE TABLE busy.total (n INT); INSERT INTO busy.total VALUES (0);",
  );
  const [startFile = "", startPosition = ""] = (await lab.onSource("SHOW BINARY LOG STATUS")).split("\t");
  const over = new AbortController();
  const load = Array.from({ length: 4 }, async () => {
    const client = await session();
    while (!over.signal.aborted) {
      await client.execute(sql`BEGIN`);
      await client.execute(sql`INSERT INTO busy.ledger (at) VALUES (1)`);
      await client.execute(sql`UPDATE busy.total SET n = n + 1`);
      await client.execute(sql`COMMIT`);
    }
  });
  const result = await seed();
  over.abort();
  await Promise.all(load);
  expect(watched.longestSeconds()).toBeLessThan(mostSeconds);
  const mysql = await server.connect();
  const [sums] = await mysql.query<{ total: number; rows: number }>(
    sql`SELECT (SELECT n FROM busy.total) AS total, (SELECT COUNT(*) FROM busy.ledger) AS \`rows\``,
  );
  expect(sums?.rows).toBe(sums?.total);
  expect(sums?.total).toBeGreaterThan(0);
  await requireSeeded(server, result);
  expect(await ledgerRows(startFile, startPosition, result.logFile ?? "", result.logPosition ?? "")).toBe(sums?.total);
});

test("a source that keeps too much for the dump's snapshot ends the dump", async () => {
  await begin();
  await expect(seed({ historyListLimit: -1 })).rejects.toMatchObject({
    code: "SOURCE_BUSY",
    problem: { found: expect.stringMatching(/^history list length \d+$/) as string },
  });
});

test("a source whose metadata locks are not instrumented is dumped with care, and an ALTER TABLE still goes through", async () => {
  const instrument = (enabled: string) =>
    lab.onSource(
      `UPDATE performance_schema.setup_instruments SET ENABLED = '${enabled}' WHERE NAME = 'wait/lock/metadata/sql/mdl'`,
    );
  await instrument("NO");
  try {
    await begin();
    const seeding = expect(seedLarge()).rejects.toMatchObject({
      code: "SOURCE_BUSY",
      problem: {
        what: expect.stringContaining("sessions of the source waited for it") as string,
        found: expect.stringMatching(/session \d+ of writer, \d+ s/) as string,
      },
    });
    await awaitProgress(server);
    await (await session()).execute(sql`ALTER TABLE busy.large ADD COLUMN blind INT`, { withinSeconds: 120 });
    await seeding;
    expect(watched.longestSeconds()).toBeLessThan(mostSeconds);
  } finally {
    await instrument("YES");
  }
});

test("a writer whose time lags, as a delayed applier's does, is not taken for a long transaction", async () => {
  await begin();
  const over = new AbortController();
  const load = Array.from({ length: 3 }, async () => {
    const client = await session();
    await client.execute(sql`SET SESSION timestamp = UNIX_TIMESTAMP() - 3600`);
    while (!over.signal.aborted) await client.execute(sql`UPDATE busy.probed SET n = n + 1 WHERE id = 1`);
  });
  const result = await seed().finally(() => {
    over.abort();
  });
  await Promise.all(load);
  await requireSeeded(server, result);
});

test("a database that is created after all were listed ends the dump, and is named", async () => {
  await begin();
  const holder = await session();
  await holder.execute(sql`BEGIN`);
  await holder.execute(sql`UPDATE busy.large SET text = 'held' WHERE id = 7`);
  const seeding = seedFromDump(seedingOf(server, { lockWaitSeconds: 60 }), {
    source: lab.address,
    databases: "ALL",
    inexactRows: "accept",
  }).catch((error: unknown) => error);
  try {
    await awaitCondition<undefined>({
      object: server.instance.object,
      what: "the dump's job, which knows the databases",
      withinSeconds: 60,
      everyMillis: 100,
      check: async () => {
        const { state } = await readJob(server.host, seedPlaceOf(server.instance));
        return state === "running" ? done(undefined) : waiting(state);
      },
    });
    await lab.onSource("CREATE DATABASE later; CREATE TABLE later.kept (id INT PRIMARY KEY);");
    await holder.execute(sql`ROLLBACK`);
    expect(await seeding).toMatchObject({ code: "SEED_FAILED", problem: { found: "created: later" } });
  } finally {
    await lab.onSource("DROP DATABASE IF EXISTS later");
  }
});

/** The source's own binary log says how many rows were written between two places. */
async function ledgerRows(startFile: string, startPosition: string, file: string, position: string): Promise<number> {
  const logs = (await lab.onSource("SHOW BINARY LOGS"))
    .trim()
    .split("\n")
    .map((line) => line.split("\t")[0] ?? "");
  const between = logs.slice(logs.indexOf(startFile), logs.indexOf(file) + 1).map((name) => `/var/lib/mysql/${name}`);
  const options = [
    "--base64-output=decode-rows",
    "-v",
    `--start-position=${startPosition}`,
    `--stop-position=${position}`,
  ];
  const { stdout } = await lab.source.run(["mysqlbinlog", ...options, ...between]);
  return stdout.split("\n").filter((line) => line === "### INSERT INTO `busy`.`ledger`").length;
}

/** Until somebody's lock of this type stands on the large table. */
const awaitSession = (type: string): Promise<undefined> =>
  awaitLock(`a lock ${type}`, `OBJECT_NAME = 'large' AND LOCK_TYPE = '${type}'`);

const awaitLock = (what: string, condition: string): Promise<undefined> =>
  awaitCondition<undefined>({
    object: "source5",
    what,
    withinSeconds: 30,
    everyMillis: 100,
    check: async () => {
      const rows = await lab.onSource(`SELECT 1 FROM performance_schema.metadata_locks WHERE ${condition}`);
      return rows === "" ? waiting("not yet") : done(undefined);
    },
  });
