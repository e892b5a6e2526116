import { useStagingLab } from "./staging-lab";

const lab = useStagingLab("/srv/inherited-test", { source: "source6" });

jest.setTimeout(240_000);

/** Takes a strict server's word for it: each is refused with the defaults of 9.7. */
const oddities = `
  SET GLOBAL innodb_strict_mode = OFF, GLOBAL max_heap_table_size = 67108864, GLOBAL restrict_fk_on_non_standard_key = OFF;
  SET SESSION innodb_strict_mode = OFF, SESSION max_heap_table_size = 67108864, SESSION restrict_fk_on_non_standard_key = OFF;
  DROP DATABASE IF EXISTS oddities; CREATE DATABASE oddities; USE oddities;
  CREATE TABLE fixed_rows (id INT PRIMARY KEY) ROW_FORMAT = FIXED;
  CREATE TABLE parents (id INT PRIMARY KEY, code INT, KEY (code));
  CREATE TABLE children (id INT PRIMARY KEY, code INT, FOREIGN KEY (code) REFERENCES parents (code));
  CREATE TABLE cached (id INT PRIMARY KEY, words CHAR(255) CHARACTER SET latin1) ENGINE = MEMORY;
  SET SESSION cte_max_recursion_depth = 200000;
  INSERT INTO cached WITH RECURSIVE n AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM n WHERE id < 100000) SELECT id, 'word' FROM n;
`;
const standard = `
  DROP DATABASE IF EXISTS oddities;
  SET GLOBAL innodb_strict_mode = DEFAULT, GLOBAL max_heap_table_size = DEFAULT, GLOBAL restrict_fk_on_non_standard_key = DEFAULT;
`;

afterEach(() => lab.onSource(standard));

test("definitions that only the source's settings accept are accepted, and a MEMORY table has room", async () => {
  await lab.onSource(oddities);
  const declared = lab.declare("oddities", 3481, {
    source: lab.source,
    databases: ["oddities"],
    inexactRows: "accept",
  });
  const stack = lab.stack();
  await stack.up(declared);
  expect(
    await lab.ask(
      declared,
      "SELECT @@innodb_strict_mode AS strict, @@max_heap_table_size AS heap, @@restrict_fk_on_non_standard_key AS fk, (SELECT COUNT(*) FROM oddities.cached) AS cached",
    ),
  ).toEqual({ strict: 0, heap: 67_108_864, fk: 0, cached: 100_000 });
  expect(await stack.up(declared)).toEqual([]);
  await stack.destroy(declared);
});

test("a MEMORY table that is full does not say that the file system is", async () => {
  await lab.onSource(oddities);
  const config = { max_heap_table_size: "1M" };
  const declared = lab.declare("full", 3482, {
    source: lab.source,
    databases: ["oddities"],
    inexactRows: "accept",
    config,
  });
  const stack = lab.stack();
  await expect(stack.up(declared)).rejects.toThrow(
    /a table is full but the file system of .* is not \(SEED_FAILED\)[^]*config\.max_heap_table_size/,
  );
});
