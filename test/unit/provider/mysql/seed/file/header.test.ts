import { DumpScanner, readDumpFacts, type DumpFacts } from "../../../../../../provider/mysql/seed/file/header";

const a = "90c3b5e4-e4ee-11f1-bb53-02fc00000001";
const b = "a1c3b5e4-e4ee-11f1-bb53-02fc00000001";

/** As mysqldump 9.7.4 writes it. */
const head = `-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t9.7.4-2
SET @@SESSION.SQL_LOG_BIN= 0;
`;
const gtids = `--
-- GTID state at the beginning of the backup 
--

SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '${a}:1-91';
`;
const position = "CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000001', SOURCE_LOG_POS=21739;\n";
const body = `--
-- Current Database: \`shop\`
--
CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`shop\` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;
USE \`shop\`;
DROP TABLE IF EXISTS \`t\`;
CREATE TABLE \`t\` (
  \`id\` int NOT NULL
) ENGINE=InnoDB;
INSERT INTO \`t\` VALUES (1,'x\\nUSE nothing;\\n');
`;
const end = "-- Dump completed on 2026-11-20 14:32:12\n";

const whole: DumpFacts = {
  isDump: true,
  complete: true,
  tool: "mysqldump",
  serverVersion: "9.7.4-2",
  gtidPurged: `${a}:1-91`,
  file: "binlog.000001",
  position: 21739,
  positionOf: "dumped-server",
  databases: ["shop"],
  headDatabase: "shop",
  scope: "named",
  parts: [{ gtidSet: `${a}:1-91`, position: "binlog.000001:21739", complete: true }],
  unreadableGtids: [],
};

