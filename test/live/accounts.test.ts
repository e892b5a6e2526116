import { sh } from "../../provider/host/command";
import { withMysql } from "../../provider/mysql/client";
import { sql } from "../../provider/mysql/sql";
import type { Declaration, Written } from "../../resources/staging-database/schema";
import { useStagingLab } from "./staging-lab";

const lab = useStagingLab("/srv/accounts-test", { source: "source6" });

jest.setTimeout(240_000);

const definitions = `
  CREATE USER IF NOT EXISTS 'def_app'@'%' IDENTIFIED BY 'x';
  GRANT ALL ON *.* TO 'def_app'@'%';
  DROP DATABASE IF EXISTS defined; DROP DATABASE IF EXISTS defined_too;
  CREATE DATABASE defined; CREATE DATABASE defined_too; USE defined;
  CREATE TABLE orders (id INT PRIMARY KEY, total INT);
  INSERT INTO orders VALUES (1, 10), (2, 20);
  CREATE TABLE defined_too.log (id INT PRIMARY KEY);
  INSERT INTO defined_too.log VALUES (7);
  CREATE DEFINER = 'def_app'@'%' FUNCTION vat(total INT) RETURNS INT DETERMINISTIC RETURN total * 2;
  CREATE DEFINER = 'def_app'@'%' VIEW totals AS SELECT id, vat(total) AS total FROM orders;
  CREATE DEFINER = 'def_gone'@'10.0.0.%' VIEW nested AS SELECT SUM(total) AS total FROM totals;
  CREATE DEFINER = 'def_app'@'%' PROCEDURE latest() SELECT MAX(id) AS id FROM defined_too.log;
  CREATE PROCEDURE LatestOrder() SELECT MAX(id) AS id FROM orders;
  CREATE EVENT berlin ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO SELECT 1;
`;
const removal =
  "DROP DATABASE IF EXISTS defined; DROP DATABASE IF EXISTS defined_too; DROP USER IF EXISTS 'def_app'@'%'; SET GLOBAL time_zone = SYSTEM;";

afterEach(() => lab.onSource(removal));

const passwords = { first: "it's \\ first", second: "second ü" };
const reader = (changes: object = {}) => ({
  name: "reader",
  host: "localhost",
  password: passwords.first,
  grants: [
    "SELECT ON defined.*",
    "EXECUTE ON PROCEDURE defined.latest",
    "ALL ON PROCEDURE defined.LatestOrder", // MySQL keeps the name in lower case
  ],
  tls: "off" as const,
  ...changes,
});

const logIn = <T extends object>(declared: Declaration, password: string, query: string) =>
  withMysql({ socket: declared.socket, user: "reader", password }, lab.host, (mysql) =>
    mysql.queryRow<T>(sql([query] as unknown as TemplateStringsArray)),
  );

