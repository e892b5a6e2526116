import { readFile } from "node:fs/promises";
import { seedFromClone } from "../../provider/mysql/seed/clone";
import { seedFromDump } from "../../provider/mysql/seed/dump/dump";
import { forgetSeed } from "../../provider/mysql/seed/job";
import { sh } from "../../provider/host/command";
import { sql } from "../../provider/mysql/sql";
import { beginAgain, dropEverything, requireSeeded, seedingOf, useSeedingLab } from "./seeding";

const lab = useSeedingLab("source4"); // databases come and go on it, which would break a dump of all that runs meanwhile

/** For tests that only dump: a clone would leave the source's accounts in it. */
const serverForDumps = () => lab.keptServer("dumps", 3555);

test("a clone brings the accounts too, and nothing that dials out or belongs to the source alone", async () => {
  await lab.onSource(`
    CHANGE REPLICATION SOURCE TO SOURCE_HOST = '198.18.0.1', SOURCE_USER = 'upstream', SOURCE_PASSWORD = 'x' FOR CHANNEL 'upstream';
    CREATE USER sluice@localhost IDENTIFIED BY 'an account of the source';
    CREATE DATABASE sluice; CREATE TABLE sluice.ownership (id INT PRIMARY KEY) COMMENT 'What pulumi-sluice made in this server, and for whom';`);
  const server = await lab.emptyServer("clone", 3551);
  const before = await server.host.readFile(server.instance.layout.optionFile);
  const result = await seedFromClone(seedingOf(server), { source: lab.address });
  expect(result).toMatchObject({ method: "clone", databases: ["outlet4", "outlet4_analytics"] });
  await requireSeeded(server, result);
  const mysql = await server.connect();
  const [row] = await mysql.query(
    sql`SELECT CURRENT_USER() AS account, @@server_uuid AS uuid, (SELECT COUNT(*) FROM mysql.user WHERE user = 'sluice' AND host = '%') AS accounts, (SELECT COUNT(*) FROM performance_schema.replication_connection_configuration) AS channels, (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'sluice') AS books`,
  );
  expect(row).toEqual({
    account: "sluice@localhost",
    uuid: expect.not.stringContaining(result.sourceUuid ?? "") as string,
    accounts: 1,
    channels: 0,
    books: 0,
  });
  expect(await server.host.readFile(server.instance.layout.optionFile)).toBe(before);
  await lab.onSource("RESET REPLICA ALL FOR CHANNEL 'upstream'; DROP USER sluice@localhost; DROP DATABASE sluice;");
  const again = await seedFromClone(seedingOf(server), { source: lab.address });
  expect(again).toEqual({ ...result, seconds: expect.any(Number) as number });
});

test("a clone is verified with the source's authority, needs no systemd, and a wrong authority is refused", async () => {
  const server = await lab.emptyServer("clone-plain", 3552, { runtime: { supervisor: "process" } });
  const ca = await readFile(lab.source.mysql?.caPath ?? "", "utf8");
  const source = { ...lab.address, tls: { ca, verifyIdentity: false } };
  const { stdout: own } = await server.host.run(sh`cat ${`${server.instance.layout.data}/ca.pem`}`);
  await expect(
    seedFromClone(seedingOf(server), { source: { ...source, tls: { ca: own, verifyIdentity: false } } }),
  ).rejects.toMatchObject({ code: "SOURCE_TLS_FAILED" });
  await requireSeeded(server, await seedFromClone(seedingOf(server), { source }));
});

test("a password that CLONE must quote works, and a privilege that is missing is named with its GRANT", async () => {
  const password = `it's "quoted" \\ $HOME and ünïcode`;
  await lab.onSource(
    `CREATE USER IF NOT EXISTS cloner@'%'; ALTER USER cloner@'%' IDENTIFIED BY ${JSON.stringify(password)}; GRANT BACKUP_ADMIN, REPLICATION CLIENT, REPLICATION SLAVE, SELECT ON *.* TO cloner@'%';`,
  );
  const server = await lab.emptyServer("clone-quoted", 3553);
  const source = { ...lab.address, user: "cloner", password };
  await requireSeeded(server, await seedFromClone(seedingOf(server), { source }));
  const shown = await server.host.run(
    sh`grep -rlF cloner ${server.instance.layout.job} ${server.instance.layout.log}; exit 0`,
  );
  expect(shown.stdout).toBe("");
  await lab.onSource("REVOKE BACKUP_ADMIN ON *.* FROM cloner@'%'");
  await forgetSeed(server.host, server.instance);
  await expect(seedFromClone(seedingOf(server), { source })).rejects.toMatchObject({
    code: "SERVER_PRIVILEGE_MISSING",
    problem: { fix: expect.stringContaining("GRANT BACKUP_ADMIN ON *.* TO 'cloner'@'%'") as string },
  });
  await lab.onSource("DROP USER cloner@'%'");
});