describe("a dump of mysqldump", () => {
  it("says everything", () => {
    expect(readDumpFacts(head + gtids + position + body + end)).toEqual(whole);
  });

  it.each([
    ["GTIDs and position stand at the end", head + body + gtids + position + end],
    ["GTIDs and position are comments", head + commented(gtids) + `-- ${position}` + body + end],
    [
      "GTIDs are in a block comment, as --set-gtid-purged=COMMENTED makes it",
      head + `/* SET @@GLOBAL.GTID_PURGED='+${a}:1-91';*/\n` + position + body + end,
    ],
    ["lines end as on Windows", (head + gtids + position + body + end).replaceAll("\n", "\r\n")],
    ["the last line has no end", (head + gtids + position + body + end).trimEnd()],
    ["empty lines follow", head + gtids + position + body + end + "\n\n"],
    [
      "the position is in the words of before 8.2",
      head + gtids + position.replaceAll("REPLICATION SOURCE", "MASTER").replaceAll("SOURCE_", "MASTER_") + body + end,
    ],
    [
      "the position stands over several lines",
      head + gtids + position.replace(" TO ", " TO\n  ").replace(", ", ",\n  ") + body + end,
    ],
    [
      "the position names a channel and a host",
      head +
        gtids +
        position.replace("TO ", "TO SOURCE_HOST='db-1', SOURCE_PORT=3306, ").replace(";", " FOR CHANNEL 'x';") +
        body +
        end,
    ],
  ])("says the same where %s", (_, text) => {
    expect(readDumpFacts(text)).toEqual(whole);
  });

  it("says the same in pieces of any size", () => {
    const text = head + gtids + position + body + end;
    for (const size of [1, 2, 3, 7, 64, 1000]) {
      const scanner = new DumpScanner();
      for (let at = 0; at < text.length; at += size) scanner.push(text.slice(at, at + size));
      expect(scanner.finish()).toEqual(whole);
    }
  });

  it.each([
    ["over several lines", `SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '${a}:1-5,\n${b}:1-7';\n`],
    ["over several commented lines", `-- SET @@GLOBAL.GTID_PURGED='${a}:1-5,\n-- ${b}:1-7';\n`],
    ["over several lines in a block comment", `/* SET @@GLOBAL.GTID_PURGED='+${a}:1-5,\n${b}:1-7';*/\n`],
    ["with the quote on a line of its own", `SET @@GLOBAL.GTID_PURGED=\n'${a}:1-5,\n${b}:1-7'\n;\n`],
    ["in lower case", `set @@global.gtid_purged='${a}:1-5,${b}:1-7';\n`],
    ["without @@", `SET GLOBAL gtid_purged = "${a}:1-5,${b}:1-7";\n`],
    [
      "in two statements",
      `SET @@GLOBAL.GTID_PURGED='${a}:1-5';\nSET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '${b}:1-7';\n`,
    ],
  ])("reads a GTID set %s", (_, statement) => {
    expect(readDumpFacts(head + statement + body + end)).toMatchObject({
      gtidPurged: `${a}:1-5,${b}:1-7`,
      databases: ["shop"],
      complete: true,
    });
  });

  it("reads a GTID set longer than any line it keeps", () => {
    const ranges = Array.from({ length: 40_000 }, (_, at) => `:${at * 2 + 1}`).join("");
    const facts = readDumpFacts(`${head}SET @@GLOBAL.GTID_PURGED='${a}${ranges}';\n${body}${end}`);
    expect(facts.gtidPurged).toBe(`${a}${ranges}`);
  });

  it("tells a server that had executed nothing from a dump that does not say", () => {
    expect(readDumpFacts(head + "SET @@GLOBAL.GTID_PURGED='';\n" + body + end).gtidPurged).toBe("");
    expect(readDumpFacts(head + body + end).gtidPurged).toBeUndefined();
  });

  it("keeps the moments of dumps that were put together apart, and says which of them is not complete", () => {
    const second =
      head + gtids.replace("1-91", "1-95") + position.replace("21739", "30000") + body.replaceAll("shop", "b");
    expect(readDumpFacts(head + gtids + position + body + end + second + end)).toMatchObject({
      complete: true,
      databases: ["b", "shop"],
      parts: [
        { gtidSet: `${a}:1-91`, position: "binlog.000001:21739", complete: true },
        { gtidSet: `${a}:1-95`, position: "binlog.000001:30000", complete: true },
      ],
    });
    const cut = readDumpFacts(head + gtids + position + body + second + end);
    expect([cut.complete, cut.parts.map(({ complete }) => complete)]).toEqual([false, [false, true]]);
  });

  it.each([
    ["no GTIDs", "SET @@GLOBAL.GTID_PURGED='soon';\n"],
    ["a variable", "SET @@GLOBAL.GTID_PURGED=@saved;\n"],
    ["cut off", `SET @@GLOBAL.GTID_PURGED='${a}:1-`],
  ])("names a GTID set that cannot be read: %s", (_, statement) => {
    expect(readDumpFacts(head + body + statement)).toMatchObject({
      gtidPurged: undefined,
      unreadableGtids: [expect.any(String) as string],
    });
  });

  it.each([
    ["all", head.replace("shop", "")],
    ["named", head],
    ["unknown", "-- Dump created by MySQL pump utility, version: 5.7.44\n"],
  ])("says whether every database was asked for: %s", (scope, text) => {
    expect(readDumpFacts(text + body + end).scope).toBe(scope);
  });

  it("is not complete when its last line is missing", () => {
    expect(readDumpFacts(head + gtids + body)).toMatchObject({ isDump: true, complete: false });
    expect(readDumpFacts(head + body + end + "INSERT INTO `t` VALUES (1);\n").complete).toBe(false);
  });

  it("ignores statements in data and in routines", () => {
    const text = `${head}USE \`shop\`;
INSERT INTO \`t\` VALUES (1,'x
-- Dump completed');
/*!50003 SET sql_mode = '' */ ;
DELIMITER ;;
CREATE PROCEDURE \`p\`()
begin
-- CHANGE MASTER TO MASTER_LOG_FILE="evil", MASTER_LOG_POS=9;
-- SET @@GLOBAL.GTID_PURGED='${b}:1';
USE \`evil\`;
-- Dump completed
end ;;
DELIMITER ;
`;
    expect(readDumpFacts(text)).toMatchObject({
      file: undefined,
      gtidPurged: undefined,
      databases: ["shop"],
      complete: false,
    });
  });

  it("knows the position of the dumped server's own source, and prefers the dumped server's", () => {
    const fromReplica = `--
-- Position to start replication or point-in-time recovery from (the source of this replica)
--
CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='upstream.000009', SOURCE_LOG_POS=4;
`;
    expect(readDumpFacts(head + fromReplica + body + end)).toMatchObject({
      file: "upstream.000009",
      position: 4,
      positionOf: "its-source",
    });
  });

  it.each([
    ["plain", "CREATE DATABASE shop;", ["shop"]],
    ["with a space", "CREATE DATABASE `my shop`;\nUSE `my shop`;", ["my shop"]],
    [
      "with a backtick",
      "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `a``b` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;",
      ["a`b"],
    ],
    ["with a semicolon", "USE `a;b`;", ["a;b"]],
    ["in another script", "CREATE SCHEMA IF NOT EXISTS `漢字`;", ["漢字"]],
    ["used only", "USE shop;\nUSE `b`;", ["b", "shop"]],
  ])("finds databases whose name is %s", (_, statements, databases) => {
    expect(readDumpFacts(`${head}${statements}\n${end}`).databases).toEqual(databases);
  });

  it("names the database of a dump that creates none only by its head", () => {
    expect(readDumpFacts(head + "CREATE TABLE `t` (`id` int);\n" + end)).toMatchObject({
      databases: [],
      headDatabase: "shop",
      isDump: true,
    });
    expect(readDumpFacts(head.replace("shop", "") + end).headDatabase).toBeUndefined();
  });
});

