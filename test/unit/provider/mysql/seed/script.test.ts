import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, sh } from "../../../../../provider/host/command";
import { endings, jobFiles, loadClient, loadScript } from "../../../../../provider/mysql/seed/script";
import { filesOfSpread } from "../../../../../provider/mysql/seed/spread";

const directory = mkdtempSync(join(tmpdir(), "sluice-load-"));
const loaded = join(directory, "loaded");

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Runs the script with a program in the place of mysql: `load` is what it does with the stream. */
function load(reader: Command, client = "cat >loaded") {
  const mysql = join(directory, "mysql");
  const body = `case "$*" in *--binary-mode*) ${client} ;; *) cat >>framed ;; esac`;
  writeFileSync(mysql, `#!/bin/sh\n${body}\n`);
  chmodSync(mysql, 0o755);
  writeFileSync(join(directory, jobFiles.before), "before\n");
  writeFileSync(join(directory, jobFiles.after), "after\n");
  writeFileSync(join(directory, jobFiles.patterns), "^-- \n");
  writeFileSync(join(directory, jobFiles.filter), "print while <STDIN>;\n");
  for (const [name, text] of Object.entries(filesOfSpread(loadClient(mysql))))
    writeFileSync(join(directory, name), text);
  rmSync(join(directory, "framed"), { force: true });
  const script = loadScript({ mysql, reader, metersReader: false, isOurs: false });
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script.text], { cwd: directory });
  expect(stderr.toString()).toBe("");
  return { code: status, log: stdout.toString(), framed: readFileSync(join(directory, "framed"), "utf8") };
}

const lines = 40_000; // more than the pipes between the programs hold
const dump = sh`seq 1 ${lines} && echo '-- the end'`;

test("a whole stream is loaded between the two frames, and its lines are found", () => {
  expect(load(dump)).toEqual({ code: 0, log: "", framed: "before\nafter\n" });
  expect(readFileSync(loaded, "utf8").split("\n")).toHaveLength(lines + 2);
  expect(readFileSync(join(directory, jobFiles.found), "utf8")).toBe("-- the end\n");
});

test("a reader that breaks off is the reason, although all it printed was loaded", () => {
  expect(load(sh`{ ${dump}; echo 'mysqldump: Error 2013: Lost connection' >&2; exit 3; }`)).toEqual({
    code: endings.readerFailed,
    log: "mysqldump: Error 2013: Lost connection\n",
    framed: "before\n",
  });
});

test("a loader that breaks off is the reason, although the reader then complains of its pipe", () => {
  const reader = sh`{ ${dump} 2>/dev/null || { echo 'mysqldump: Got errno 32 on write' >&2; exit 5; }; }`;
  const loader = "head -n 10 >/dev/null; echo 'ERROR 1114 (HY000) at line 10: The table is full' >&2; exit 1";
  expect(load(reader, loader)).toEqual({
    code: endings.loaderFailed,
    log: "ERROR 1114 (HY000) at line 10: The table is full\n",
    framed: "before\n",
  });
});

test("a reader that breaks off in the middle of a statement is the reason, not the statement", () => {
  const reader = sh`{ seq 1 10; echo 'gzip: stdin: unexpected end of file' >&2; exit 1; }`;
  const loader = "cat >/dev/null; echo 'ERROR 1064 (42000) at line 10: syntax' >&2; exit 1";
  expect(load(reader, loader)).toMatchObject({
    code: endings.readerFailed,
    log: "gzip: stdin: unexpected end of file\n",
  });
});

test("a statement that is refused is reported with the object it is in", () => {
  const text = ["CREATE DATABASE `shop`;", "USE `shop`;", "CREATE TABLE `a` (", "  `id` int", ") ENGINE=MEMORY;"];
  const more = [
    "INSERT INTO `a` VALUES (1);",
    "/*!50003 CREATE*/ /*!50017 DEFINER=`x`@`y`*/ /*!50003 TRIGGER `t` BEFORE",
  ];
  const reader = sh`printf '%s\n' ${[...text, ...more]}`;
  const refusedAt = (line: number) =>
    load(reader, `cat >/dev/null; echo 'ERROR 1146 (42S02) at line ${String(line)}: no' >&2; exit 1`).log.split(
      "\n",
    )[1];
  expect(refusedAt(1)).toBe("object: database `shop`");
  expect(refusedAt(3)).toBe("object: table `shop`.`a`");
  expect(refusedAt(6)).toBe("object: rows of MEMORY table `shop`.`a`");
  expect(refusedAt(7)).toBe("object: trigger `shop`.`t`");
});

test("mysqldump's advice about GTIDs is not taken for the reason", () => {
  const advice = [
    "Warning: A partial dump from a server that has GTIDs will by default include the GTIDs of all transactions.",
    "In order to ensure a consistent backup of the database, pass --single-transaction or --lock-all-tables.",
  ];
  const reader = sh`{ printf '%s\n' ${advice} 'mysqldump: Error 2013: Lost connection' >&2; exit 3; }`;
  expect(load(reader).log).toBe("mysqldump: Error 2013: Lost connection\n");
});

test("a reader that was killed is not taken for a whole stream", () => {
  expect(load(sh`sh -c 'seq 1 10; kill -KILL $$'`)).toMatchObject({ code: endings.readerFailed, framed: "before\n" });
});

test("a server that refuses the frame is not loaded at all", () => {
  writeFileSync(loaded, "");
  const mysql = join(directory, "refusing");
  writeFileSync(mysql, "#!/bin/sh\necho 'ERROR 1045 (28000): Access denied' >&2; exit 1\n");
  chmodSync(mysql, 0o755);
  const script = loadScript({ mysql, reader: dump, metersReader: false, isOurs: true });
  const { status, stdout } = spawnSync("sh", ["-c", script.text], { cwd: directory });
  expect({ status, said: stdout.toString() }).toEqual({
    status: endings.loaderFailed,
    said: "ERROR 1045 (28000): Access denied\n",
  });
  expect(readFileSync(loaded, "utf8")).toBe("");
});