test("rows that a dump would alter are refused by name before anything is touched, and a clone brings them exactly", async () => {
  await lab.onSource(`DROP DATABASE IF EXISTS exact; CREATE DATABASE exact;
    CREATE TABLE exact.places (id INT PRIMARY KEY, latitude FLOAT, price FLOAT(10,2), far DOUBLE);
    INSERT INTO exact.places VALUES (1, 16777215, 1.25, PI()), (2, 1.2345678806, 99.99, EXP(20));
    CREATE TABLE exact.log (id INT) ENGINE = MyISAM;`);
  const server = await lab.emptyServer("exact", 3554);
  const dump = { source: lab.address, databases: ["exact"] };
  await expect(seedFromDump(seedingOf(server), dump)).rejects.toMatchObject({
    code: "SOURCE_ROWS_INEXACT",
    problem: { found: "exact.log (MyISAM)" },
  });
  await lab.onSource("DROP TABLE exact.log");
  await expect(seedFromDump(seedingOf(server), dump)).rejects.toMatchObject({
    code: "SOURCE_ROWS_INEXACT",
    problem: { found: "exact.places.latitude", fix: expect.stringContaining('seed: "clone"') as string },
  });
  expect(await seedFromDump(seedingOf(server), { ...dump, inexactRows: "accept" })).toMatchObject({
    databases: ["exact"],
  });
  await beginAgain(server);
  await seedFromClone(seedingOf(server), { source: lab.address });
  const [sum] = await (await server.connect()).query<{ Checksum: number }>(sql`CHECKSUM TABLE exact.places`);
  expect((await lab.onSource("CHECKSUM TABLE exact.places")).trim().split("\t")[1]).toBe(String(sum?.Checksum));
  await lab.onSource("DROP DATABASE exact");
});

test("a database that is called as ours is the user's: it is brought, and only our own table in it is left out", async () => {
  await lab.onSource(`CREATE DATABASE sluice; CREATE TABLE sluice.gates (id INT PRIMARY KEY); INSERT INTO sluice.gates VALUES (7);
    CREATE TABLE sluice.ownership (id INT PRIMARY KEY) COMMENT 'What pulumi-sluice made in this server, and for whom';`);
  const server = await serverForDumps();
  const result = await seedFromDump(seedingOf(server), { source: lab.address, databases: ["sluice"] });
  expect(result.databases).toEqual(["sluice"]);
  const tables = await (
    await server.connect()
  ).query(sql`SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'sluice'`);
  expect(tables).toEqual([{ name: "gates" }]);
  await lab.onSource("DROP TABLE sluice.ownership; CREATE TABLE sluice.ownership (river INT)");
  await dropEverything(server);
  await expect(seedFromDump(seedingOf(server), { source: lab.address, databases: ["sluice"] })).rejects.toMatchObject({
    code: "SOURCE_NOT_SUPPORTED",
    problem: { found: "sluice.ownership" },
  });
  await lab.onSource("DROP DATABASE sluice");
});

test("views and foreign keys into databases that are not brought are all named before anything is touched", async () => {
  await lab.onSource(`CREATE DATABASE near; CREATE DATABASE far; CREATE TABLE far.parents (id INT PRIMARY KEY);
    CREATE TABLE near.children (id INT PRIMARY KEY, parent INT, CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES far.parents (id));
    CREATE VIEW near.names AS SELECT id FROM far.parents;`);
  const server = await serverForDumps();
  await expect(seedFromDump(seedingOf(server), { source: lab.address, databases: ["near"] })).rejects.toMatchObject({
    code: "SEED_DATABASE_NEEDED",
    problem: {
      found: ["foreign key near.children.of_parent references far.parents", "view near.names reads far.parents"].join(
        "\n",
      ),
      fix: expect.stringContaining('add "far" to `databases`') as string,
    },
  });
  await seedFromDump(seedingOf(server), { source: lab.address, databases: ["near", "far"] });
  await lab.onSource("DROP DATABASE near; DROP DATABASE far");
});

test("an account as a managed service gives it, without RELOAD, can be dumped from; CLONE is refused in the service's name", async () => {
  await lab.onSource(`CREATE USER managed IDENTIFIED BY 'managed';
    GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO managed;
    CREATE PROCEDURE mysql.rds_kill(id INT) SELECT id;`);
  const server = await serverForDumps();
  const source = { ...lab.address, user: "managed", password: "managed" };
  await expect(seedFromClone(seedingOf(server), { source })).rejects.toMatchObject({
    code: "SOURCE_NOT_SUPPORTED",
    message: expect.stringContaining("Amazon RDS does not let its servers be cloned") as string,
  });
  await requireSeeded(server, await seedFromDump(seedingOf(server), { source, databases: "ALL" }));
  expect(server.report.lines.join("\n")).toContain("rds_set_configuration('binlog retention hours', 168)");
  await lab.onSource("DROP USER managed; DROP PROCEDURE mysql.rds_kill");
});
