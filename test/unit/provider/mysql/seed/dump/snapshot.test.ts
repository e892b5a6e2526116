import { explainSource, filesOfSnapshot, snapshotFiles } from "../../../../../../provider/mysql/seed/dump/snapshot";

const ordersOf = ({ sees = true, isAll = true } = {}): ReadonlyMap<string, string> => {
  const source = {
    server: { flavour: "mysql", version: "8.0.36" },
    gtidOn: true,
    hasPerformanceSchema: sees,
  } as const;
  const wanted = { databases: ["shop", "a b"], dumpWaits: true, lockWaitSeconds: 60, historyListLimit: 1000 };
  const text = String(filesOfSnapshot({ source, isAll, ...wanted })[snapshotFiles.orders]);
  return new Map(text.split("\n").map((line) => [line.split("\t")[0] ?? "", line.split("\t").slice(1).join("\t")]));
};

const explain = (line: string) =>
  explainSource({ logTail: `${line}\n` }, { from: "source x", lockWaitSeconds: 60, historyListLimit: 1000 });

test("an applier's lag is not the age of its locks, and a transaction's age is its own", () => {
  const held =
    "COALESCE(x.TIMER_WAIT / 1000000000000, IF(t.NAME LIKE '%replica%' OR t.NAME LIKE '%slave%', 0, t.PROCESSLIST_TIME), 0)";
  for (const order of ["blockers", "blockersNow", "busyTables"]) expect(ordersOf().get(order)).toContain(held);
});

test("where metadata locks cannot be seen, every limit is the shorter one and every waiting session counts", () => {
  const orders = ordersOf({ sees: false });
  expect([...orders.values()].filter((text) => text.includes("performance_schema.metadata_locks"))).toEqual([]);
  expect(orders.get("waiters")).toContain("Waiting for table metadata lock");
  expect(orders.get("lockSeconds")).toBe(orders.get("queueSeconds"));
  expect(orders.get("seesLocks")).toBe("0");
  expect(ordersOf().get("seesLocks")).toBe("1");
});

test("the databases are compared with those that were listed, if all are wanted", () => {
  expect(ordersOf().get("databases")).toMatch(/^SELECT HEX.*NOT IN \('information_schema', 'mysql'/);
  expect(ordersOf().get("databasesListed")).toBe("612062 73686F70");
  expect(ordersOf({ isAll: false }).get("databases")).toBe("DO 0");
  expect(ordersOf({ isAll: false }).get("databasesListed")).toBe("");
});

test.each([
  ["many\t90000", "SOURCE_BUSY", /LOCK TABLES of its 90000 tables takes longer than 1 s/, "90000 tables"],
  ["tables", "SOURCE_BUSY", /within 60 s tables were created, renamed or dropped/, undefined],
  ["slow", "SOURCE_BUSY", /opening the snapshot takes longer/, undefined],
  ["session", "SOURCE_NOT_SUPPORTED", /which session is mysqldump's/, undefined],
  ["databases\t+73686F70 -612062", "SEED_FAILED", /databases of the source changed/, "created: shop\ndropped: a b"],
] as const)("the last attempt's reason is named: %s", (line, code, what, found) => {
  const explanation = explain(`sluice-source\t${line}`);
  expect(explanation).toMatchObject({ code, what: expect.stringMatching(what) as string });
  expect(explanation?.found).toBe(found);
});
