import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { snapshotFiles } from "../../../../../../provider/mysql/seed/dump/snapshot";
import { snapshotProgram } from "../../../../../../provider/mysql/seed/dump/snapshot-program/program";

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Rows by the name of a statement; `tables again` is the answer to all but the first `tables`. */
type Answers = Readonly<Record<string, string>>;

/** In the place of mysql: its statements are `ASK name`, and all others have no rows. */
const fakeClient = `#!/usr/bin/perl
use strict; use warnings; $| = 1;
while (my $line = <STDIN>) {
  if ($line =~ /^SELECT '(sluice end \\d+)';/) { print "$1\\n"; next }
  open(my $asked, ">>", "asked") or die; print $asked $line; close($asked);
  print "7\\n" if $line =~ /^SELECT CONNECTION_ID/;
  while ($line =~ /ASK (\\w+)/g) {
    my $file = -e "answers/$1.asked" && -e "answers/$1 again" ? "answers/$1 again" : "answers/$1";
    open(my $mark, ">", "answers/$1.asked") or die;
    open(my $rows, "<", $file) or next;
    print while <$rows>;
  }
}
`;

const statements = ["tables", "databases", "blockers", "blockersNow", "busyTables", "waiters", "history", "granted"];
const orders: Readonly<Record<string, string | number>> = {
  ...Object.fromEntries(
    [...statements, "waitingDump", "dumpSession", "position", "log"].map((name) => [name, `ASK ${name}`]),
  ),
  options: "source.cnf",
  databasesListed: "73686F70",
  seesLocks: 1,
  dumpWaits: 1,
  change: "CHANGE TO SOURCE_LOG_FILE='",
  changeAt: "SOURCE_LOG_POS=",
  limitSeconds: 0,
  lockSeconds: 3,
  queueSeconds: 1,
  heldSeconds: 5,
  answerSeconds: 5,
  historyLimit: 1000,
};

const quiet: Answers = {
  tables: "`shop`.`orders`\n",
  databases: "73686F70\n",
  waitingDump: "9\n",
  position: "gtids\tuuid:1-5\n",
  log: "binlog.000002\t197\n",
};

const opened = "echo '-- Retrieving table structure' >&2; echo 'CREATE TABLE orders'";

/** The program as a seeding runs it, with fakes in the place of mysql and mysqldump. */
function run(answers: Answers, dump = opened, changes: typeof orders = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-snapshot-"));
  folders.push(folder);
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o755 });
  };
  spawnSync("mkdir", [join(folder, "answers")]);
  for (const [name, rows] of Object.entries(answers)) write(`answers/${name}`, rows);
  write("mysql", fakeClient);
  write("mysqldump", `#!/bin/sh\necho "$*" >words\n${dump}\n`);
  write(snapshotFiles.program, snapshotProgram);
  const lines = Object.entries({ ...orders, ...changes }).map(([name, value]) => `${name}\t${String(value)}\n`);
  write(snapshotFiles.orders, lines.join(""));
  const words = [snapshotFiles.program, "./mysql", "./mysqldump", "--defaults-file=source.cnf", "--verbose"];
  const { status, stdout, stderr } = spawnSync("perl", words, { cwd: folder, encoding: "utf8", timeout: 30_000 });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  return { status, stdout, stderr, asked: read("asked"), read };
}

test("the dump is passed on behind the position at which its snapshot was opened", () => {
  const { status, stdout, stderr, asked, read } = run(quiet);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toBe(
    [
      "-- CHANGE TO SOURCE_LOG_FILE='binlog.000002', SOURCE_LOG_POS=197;",
      "/* SET @@GLOBAL.GTID_PURGED='uuid:1-5';*/",
      "CREATE TABLE orders\n",
    ].join("\n"),
  );
  const order = ["LOCK TABLES `shop`.`orders` READ", "DO RELEASE_LOCK", "ASK position", "ASK log", "UNLOCK TABLES"];
  const places = order.map((statement) => asked.indexOf(statement));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  expect(read("words")).toMatch(/^--defaults-file=source.cnf --init-command=DO GET_LOCK\('sluice-/);
});

test("a session that holds a table is named, and no lock is asked for behind it", () => {
  const { status, stdout, stderr, asked } = run({ ...quiet, blockers: "12\tapp\t9\tshop.orders\tUPDATE\n" });
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toBe("sluice-source\tlock\nsluice-session\t12\tapp\t9\tshop.orders\tUPDATE\n");
  expect(asked).not.toContain("LOCK TABLES");
});

test("a database that was made since all were listed ends it", () => {
  expect(run({ ...quiet, databases: "73686F70\n6E6577\n" })).toMatchObject({
    status: 1,
    stderr: "sluice-source\tdatabases\t+6E6577\n",
  });
});

test("a table that is dropped before the snapshot is open makes the attempt useless", () => {
  expect(run({ ...quiet, "tables again": "" })).toMatchObject({ status: 1, stderr: "sluice-source\ttables\n" });
});

test("a dump for which a session waits twice in a row is ended, and its session killed", () => {
  const waits = { ...quiet, waiters: "waits\t15\tapp\t1\tshop.orders\tALTER TABLE\n" };
  const { status, stderr, asked } = run(waits, `${opened}; exec sleep 20`);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: "sluice-source\twaits\nsluice-session\t15\tapp\t1\tshop.orders\tALTER TABLE\n",
  });
  expect(asked).toContain("KILL 9;");
});

test("a history list that grows too long ends the dump", () => {
  const long = run({ ...quiet, history: "history\t1001\n" }, `${opened}; exec sleep 20`);
  expect(long).toMatchObject({ status: 1, stderr: "sluice-source\thistory\t1001\n" });
});

test("a dump whose session is not found is not passed on where sessions would wait for it unseen", () => {
  const unknown = run({ ...quiet, dumpSession: "" }, opened, { dumpWaits: 0 });
  expect(unknown).toMatchObject({ status: 1, stdout: "", stderr: "sluice-source\tsession\n" });
});

test("an error of mysqldump is its end, with its exit code and its own words", () => {
  const broken = run(quiet, `${opened}; echo 'mysqldump: Error 2013: Lost connection' >&2; exit 3`);
  expect(broken).toMatchObject({ status: 3, stderr: "mysqldump: Error 2013: Lost connection\n" });
});
