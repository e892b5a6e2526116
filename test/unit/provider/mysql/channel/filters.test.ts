import {
  changeReplicationFilter,
  compareRules,
  filtersOf,
  noFilters,
  noRules,
  parseRules,
  planRules,
  renderFilterOptions,
} from "../../../../../provider/mysql/channel/filters";

const names = ["shop", "my_db", "50%", "it's", "a`b", "x y"];

describe("rules that follow from what the replica holds", () => {
  test("are wildcards in which a name means only itself", () => {
    const { wildDoTables, wildIgnoreTables } = planRules(noFilters, { databases: names, accounts: true });
    expect(wildDoTables).toEqual(["50\\%.%", "a`b.%", "it's.%", "my\\_db.%", "shop.%", "x y.%"]);
    expect(wildIgnoreTables).toEqual([]);
  });

  test("keep account statements out where the accounts did not come along", () => {
    expect(planRules(noFilters, { databases: "ALL", accounts: false })).toEqual({
      ...noRules,
      wildIgnoreTables: ["mysql.%"],
    });
    expect(planRules(noFilters, { databases: "ALL", accounts: true })).toEqual(noRules);
    expect(planRules(noFilters, undefined)).toEqual(noRules);
  });

  test("ignore views that the seeding left out, and nothing where it left nothing out", () => {
    const holds = { databases: "ALL", accounts: true } as const;
    expect(planRules(noFilters, { ...holds, lacks: ["shop.v"] })).toEqual({ ...noRules, ignoreTables: ["shop.v"] });
    expect(planRules(noFilters, { ...holds, lacks: [] })).toEqual(noRules);
  });

  test.each([
    ["doDatabases", { doDatabases: ["shop"] }],
    ["doTables", { doTables: ["shop.orders"] }],
    ["wildDoTables", { wildDoTables: ["shop.%"] }],
  ])("do not widen what %s narrows", (_kind, declared) => {
    const rules = planRules({ ...noFilters, ...declared }, { databases: ["shop", "stock"], accounts: false });
    expect(rules).toEqual({ ...noRules, ...declared, wildIgnoreTables: ["mysql.%"] });
  });

  test("reach the new name of a renamed database", () => {
    const rules = planRules(
      { ...noFilters, rewriteDatabases: [{ from: "shop", to: "shop_copy" }] },
      { databases: ["shop"], accounts: true },
    );
    expect(rules.wildDoTables).toEqual(["shop.%", "shop\\_copy.%"]);
    expect(rules.rewriteDatabases).toEqual(["shop->shop_copy"]);
  });

  test("leave accounts in where the program asks for the database mysql", () => {
    const rules = planRules({ ...noFilters, wildDoTables: ["mysql.%"] }, { databases: "ALL", accounts: false });
    expect(rules.wildIgnoreTables).toEqual([]);
  });
});

describe("what the server prints", () => {
  // As performance_schema.replication_applier_filters of 9.7.4 prints these very names.
  const rows = [
    { name: "REPLICATE_DO_DB", rule: "a,b,c`d,e'f,é x" },
    { name: "REPLICATE_IGNORE_DB", rule: "" },
    { name: "REPLICATE_WILD_DO_TABLE", rule: "my\\_db.%,a,b.x,it's.%" },
    { name: "REPLICATE_REWRITE_DB", rule: "(shop,shop_copy),(x,y)" },
  ];

  test("is the same as what was set, commas in names and another order included", () => {
    const wanted = planRules(
      {
        ...noFilters,
        doDatabases: ["é x", "e'f", "a,b", "c`d"],
        wildDoTables: ["it's.%", "a,b.x", "my\\_db.%"],
        rewriteDatabases: [
          { from: "x", to: "y" },
          { from: "shop", to: "shop_copy" },
        ],
      },
      undefined,
    );
    expect(compareRules(wanted, parseRules(rows))).toEqual([]);
  });

  test("is told from what was set by its kind", () => {
    expect(compareRules(noRules, parseRules([{ name: "REPLICATE_DO_TABLE", rule: "shop.a,shop.b" }]))).toEqual([
      { property: "filters.doTables", from: "shop.a, shop.b", to: "nothing" },
    ]);
  });

  test("comes back in a program's form", () => {
    expect(filtersOf(parseRules(rows)).rewriteDatabases).toEqual([
      { from: "shop", to: "shop_copy" },
      { from: "x", to: "y" },
    ]);
  });
});

test("one statement sets all seven kinds and empties what is not wanted", () => {
  const rules = planRules(
    {
      ...noFilters,
      doDatabases: ["a`b"],
      ignoreTables: ["x y.z.w"],
      wildDoTables: ["it's\\_.%"],
      rewriteDatabases: [{ from: "a", to: "b" }],
    },
    undefined,
  );
  expect(changeReplicationFilter(rules, "o'clock").text).toBe(
    "CHANGE REPLICATION FILTER REPLICATE_DO_DB = (`a``b`), REPLICATE_IGNORE_DB = (), REPLICATE_DO_TABLE = (), " +
      "REPLICATE_IGNORE_TABLE = (`x y`.`z.w`), REPLICATE_WILD_DO_TABLE = ('it''s\\\\_.%'), REPLICATE_WILD_IGNORE_TABLE = (), " +
      "REPLICATE_REWRITE_DB = ((`a`, `b`)) FOR CHANNEL 'o''clock'",
  );
});

test("startup options carry the channel's name and escape what an option file reads otherwise", () => {
  const rules = planRules(noFilters, { databases: ["my_db"], accounts: false });
  expect(renderFilterOptions(rules, "orders", "shop/dev/orders")).toMatchInlineSnapshot(`
    "# by sluice for shop/dev/orders; change the declaration, not this file
    [mysqld]
    replicate-wild-do-table = "orders:my\\\\_db.%"
    replicate-wild-ignore-table = orders:mysql.%
    "
  `);
});