describe("dumps of other programs", () => {
  it("mariadb-dump", () => {
    const text = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- Server version\t10.11.6-MariaDB-0+deb12u1
-- CHANGE MASTER TO MASTER_LOG_FILE='mariadb-bin.000001', MASTER_LOG_POS=330;
-- SET GLOBAL gtid_slave_pos='0-1-5';
${body}${end}`;
    expect(readDumpFacts(text)).toMatchObject({
      tool: "mariadb-dump",
      serverVersion: "10.11.6-MariaDB-0+deb12u1",
      file: "mariadb-bin.000001",
      position: 330,
      gtidPurged: undefined,
      complete: true,
    });
  });

  it("mysqlpump", () => {
    const text = `-- Dump created by MySQL pump utility, version: 5.7.44, linux-glibc2.12 (x86_64)
-- Dump start time: Fri Nov 20 14:32:12 2026
-- Server version: 5.7.44
SET @@GLOBAL.GTID_PURGED='${a}:1-5';
CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`shop\` /*!40100 DEFAULT CHARACTER SET latin1 */;
-- Dump end time: Fri Nov 20 14:32:13 2026
`;
    expect(readDumpFacts(text)).toMatchObject({
      tool: "mysqlpump",
      serverVersion: "5.7.44",
      gtidPurged: `${a}:1-5`,
      databases: ["shop"],
      complete: true,
    });
  });

  it.each([
    [
      "of before 0.12",
      `Started dump at: 2026-11-20 14:32:30
SHOW MASTER STATUS:
\tLog: binlog.000002
\tPos: 157
\tGTID:${a}:1-5

SHOW SLAVE STATUS:
\tHost: db-0
\tLog: upstream.000001
\tPos: 4
\tGTID:

Finished dump at: 2026-11-20 14:32:30
`,
    ],
    [
      "of today",
      `# Started dump at: 2026-11-20 14:32:30
[config]
quote-character = BACKTICK

[source]
# Channel_Name = '' # It can be use to setup replication FOR CHANNEL
File = binlog.000002
Position = 157
Executed_Gtid_Set = ${a}:1-5

[\`shop\`.\`t\`]
rows = 1
# Finished dump at: 2026-11-20 14:32:30
`,
    ],
    [
      "of today with statements",
      `# Started dump at: 2026-11-20 14:32:30
[source]
# Channel_Name = '' # It can be use to setup replication FOR CHANNEL
SOURCE_LOG_FILE = "binlog.000002"
SOURCE_LOG_POS = 157
executed_gtid_set = "${a}:1-5"
# Finished dump at: 2026-11-20 14:32:30
`,
    ],
  ])("the metadata of mydumper %s", (_, text) => {
    expect(readDumpFacts(text)).toMatchObject({
      tool: "mydumper",
      file: "binlog.000002",
      position: 157,
      positionOf: "dumped-server",
      gtidPurged: `${a}:1-5`,
      complete: true,
    });
  });

  it("the metadata of MySQL Shell", () => {
    const text = `{
    "dumper": "mysqlsh Ver 8.4.0 for Linux on x86_64",
    "serverVersion": "8.4.0",
    "gtidExecuted": "${a}:1-5,\\n${b}:1",
    "binlogFile": "binlog.000002",
    "binlogPosition": 157
}
`;
    expect(readDumpFacts(text)).toMatchObject({
      tool: "mysql-shell",
      serverVersion: "8.4.0",
      file: "binlog.000002",
      position: 157,
      gtidPurged: `${a}:1-5,${b}:1`,
    });
  });
});

describe("what is not a dump", () => {
  it.each([
    ["nothing", ""],
    ["prose", "Dear reader,\nthis is no dump.\n"],
    ["bytes", "\u0000\u0001\u001f\u008b\n\n"],
  ])("%s", (_, text) => {
    expect(readDumpFacts(text)).toMatchObject({ isDump: false, complete: false, databases: [] });
  });

  it("a script without a head is a dump when it makes or fills tables", () => {
    expect(readDumpFacts("INSERT INTO t VALUES (1);\n")).toMatchObject({ isDump: true, complete: false });
  });
});

it("keeps little of a line that is longer than any string can be", () => {
  const scanner = new DumpScanner();
  scanner.push(`${head}INSERT INTO \`t\` VALUES `);
  const piece = `(1,'${"x".repeat(8 * 1024 * 1024)}'),`;
  // V8's longest string has 2^29 - 24 characters; one more piece would throw.
  for (let at = 0; at < 66; at += 1) scanner.push(piece);
  scanner.push(`(2,'y');\n${end}`);
  expect(scanner.finish()).toMatchObject({ complete: true, tool: "mysqldump" });
});

function commented(text: string): string {
  return text.replace(/^(?!--)(?=.)/gm, "-- ");
}
