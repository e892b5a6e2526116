import { sh } from "../../provider/host/command";
import { readJob } from "../../provider/host/job/job";
import { seedPlaceOf } from "../../provider/mysql/seed/run";
import { forgetSeed, readSeed } from "../../provider/mysql/seed/job";
import { seedFromDump } from "../../provider/mysql/seed/dump/dump";
import { inheritedVariables } from "../../provider/mysql/seed/source/source";
import { sql } from "../../provider/mysql/sql";
import { awaitProgress, beginAgain, dropEverything, requireSeeded, seedingOf, useSeedingLab } from "./seeding";

const lab = useSeedingLab("source3"); // its cable is pulled, and sessions on it are killed

// Enough that a dump is still under way when something happens to it: 5 MB are through in two seconds.
beforeAll(() =>
  lab.onSource(`DROP TABLE IF EXISTS outlet3.bulk, outlet3.keyless;
    CREATE TABLE outlet3.bulk (id INT PRIMARY KEY, text TEXT);
    SET SESSION cte_max_recursion_depth = 100000;
    INSERT INTO outlet3.bulk WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 80000)
      SELECT i, REPEAT(SHA2(i, 256), 16) FROM n;
    CREATE TABLE outlet3.keyless (at TIMESTAMP(6), data BLOB, words TEXT, FULLTEXT (words), half INT AS (LENGTH(data) / 2));
    INSERT INTO outlet3.keyless (at, data, words)
      SELECT FROM_UNIXTIME(id), UNHEX(REPEAT(SHA2(id, 512), 8)), CONCAT('é\n;', text) FROM outlet3.bulk WHERE id < 12000;`),
);

afterAll(() => lab.onSource("DROP TABLE IF EXISTS outlet3.bulk, outlet3.keyless"));

test("a dump brings every user database, the source's GTIDs and the position, and leaves no secret behind", async () => {
  const server = await lab.emptyServer("dump", 3541, {}, (facts) => ({ sourceVariables: inheritedVariables(facts) }));
  const result = await seedFromDump(seedingOf(server), { source: lab.address, databases: "ALL" });
  expect(result).toMatchObject({ method: "dump", databases: ["outlet3", "outlet3_analytics"] });
  expect(result.sourceUuid).toBe((await lab.onSource("SELECT @@server_uuid")).trim());
  await requireSeeded(server, result);
  const mysql = await server.connect();
  const [rows] = await mysql.query<{ n: number }>(sql`SELECT COUNT(*) AS n FROM outlet3.orders`);
  expect(rows?.n).toBeGreaterThan(1000);
  // Their rows came through several sessions at once.
  const sums = await mysql.query<{ Checksum: number }>(sql`CHECKSUM TABLE outlet3.bulk, outlet3.keyless`);
  const there = (await lab.onSource("CHECKSUM TABLE outlet3.bulk, outlet3.keyless")).trim().split("\n");
  expect(sums.map(({ Checksum }) => String(Checksum))).toEqual(there.map((line) => line.split("\t")[1]));
  const [objects] = await mysql.query(
    sql`SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'outlet3') > 0 AS triggers, (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'outlet3') > 0 AS routines, (SELECT COUNT(*) FROM information_schema.EVENTS) > 0 AS events, (SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'outlet3') > 0 AS views`,
  );
  expect(objects).toEqual({ triggers: 1, routines: 1, events: 1, views: 1 });
  const secret = await server.host.run(
    sh`grep -rlF ${lab.address.password} ${server.instance.layout.directory} /etc/systemd/system /run/systemd/transient 2>/dev/null; exit 0`,
  );
  expect(secret.stdout).toBe("");
  expect(await readSeed(server.host, server.instance.layout)).toMatchObject({ state: "finished" });
  expect(await seedFromDump(seedingOf(server), { source: lab.address, databases: "ALL" })).toEqual({
    ...result,
    seconds: expect.any(Number) as number,
  });
  await forgetSeed(server.host, server.instance);
  expect(await readSeed(server.host, server.instance.layout)).toMatchObject({ state: "none" });
});

test("a seeding outlives whoever started it: a cut connection and another caller find the same job", async () => {
  const server = await lab.keptServer("kept", 3542);
  const gone = new AbortController();
  const first = seedFromDump(seedingOf(server, { signal: gone.signal }), {
    source: lab.address,
    databases: ["outlet3"],
  });
  await awaitProgress(server);
  gone.abort(new Error("the caller is gone"));
  await expect(first).rejects.toThrow("the caller is gone");
  const { startedAt } = await readJob(server.host, seedPlaceOf(server.instance));
  const second = seedFromDump(seedingOf(server), { source: lab.address, databases: ["outlet3"] });
  await lab.staging.cutNetwork();
  await lab.staging.restoreNetwork();
  const result = await second;
  expect((await readJob(server.host, seedPlaceOf(server.instance))).startedAt).toBe(startedAt);
  expect(result.databases).toEqual(["outlet3"]);
  await requireSeeded(server, result);
});

test("what breaks a dump is named, and the next one begins with empty data", async () => {
  const server = await lab.keptServer("kept", 3542);
  const seeding = seedingOf(server);
  const wanted = { source: lab.address, databases: "ALL" } as const;
  await expect(seedFromDump(seeding, { source: lab.address, databases: ["outlet3", "nothing"] })).rejects.toMatchObject(
    {
      code: "SEED_DATABASE_MISSING",
      problem: { found: "outlet3, outlet3_analytics" },
    },
  );

  const killed = seedFromDump(seeding, wanted);
  await Promise.all([
    expect(killed).rejects.toMatchObject({
      code: "SEED_FAILED",
      message: expect.stringContaining("mysqld ended while it was filled") as string,
    }),
    awaitProgress(server).then(() =>
      server.host.run(sh`systemctl kill --signal=KILL ${server.instance.layout.unitName}`),
    ),
  ]);
  expect(await readSeed(server.host, server.instance.layout)).toMatchObject({ state: "failed" });
  await beginAgain(server);

  const cut = seedFromDump(seeding, wanted);
  await Promise.all([
    expect(cut).rejects.toMatchObject({
      code: "SEED_FAILED",
      message: expect.stringContaining("could not be read to its end") as string,
    }),
    awaitProgress(server).then(() => endDump()),
  ]);
  await dropEverything(server);

  const silent = seedFromDump(seedingOf(server, { stalledSeconds: 2 }), wanted);
  await Promise.all([
    expect(silent).rejects.toMatchObject({
      code: "SEED_FAILED",
      message: expect.stringContaining("the source does not answer") as string,
    }),
    awaitProgress(server).then(() => lab.source.cutNetwork()),
  ]).finally(() => lab.source.restoreNetwork());
  await dropEverything(server);
  await requireSeeded(server, await seedFromDump(seeding, wanted));
});

/** As an administrator of the source would: by its process list. */
async function endDump(): Promise<void> {
  const sessions = "FROM information_schema.processlist WHERE user = 'sluice'";
  const kills = await lab.onSource(`SELECT CONCAT('KILL ', id, ';') ${sessions}`);
  if (kills === "") throw new Error(`no session of a dump: ${await lab.onSource("SHOW FULL PROCESSLIST")}`);
  await lab.onSource(kills);
}
