import { sh } from "../../provider/host/command";
import { readJob, startJob } from "../../provider/host/job/job";
import { changeReplicationFilter, noFilters, planRules } from "../../provider/mysql/channel/filters";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { sql } from "../../provider/mysql/sql";
import { awaitCondition, done, waiting } from "../../provider/wait";
import type { Declaration } from "../../resources/staging-database/schema";
import { useSeedingLab } from "./seeding";
import { useStagingLab } from "./staging-lab";

const lab = useStagingLab("/srv/trial-test", { source: "source6" });
const servers = useSeedingLab();

jest.setTimeout(240_000);

const databases = ["odd"];
const standard = `
  DROP DATABASE IF EXISTS odd; CREATE DATABASE odd; USE odd;
  CREATE TABLE orders (id INT PRIMARY KEY, total INT); INSERT INTO orders VALUES (1, 10), (2, 20);
  CREATE TABLE gone (id INT PRIMARY KEY);
  CREATE VIEW good AS SELECT id FROM orders;
  CREATE VIEW better AS SELECT id FROM good;
  CREATE EVENT midnight ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders WHERE id < 0;
`;
const broken = `
  USE odd; CREATE VIEW broken AS SELECT id FROM gone; DROP TABLE gone;
  CREATE PROCEDURE lost() SELECT 1; CREATE EVENT rare ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders WHERE id < 0;
  CREATE TRIGGER noted BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = NEW.total + 0;
  CREATE TABLESPACE sluice_odd ADD DATAFILE 'sluice_odd.ibd'; CREATE TABLE spaced (id INT PRIMARY KEY) TABLESPACE sluice_odd;
`;

afterEach(() => lab.onSource("DROP DATABASE IF EXISTS odd").then(() => dropTablespace()));

const dropTablespace = () => lab.onSource("DROP TABLESPACE sluice_odd").catch(() => undefined);

/** Directories and processes of a trial. */
const leftOf = async ({ directory }: Declaration): Promise<string> =>
  (
    await lab.host.run(
      sh`ls -d ${`${directory}/trial`} ${`${directory}/job/trial`} 2>/dev/null; pgrep -a mysqld | grep -F ${`${directory}/trial`}; exit 0`,
    )
  ).stdout;

const asked = `SET GLOBAL general_log = OFF;
  SELECT SUM(argument LIKE 'show create table%orders%') > 0, SUM(argument REGEXP '^(LOCK|FLUSH|START TRANSACTION|BEGIN)')
  FROM mysql.general_log WHERE user_host LIKE 'sluice%';`;

/** While the trial's server runs: its user, and the number of its sockets that listen for TCP. */
const watchServer = ({ directory }: Declaration): Promise<string> =>
  awaitCondition<string>({
    object: directory,
    what: "the server of the trial",
    withinSeconds: 120,
    everyMillis: 100,
    check: async () => {
      const { stdout } = await lab.host.run(
        sh`
        pid=$(pgrep -x mysqld -a | grep -F -e ${`--defaults-file=${directory}/trial/my.cnf`} | cut -d' ' -f1)
        [ -S ${`${directory}/trial/data/s`} ] && [ -n "$pid" ] || exit 0
        listening=$(awk '$4 == "0A" { print "socket:[" $10 "]" }' /proc/net/tcp /proc/net/tcp6)
        echo "$(ps -o user= -p $pid) $(for f in /proc/$pid/fd/*; do readlink $f; done 2>/dev/null | grep -cxF "$listening")"`,
      );
      return stdout === "" ? waiting("not there yet") : done(stdout.trim());
    },
  });

/** A channel with the filters that follow from what the server holds. */
async function follow(declared: Declaration): Promise<void> {
  const { address, port, user, password } = lab.source;
  await lab.within(declared, async (mysql) => {
    await mysql.execute(
      sql`CHANGE REPLICATION SOURCE TO SOURCE_HOST = ${address}, SOURCE_PORT = ${port}, SOURCE_USER = ${user}, SOURCE_PASSWORD = ${password}, SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1 FOR CHANNEL 'odd'`,
    );
    await mysql.execute(changeReplicationFilter(planRules(noFilters, declared.holds), "odd"));
    await mysql.execute(sql`START REPLICA FOR CHANNEL 'odd'`);
  });
}

const caughtUp = async (declared: Declaration): Promise<unknown> => {
  const executed = (await lab.onSource("SELECT REPLACE(@@gtid_executed, '\\n', '')")).trim();
  return lab.within(declared, (mysql) =>
    mysql.queryRow(
      sql`SELECT WAIT_FOR_EXECUTED_GTID_SET(${executed}, 40) AS timeout, (SELECT SUM(total) FROM odd.orders) AS total`,
    ),
  );
};

const contents = (declared: Declaration) =>
  lab.ask(declared, "SELECT @@server_uuid AS uuid, (SELECT SUM(total) FROM odd.orders) AS total");

