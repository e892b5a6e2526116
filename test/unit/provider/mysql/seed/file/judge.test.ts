import { readDumpFacts } from "../../../../../../provider/mysql/seed/file/header";
import {
  refusalOf,
  refusalOfHead,
  warningsOf,
  type DumpExpected,
} from "../../../../../../provider/mysql/seed/file/judge";

const a = "90c3b5e4-e4ee-11f1-bb53-02fc00000001";
const b = "a1c3b5e4-e4ee-11f1-bb53-02fc00000001";
const end = "-- Dump completed on 2026-11-20 14:32:12\n";

/** As mysqldump writes it; `named` is what its head names. */
const dump = (name: string, moment: { gtids?: string; at?: number } = {}, named = name): string =>
  [
    "-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)",
    `-- Host: localhost    Database: ${named}`,
    ...(moment.gtids === undefined ? [] : [`SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '${moment.gtids}';`]),
    ...(moment.at === undefined
      ? []
      : [`-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000001', SOURCE_LOG_POS=${String(moment.at)};`]),
    `CREATE DATABASE \`${name}\`;`,
    `USE \`${name}\`;`,
    end,
  ].join("\n");

const expected: DumpExpected = { path: "/backup/a.sql", databases: "ALL", source: null };
const sourceOf = (gtidOn: boolean, ...names: string[]): DumpExpected["source"] => ({
  endpoint: "db-1:3306",
  gtidOn,
  databases: names.map((name) => ({ name, bytes: 1, rowBytes: 1 })),
});
const refuse = (text: string, change: Partial<DumpExpected> = {}) =>
  refusalOf(readDumpFacts(text), { ...expected, ...change });

const both = { databases: ["shop", "store"] };

test("dumps of one server that were put together are refused unless they are of one moment", () => {
  const first = dump("shop", { gtids: `${a}:1-91`, at: 200 });
  expect(refuse(first + dump("store", { gtids: `${a}:1-95`, at: 300 }), both)).toMatchObject({
    code: "SEED_POSITION_DOUBTFUL",
    found: `dump 1: GTIDs ${a}:1-91, position binlog.000001:200\ndump 2: GTIDs ${a}:1-95, position binlog.000001:300`,
  });
  expect(refuse(first + dump("store", { gtids: `${a}:1-91`, at: 200 }), both)).toBeUndefined();
  expect(refuse(first + dump("store", { gtids: `${a}:1-95,${b}:1`, at: 300 }), both)).toBeDefined();
  expect(refuse(first + dump("store"), both)).toMatchObject({ code: "SEED_POSITION_DOUBTFUL" });
  expect(refuse(dump("shop", { at: 200 }) + dump("store", { at: 300 }), both)).toBeDefined();
  expect(refuse(dump("shop", { at: 200 }) + dump("store"), both)).toBeDefined();
  expect(refuse(dump("shop") + dump("store"), both)).toBeUndefined();
});

test("dumps of different servers may stand in one file: no transaction of one is in the other", () => {
  const text = dump("shop", { gtids: `${a}:1-91`, at: 200 }) + dump("outlet", { gtids: `${b}:1-5`, at: 300 });
  expect(refuse(text)).toBeUndefined();
  expect(warningsOf(readDumpFacts(text), expected)).toEqual([]);
});

test("a dump in the middle that is not complete is named", () => {
  const cut = dump("shop", { gtids: `${a}:1-91` }).replace(end, "");
  expect(refuse(cut + dump("store", { gtids: `${a}:1-91` }), both)).toMatchObject({
    code: "SEED_FILE_INCOMPLETE",
    what: expect.stringContaining("dump 1 of the 2 in it") as string,
  });
});

test("a GTID set that cannot be read is refused, and so is none where the source writes GTIDs", () => {
  expect(refuse(dump("shop", { gtids: "soon" }), { databases: ["shop"] })).toMatchObject({
    code: "SEED_POSITION_DOUBTFUL",
    found: "soon",
  });
  const without = dump("shop", { at: 200 });
  expect(refuse(without, { databases: ["shop"], source: sourceOf(true, "shop") })).toMatchObject({
    code: "SEED_POSITION_DOUBTFUL",
    fix: expect.stringContaining("--set-gtid-purged=ON --source-data=2") as string,
  });
  expect(refuse(without, { databases: ["shop"], source: sourceOf(false, "shop") })).toBeUndefined();
});

test("a file that holds one database by name is not all of them, unless the source has no other", () => {
  const text = dump("shop", { gtids: `${a}:1-91` });
  expect(refuse(text)).toMatchObject({
    code: "SEED_FILE_NOT_FULL",
    what: expect.stringContaining("the file holds shop only") as string,
    fix: expect.stringContaining('declare `databases: ["shop"]`') as string,
  });
  expect(refuse(text, { databases: ["shop"] })).toBeUndefined();
  expect(refuse(text, { source: sourceOf(true, "shop") })).toBeUndefined();
  expect(refusalOfHead(readDumpFacts(text), { ...expected, source: sourceOf(true, "shop", "store") })).toMatchObject({
    code: "SEED_FILE_NOT_FULL",
    found: "on db-1:3306 also store",
  });
  expect(refusalOfHead(readDumpFacts(text), expected)).toMatchObject({ code: "SEED_FILE_NOT_FULL" });
  expect(refuse(dump("shop", { gtids: `${a}:1-91` }, ""))).toBeUndefined();
});

test("a file that is loaded is kept where the source has another database: it may be younger than the backup", () => {
  const source = sourceOf(true, "shop", "store");
  const facts = readDumpFacts(dump("shop", { gtids: `${a}:1-91` }));
  expect(refusalOf(facts, { ...expected, source })).toBeUndefined();
  expect(warningsOf(facts, { ...expected, source })).toEqual([
    expect.stringMatching(/^\/backup\/a\.sql does not hold store, which db-1:3306 has\. .* change `reseed`$/),
  ]);
  expect(warningsOf(facts, { ...expected, source: sourceOf(true, "shop") })).toEqual([]);
  expect(warningsOf(facts, { ...expected, databases: ["shop"], source })).toEqual([]);
});

test("the beginning of a longer file refuses nothing: what follows it is not known", () => {
  const source = sourceOf(true, "shop", "store");
  const head = readDumpFacts(dump("shop", { gtids: `${a}:1-91` }).replace(end, ""));
  expect(refusalOfHead(head, { ...expected, source })).toBeUndefined();
  expect(refusalOfHead(head, expected)).toBeUndefined();
});

test("a file of several databases by name may be partial, and one without a position cannot be followed: both are said", () => {
  const text = dump("shop").replace(end, "") + "CREATE DATABASE `store`;\n" + end;
  expect(refuse(text)).toBeUndefined();
  expect(warningsOf(readDumpFacts(text), expected)).toEqual([
    expect.stringContaining("--set-gtid-purged=ON --source-data=2"),
    expect.stringContaining('databases: ["shop", "store"]'),
  ]);
});
