import { readFile } from "node:fs/promises";
import { seedFromClone } from "../../provider/mysql/seed/seed";
import { sh } from "../../provider/host/command";
import { sql } from "../../provider/mysql/sql";
import { beginAgain, requireSeeded, seedingOf, useSeedingLab } from "./seeding";

const lab = useSeedingLab("source4"); // databases come and go on it, which would break a dump of all that runs meanwhile

test("a clone brings the accounts too, and nothing that dials out or belongs to the source alone", async () => {
  await lab.onSource(`
    CHANGE REPLICATION SOURCE TO SOURCE_HOST = '198.18.0.1', SOURCE_USER = 'upstream', SOURCE_PASSWORD = 'x' FOR CHANNEL 'upstream';
    CREATE USER sluice@localhost IDENTIFIED BY 'an account of the source';
    CREATE DATABASE sluice; CREATE TABLE sluice.books (id INT PRIMARY KEY);`);
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
  await beginAgain(server);
  await expect(seedFromClone(seedingOf(server), { source })).rejects.toMatchObject({
    code: "SERVER_PRIVILEGE_MISSING",
    problem: { fix: expect.stringContaining("GRANT BACKUP_ADMIN ON *.* TO 'cloner'@'%'") as string },
  });
  await lab.onSource("DROP USER cloner@'%'");
});