test("views and programs of a dump work for a declared reader on a read-only server; accounts change in place", async () => {
  await lab.onSource(definitions);
  const declare = (change: Partial<Written> = {}) =>
    lab.declare("reader", 3451, { source: lab.source, databases: ["defined", "defined_too"], ...change });
  const stack = lab.stack();
  const declared = declare({ accounts: [reader()] });
  const lines = await stack.up(declared);
  expect(lines.join("\n")).toMatch(/locked accounts for the definers .*def_app@%/);
  expect(await logIn(declared, passwords.first, "SELECT total FROM defined.nested")).toEqual({ total: "60" });
  expect(
    await lab.within(declared, (mysql) =>
      mysql.query(
        sql`SELECT User AS name, account_locked AS locked FROM mysql.user WHERE User LIKE 'def\\_%' OR User = 'reader' ORDER BY User`,
      ),
    ),
  ).toEqual([
    { name: "def_app", locked: "Y" },
    { name: "def_gone", locked: "Y" },
    { name: "reader", locked: "N" },
  ]);
  const grants = await lab.within(declared, (mysql) => mysql.query(sql`SHOW GRANTS FOR 'def_gone'@'10.0.0.%'`));
  expect(grants.map((row) => Object.values(row)[0])).toEqual([
    "GRANT USAGE ON *.* TO `def_gone`@`10.0.0.%`",
    "GRANT SELECT ON `defined`.`totals` TO `def_gone`@`10.0.0.%`",
  ]);
  expect(await stack.up(declared)).toEqual([]);

  // What somebody changes by hand is drift, and goes.
  await lab.within(declared, async (mysql) => {
    await mysql.execute(sql`SET GLOBAL super_read_only = 0`);
    await mysql.execute(sql`SET SESSION sql_log_bin = 0`);
    await mysql.execute(sql`GRANT INSERT ON defined.* TO reader@localhost`);
    await mysql.execute(sql`ALTER USER reader@localhost IDENTIFIED BY 'by hand'`);
    await mysql.execute(sql`SET GLOBAL super_read_only = 1`);
  });
  const refreshed = await stack.refresh(declared);
  expect(refreshed?.["accounts"]).toMatchObject([
    {
      password: "(changed outside of Pulumi)",
      grants: [
        "EXECUTE ON PROCEDURE defined.latest",
        "ALTER ROUTINE, EXECUTE ON PROCEDURE defined.latestorder",
        "INSERT, SELECT ON defined.*",
      ],
    },
  ]);
  expect((await stack.up(declared)).join("\n")).toMatch(/^1\/1 apply the declared accounts/m);
  expect(await logIn(declared, passwords.first, "SELECT COUNT(*) AS n FROM defined.orders")).toEqual({ n: 2 });

  const other = declare({
    accounts: [reader({ password: passwords.second, grants: ["SELECT ON defined_too.*"] })],
  });
  expect(stack.preview(other)).toContain("account reader@localhost password changed");
  expect(stack.preview(other)).not.toContain("second");
  await stack.up(other);
  expect(await logIn(other, passwords.second, "SELECT id FROM defined_too.log")).toEqual({ id: 7 });
  await expect(logIn(other, passwords.second, "SELECT 1 FROM defined.orders")).rejects.toMatchObject({
    code: "SERVER_PRIVILEGE_MISSING",
  });
  await expect(logIn(other, passwords.first, "SELECT 1")).rejects.toMatchObject({ code: "SERVER_LOGIN_REFUSED" });

  await stack.up(declare());
  await expect(logIn(other, passwords.second, "SELECT 1")).rejects.toMatchObject({ code: "SERVER_LOGIN_REFUSED" });
  expect(
    await lab.ask(
      other,
      "SELECT @@super_read_only AS sealed, (SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'def\\\\_%') AS definers, @@gtid_executed LIKE CONCAT('%', @@server_uuid, '%') AS wrote",
    ),
  ).toEqual({ sealed: 1, definers: 2, wrote: 0 });

  // An account that somebody made is not ours.
  await lab.within(other, async (mysql) => {
    await mysql.execute(sql`SET GLOBAL super_read_only = 0`);
    await mysql.execute(sql`SET SESSION sql_log_bin = 0`);
    await mysql.execute(sql`CREATE USER reader@localhost IDENTIFIED BY 'by hand'`);
    await mysql.execute(sql`SET GLOBAL super_read_only = 1`);
  });
  await expect(stack.up(declared)).rejects.toThrow(/OWNERSHIP_UNMARKED/);
  await stack.up(declare({ accounts: [reader({ adopt: true })] }));
  expect(await logIn(declared, passwords.first, "SELECT COUNT(*) AS n FROM defined.orders")).toEqual({ n: 2 });
  await stack.destroy(declared);
});

test("statements in named time zones work, and the source's own zone is taken over", async () => {
  await lab.onSource(definitions);
  await lab.host.run(sh`test -e /usr/share/zoneinfo/Europe/Berlin`);
  const declared = lab.declare("zones", 3452, { source: lab.source, databases: ["defined", "defined_too"] });
  // The source has the zones of its own host.
  await lab.onSource(zonesOnSource);
  await lab.onSource("SET GLOBAL time_zone = 'Europe/Berlin'");
  const stack = lab.stack();
  await stack.up(declared);
  expect(
    await lab.ask(
      declared,
      "SELECT @@GLOBAL.time_zone AS zone, CONVERT_TZ('2026-07-01 12:00:00', 'UTC', 'America/New_York') AS there, @@super_read_only AS sealed, @@gtid_executed LIKE CONCAT('%', @@server_uuid, '%') AS wrote",
    ),
  ).toEqual({ zone: "Europe/Berlin", there: "2026-07-01 08:00:00", sealed: 1, wrote: 0 });
  expect(await stack.up(declared)).toEqual([]);
  await stack.up({ ...declared, state: "stopped" });
  await stack.up(declared);
  expect(await lab.ask(declared, "SELECT @@GLOBAL.time_zone AS zone")).toEqual({ zone: "Europe/Berlin" });
  await stack.destroy(declared);
});

test("without zones on its host, a server takes those of its source", async () => {
  await lab.onSource(definitions);
  await lab.onSource(zonesOnSource);
  const declared = lab.declare("borrowed", 3453, { source: lab.source, databases: ["defined", "defined_too"] });
  const stack = lab.stack();
  await lab.host.run(sh`mount -t tmpfs none /usr/share/zoneinfo`);
  try {
    await stack.up(declared);
  } finally {
    await lab.host.run(sh`umount /usr/share/zoneinfo`);
  }
  expect(
    await lab.ask(
      declared,
      "SELECT CONVERT_TZ('2026-07-01 12:00:00', '+00:00', 'Europe/Berlin') AS there, CONVERT_TZ('2026-07-01 12:00:00', '+00:00', 'Asia/Tokyo') AS unknown, @@super_read_only AS sealed",
    ),
  ).toEqual({ there: "2026-07-01 13:00:00", unknown: null, sealed: 1 });
  await stack.destroy(declared);
});

/** One zone is enough to be set. */
const zonesOnSource = `
  SET SESSION sql_log_bin = 0;
  REPLACE INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (9001, 'N');
  REPLACE INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Europe/Berlin', 9001);
  REPLACE INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id) VALUES (9001, 0, 0);
  REPLACE INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, Offset, Is_DST, Abbreviation) VALUES (9001, 0, 60 * 60, 0, 'CET');
`;