test("what cannot be dumped or is refused is named before old data is thrown away, and can be left out", async () => {
  await lab.onSource(standard);
  const stack = lab.stack();
  const first = lab.declare("first", 3491, { source: lab.source, databases });
  expect((await stack.up(first)).join("\n")).toMatch(/2\/6 try the definitions of .* on a temporary empty server/);
  expect(await leftOf(first)).toBe("");
  const before = await contents(first);

  await lab.onSource(broken);
  const again = { source: lab.source, databases, reseed: "1" };
  await lab.onSource("TRUNCATE mysql.general_log; SET GLOBAL log_output = 'TABLE', GLOBAL general_log = ON");
  const refused = stack.up(lab.declare("first", 3491, again));
  const watched = watchServer(first);
  await expect(refused).rejects.toThrow(
    /\(SEED_DEFINITION_REFUSED\)[^]*'odd\.broken' references invalid[^]*\(1356\)[^]*ERROR \d+ .*\(table `odd`\.`spaced`\)[^]*ignoreObjects: \["odd\.broken"\]/,
  );
  await expect(refused).rejects.toThrow(/step {4}1 of 7, try-definitions/);
  expect(await watched).toBe("mysql 0");
  // No session of the source waits for a trial.
  expect(await lab.onSource(asked)).toBe("1\t0\n");
  expect(await contents(first)).toEqual(before);
  expect(await leftOf(first)).toBe("");

  const withTable = lab.declare("first", 3491, { ...again, ignoreObjects: ["odd.broken", "odd.spaced"] });
  await expect(stack.up(withTable)).rejects.toThrow(/SEED_IGNORED_TABLE\)[^]*found +odd\.spaced/);
  expect(await contents(first)).toEqual(before);

  await lab.onSource("DROP TABLE odd.spaced");
  const ignoreObjects = ["odd.broken", "odd.lost", "odd.noted", "odd.rare"];
  const last = lab.declare("first", 3491, { ...again, ignoreObjects });
  expect(stack.preview(last)).toContain("without odd.broken, odd.lost, odd.noted, odd.rare");
  await stack.up(last);
  expect(
    await lab.ask(
      last,
      "SELECT (SELECT GROUP_CONCAT(TABLE_NAME ORDER BY 1) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'odd') AS tables, (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'odd') AS routines, (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'odd') AS triggers, (SELECT GROUP_CONCAT(EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'odd') AS events, (SELECT SUM(total) FROM odd.orders) AS total",
    ),
  ).toEqual({ tables: "better,good,orders", routines: 0, triggers: 0, events: "midnight", total: "30" });
  expect(await stack.up(last)).toEqual([]);
  // 1051 without the filter that follows from `ignoreObjects`.
  await follow(last);
  await lab.onSource("DROP VIEW odd.broken; INSERT INTO odd.orders VALUES (3, 30)");
  expect(await caughtUp(last)).toEqual({ timeout: 0, total: "60" });
  await stack.destroy(last);
});

test("a table in another directory is named by the trial, with the table's name", async () => {
  const elsewhere = "/srv/seed-test/placing/tmp"; // the unit lets mysqld write below its own directory only
  const source = await servers.emptyServer("placing", 3493, {}, () => ({
    readOnly: false,
    config: { innodb_directories: elsewhere },
  }));
  const mysql = await source.connect();
  await mysql.execute(sql`CREATE USER ${sql`other@${"%"}`} IDENTIFIED BY ${"other's secret"}`);
  await mysql.execute(sql`GRANT ALL ON *.* TO ${sql`other@${"%"}`}`);
  await mysql.execute(sql`CREATE DATABASE odd`);
  await mysql.execute(sql`CREATE TABLE odd.placed (id INT PRIMARY KEY) DATA DIRECTORY = ${elsewhere}`);
  const address = { address: lab.staging.address, port: 3493, user: "other", password: "other's secret" };
  const declared = lab.declare("placed", 3494, { source: { ...address, tls: "required" }, databases });
  const stack = lab.stack();
  await expect(stack.up(declared)).rejects.toThrow(
    /\(SEED_DEFINITION_REFUSED\)[^]*ERROR 3121 .*\(table `odd`\.`placed`\)/,
  );
  await stack.destroy(declared);
});

test("what a killed run left of a trial, the next one ends and removes, and so does destroy", async () => {
  await lab.onSource(standard);
  const stack = lab.stack();
  const declared = lab.declare("killed", 3492, { source: lab.source, databases });
  await stack.crash(declared, 1);
  const { job, trial } = layoutOf(declared.directory);
  const place = { directory: job, name: "trial", asRoot: true };
  const leave = async () => {
    await lab.host.run(sh`mkdir -p -m 0700 ${job} && mkdir -p ${`${trial}/data`}`);
    await startJob(lab.host, { ...place, script: sh`sleep 600` });
    expect((await readJob(lab.host, place)).state).toBe("running");
  };
  await leave();
  await stack.up(declared);
  expect(await leftOf(declared)).toBe("");
  await leave();
  await stack.destroy(declared);
  expect(await leftOf(declared)).toBe("");
  expect((await lab.host.run(sh`ls -d ${declared.directory} 2>/dev/null; exit 0`)).stdout).toBe("");
});
