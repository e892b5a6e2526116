import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sh } from "../../../../../provider/host/command";
import { filesOfSpread, spreadLoad } from "../../../../../provider/mysql/seed/spread";

const directory = mkdtempSync(join(tmpdir(), "sluice-spread-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** A client that writes down, at the end of its session, what it was given: files in the order of their ends. */
function load(dump: readonly string[], client = "") {
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
  const mysql = join(directory, "mysql");
  writeFileSync(
    mysql,
    `#!/bin/sh\n${client}\ncat >session-$$; mv session-$$ "done-$(ls done-* 2>/dev/null | wc -l)-$$"\n`,
  );
  chmodSync(mysql, 0o755);
  for (const [name, text] of Object.entries(filesOfSpread(sh`${mysql}`))) writeFileSync(join(directory, name), text);
  writeFileSync(join(directory, "loader.err"), "");
  const { status } = spawnSync("sh", ["-c", `${spreadLoad.text} 2>>loader.err`], {
    cwd: directory,
    input: dump.map((line) => `${line}\n`).join(""),
  });
  const sessions = readdirSync(directory)
    .filter((name) => name.startsWith("done-"))
    .sort((one, other) => numberOf(one) - numberOf(other))
    .map((name) => readFileSync(join(directory, name), "utf8").split("\n").slice(0, -1));
  return { status, sessions, log: readFileSync(join(directory, "loader.err"), "utf8") };
}
const numberOf = (name: string) => Number(name.split("-")[1]);

const rows = (table: string, count: number) =>
  Array.from({ length: count }, (_, index) => `INSERT INTO \`${table}\` VALUES (${String(index)},'; text');`);
const preamble = ["-- MySQL dump", "SET NAMES utf8mb4;", "SET SQL_LOG_BIN= 0;"];
const opening = [...preamble, "SET SESSION autocommit = 1;"];
const head = [...preamble, "-- Current Database: `shop`", "CREATE DATABASE `shop`;", "USE `shop`;"];

test("a small dump is one session, in order", () => {
  const rest = [...head.slice(3), "CREATE TABLE `a`;", ...rows("a", 4), "CREATE TABLE `b`;", ...rows("b", 1)];
  expect(load([...preamble, ...rest])).toEqual({ status: 0, log: "", sessions: [[...opening, ...rest]] });
});

test("the rows of a large table go to several sessions, after the statements before them and before those that follow", () => {
  const many = rows("a", 40);
  const { status, sessions } = load([...head, "CREATE TABLE `a`;", ...many, "CREATE TRIGGER `t`;"]);
  expect(status).toBe(0);
  const [first = [], ...others] = sessions;
  const last = others.pop();
  expect(first.slice(-5)).toEqual(["CREATE TABLE `a`;", ...many.slice(0, 4)]);
  expect(last).toEqual([...opening, "USE `shop`;", "CREATE TRIGGER `t`;"]);
  expect(others.length).toBeGreaterThan(1);
  for (const session of others) expect(session.slice(0, 5)).toEqual([...opening, "USE `shop`;"]);
  const spread = others.flatMap((session) => session.slice(5));
  expect([...spread].sort()).toEqual(many.slice(4).sort());
});

test("rows of two large tables in two databases do not meet", () => {
  const other = ["CREATE DATABASE `b`;", "USE `b`;", "CREATE TABLE `x`;"];
  const { sessions } = load([...head, ...rows("a", 9), ...other, ...rows("x", 9)]);
  const databaseOf = (session: readonly string[], table: string) =>
    session.some((line) => line.startsWith(`INSERT INTO \`${table}\``))
      ? session.findLast((line) => line.startsWith("USE"))
      : "";
  for (const session of sessions) {
    expect(["", "USE `shop`;"]).toContain(databaseOf(session, "a"));
    expect(["", "USE `b`;"]).toContain(databaseOf(session, "x"));
  }
  expect(sessions.flat().filter((line) => line.startsWith("INSERT"))).toHaveLength(18);
});

test.each([
  ["ARCHIVE", ["CREATE TABLE `a` (", "  `id` int", ") ENGINE=ARCHIVE;"]],
  ["a FTS_DOC_ID of its own", ["CREATE TABLE `a` (", "  `FTS_DOC_ID` bigint", ") ENGINE=InnoDB;"]],
])("rows of a table that takes them in order only stay in order: %s", (_what, table) => {
  const rest = [...head.slice(3), ...table, ...rows("a", 9), "CREATE TABLE `b` (", ...rows("b", 9)];
  const { sessions } = load([...preamble, ...rest]);
  expect(sessions[0]).toEqual([...opening, ...rest.slice(0, -5)]);
  expect(sessions.length).toBeGreaterThan(2);
});

test("the lines of a routine stay where they are, and so does an incomplete statement", () => {
  const routine = ["DELIMITER ;;", "CREATE PROCEDURE p() BEGIN", ...rows("a", 9), "END ;;", "DELIMITER ;"];
  const half = Array.from({ length: 9 }, () => "INSERT INTO `a` VALUES");
  const rest = [...head.slice(3), ...routine, ...half];
  expect(load([...preamble, ...rest]).sessions).toEqual([[...opening, ...rest]]);
});

test.each([
  ["before the rows", "grep -q autocommit && { echo 'ERROR 1064' >&2; exit 1; }", 1],
  ["one of those with rows", `case "$(head -c 999999)" in *"(20,"*) echo 'ERROR 1114' >&2; exit 1;; esac`, 1],
])("a session that fails, %s, fails the load, and nothing is begun after it", (_which, client, code) => {
  const { status, sessions, log } = load([...head, ...rows("a", 40), "CREATE TRIGGER `t`;"], client);
  expect({ status, log }).toEqual({ status: code, log: expect.stringContaining("ERROR ") as string });
  expect(sessions.flat()).not.toContain("CREATE TRIGGER `t`;");
});
