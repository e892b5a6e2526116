import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDumpFacts } from "../../../../../provider/mysql/seed/file/header";
import { filterProgram, renderWanted, scanPatterns, wantedFile } from "../../../../../provider/mysql/seed/stream";

const directory = mkdtempSync(join(tmpdir(), "sluice-stream-"));
writeFileSync(join(directory, "patterns"), scanPatterns);
writeFileSync(join(directory, "filter.pl"), filterProgram);

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function run(command: string, args: readonly string[], input: string): string {
  const options = { cwd: directory, input, env: { ...process.env, LC_ALL: "C" }, maxBuffer: 100_000_000 };
  const { stdout, stderr } = spawnSync(command, args, options);
  expect(stderr.toString()).toBe("");
  return stdout.toString();
}

const scan = (dump: string) => run("grep", ["-aiE", "-f", "patterns"], dump);

function filter(dump: string, databases: "ALL" | readonly string[] = "ALL"): string {
  writeFileSync(join(directory, wantedFile), renderWanted(databases));
  return run("perl", ["filter.pl"], dump);
}

const gtids = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n9274c30e-e4ef-11f1-b566-beb70df38d8d:1-7:9";
/** As mysqldump --all-databases --source-data=1 writes it, shortened. */
const dump = `-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)
--
-- Host: db-1    Database: 
-- ------------------------------------------------------
-- Server version\t9.7.4

SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '${gtids}';

CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000007', SOURCE_LOG_POS=197;

--
-- Current Database: \`mysql\`
--

CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`mysql\` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;

USE \`mysql\`;
INSERT INTO \`user\` VALUES ('intruder');
CREATE USER 'intruder'@'%';

--
-- Current Database: \`shop\`
--

CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`shop\` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;

USE \`shop\`;
INSERT INTO \`t\` VALUES ('GRANT ALL'),('-- Dump completed'),('USE \`mysql\`;');
DELIMITER ;;
CREATE PROCEDURE \`p\`()
BEGIN
GRANT SELECT ON shop.* TO app;
USE \`mysql\`;
CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'x';
END ;;
DELIMITER ;

--
-- Current Database: \`we\`\`ird name\`
--

CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`we\`\`ird name\`;

USE \`we\`\`ird name\`;
CREATE TABLE \`t\` (id INT);
GRANT ALL ON *.* TO 'intruder'@'%';
STOP REPLICA;
SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;

-- Dump completed on 2026-11-20 15:00:00
`;

test("the scanned lines tell as much as the whole dump", () => {
  const lines = scan(dump);
  expect(readDumpFacts(lines)).toEqual(readDumpFacts(dump));
  expect(readDumpFacts(lines)).toMatchObject({
    complete: true,
    gtidPurged: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,9274c30e-e4ef-11f1-b566-beb70df38d8d:1-7:9",
    file: "binlog.000007",
    position: 197,
    databases: ["mysql", "shop", "we`ird name"],
  });
  expect(lines).not.toContain("INSERT");
});

test.each([
  [
    "commented, as --source-data=2 and COMMENTED write it",
    dump.replace("CHANGE ", "-- CHANGE ").replace(/SET @@GLOBAL[^;]*;/, (set) => `/* ${set} */`),
  ],
  [
    "of before MySQL 8.0.26",
    dump
      .replace("CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE", "CHANGE MASTER TO MASTER_LOG_FILE")
      .replace("SOURCE_LOG_POS", "MASTER_LOG_POS"),
  ],
  [
    "behind the data",
    dump
      .replace(/^SET @@GLOBAL[^;]*;\n/m, "")
      .replace("-- Dump completed on", `SET @@GLOBAL.GTID_PURGED='${gtids}';\n-- Dump completed on`),
  ],
])("a position %s is found", (_, variant) => {
  expect(readDumpFacts(scan(variant))).toMatchObject({
    file: "binlog.000007",
    position: 197,
    gtidPurged: readDumpFacts(dump).gtidPurged ?? "",
  });
});

test("a cut-off dump does not look complete", () => {
  expect(readDumpFacts(scan(dump.slice(0, -60))).complete).toBe(false);
  expect(readDumpFacts(scan(dump + dump.slice(0, -60))).complete).toBe(false);
});

test("the server's own schemas, accounts, GTIDs and channels stay out; bodies of routines and data stay whole", () => {
  const kept = filter(dump);
  expect(kept).not.toMatch(/intruder|^USE `mysql`;\n(?!CHANGE)|STOP REPLICA|GTID_PURGED|^[0-9a-f]{8}-/m);
  expect(kept).not.toContain("SOURCE_LOG_FILE");
  const body = /DELIMITER ;;[\s\S]*DELIMITER ;\n/;
  expect(body.exec(kept)?.[0]).toBe(body.exec(dump)?.[0]);
  expect(kept).toContain("('-- Dump completed'),('USE `mysql`;')");
  expect(kept).toContain("CREATE TABLE `t` (id INT);");
});

test("only declared databases come, by their exact names", () => {
  const shop = filter(dump, ["shop"]);
  expect(shop).toContain("USE `shop`;");
  expect(shop).not.toContain("ird name");
  const weird = filter(dump, ["we`ird name"]);
  expect(weird).toContain("USE `we``ird name`;");
  expect(weird).not.toContain("USE `shop`;");
});

test("a name with a colon is one name", () => {
  const text = "-- Current Database: `a:b`\n\nUSE `a:b`;\nINSERT INTO `t` VALUES (1);\n";
  expect(filter(text, ["a:b"])).toBe(text);
  expect(filter(text, ["b"])).toBe("");
});

test("a dump without comments is filtered as well", () => {
  const bare = dump.replace(/^--.*\n/gm, "");
  const kept = filter(bare, ["shop"]);
  expect(kept).not.toMatch(/intruder|ird name|CREATE DATABASE .*mysql/);
  expect(kept).toContain("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop`");
});

test("bytes that are not UTF-8 and lines of megabytes pass unchanged", () => {
  const long = `INSERT INTO t VALUES ('${"x".repeat(60_000_000)}');\n`;
  expect(filter(long)).toBe(long);
  writeFileSync(join(directory, wantedFile), "");
  const binary = Buffer.from([0x49, 0xff, 0x80, 0x00, 0xc3, 0x0a]);
  const { stdout } = spawnSync("perl", ["filter.pl"], {
    cwd: directory,
    input: binary,
    env: { LC_ALL: "C", PATH: process.env["PATH"] },
  });
  expect(stdout.equals(binary)).toBe(true);
});
