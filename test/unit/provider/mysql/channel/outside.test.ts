import { noRules, type FilterRules } from "../../../../../provider/mysql/channel/filters";
import { keepsOut, outsideStatement } from "../../../../../provider/mysql/channel/outside";

const shop: FilterRules = { ...noRules, wildDoTables: ["my\\_shop.%", "shop.%"], wildIgnoreTables: ["mysql.%"] };
const definer = "DEFINER=`root`@`localhost`";

const failed = (query: string, database = "", errno = 1305) => ({
  errno,
  message: `Worker 1 failed executing transaction 'x:1' at source log binlog.000001, end_log_pos 9; Error '...' on query. Default database: '${database}'. Query: '${query}'`,
});

/** Queries as 9.7.4 prints them for what a session wrote. */
test.each([
  [`CREATE ${definer} PROCEDURE \`hr\`.\`n1\`()\nselect 1`, "", "CREATE PROCEDURE hr.n1"],
  [`CREATE ${definer} PROCEDURE \`n2\`()\nselect 1`, "hr", "CREATE PROCEDURE hr.n2"],
  [
    `CREATE ${definer} FUNCTION \`hr\`.\`nf\`() RETURNS int\n    DETERMINISTIC\nreturn 1`,
    "shop",
    "CREATE FUNCTION hr.nf",
  ],
  [`CREATE ${definer} event hr.ne on schedule every 1 day do select 1`, "shop", "CREATE EVENT hr.ne"],
  ["alter procedure hr.p comment 'x'", "", "ALTER PROCEDURE hr.p"],
  ["/* by hand */ drop procedure p2", "hr", "DROP PROCEDURE hr.p2"],
  ["DROP FUNCTION IF EXISTS `h``r`.f", "shop", "DROP FUNCTION h`r.f"],
  ["alter event hr.e disable", "shop", "ALTER EVENT hr.e"],
  ['drop event "hr"."e"', "", "DROP EVENT hr.e"],
])("%j with the default database %j is about what the filters keep out", (query, database, said) => {
  expect(outsideStatement(failed(query, database), shop)).toBe(said);
});

test.each([
  ["the database is ours", "drop procedure shop.p", "hr"],
  ["the default database is ours", "drop procedure p", "shop"],
  ["an underscore in a rule is that character", "drop procedure my_shop.p", ""],
  ["the name differs in case only", "drop procedure SHOP.p", ""],
  ["no database is named", "drop procedure p", ""],
  ["an event may become ours", "alter event hr.gone rename to shop.come", ""],
  ["an event of ours goes away", "alter event shop.ownev rename to hr.gone", ""],
  [
    "a view is ours",
    `CREATE ALGORITHM=UNDEFINED ${definer} SQL SECURITY DEFINER VIEW \`shop\`.\`vf\` AS select hr.nf()`,
    "",
  ],
  ["a table is ours", "create table shop.copy like hr.t2", ""],
  ["a table moves", "rename table shop.copy to hr.moved", ""],
  ["it is of the server", "drop procedure sys.p", ""],
  ["the words are hidden in a comment for versions", "/*!50003 drop procedure hr.p */", ""],
])("nothing is skipped where %s: %j", (_why, query, database) => {
  expect(outsideStatement(failed(query, database), shop)).toBeNull();
});

test("nothing is skipped for other errors, without filters, or where the end of ALTER EVENT is cut off", () => {
  expect(outsideStatement(failed("drop procedure hr.p", "", 1304), shop)).toBeNull();
  expect(outsideStatement(failed("drop procedure hr.p"), noRules)).toBeNull();
  expect(outsideStatement({ errno: 1305, message: "something else" }, shop)).toBeNull();
  const long = `alter event hr.e on schedule every 1 day do set @a = '${"x".repeat(2000)}'`;
  const cut = { errno: 1539, message: failed(long).message.slice(0, 1023) };
  expect(outsideStatement(cut, shop)).toBeNull();
  expect(outsideStatement({ ...cut, message: cut.message.replace("alter", "drop") }, shop)).toBe("DROP EVENT hr.e");
});

test.each<[Partial<FilterRules>, string, boolean]>([
  [{ wildDoTables: ["shop.%"] }, "hr", true],
  [{ wildDoTables: ["s%.%"] }, "sales", false],
  [{ wildDoTables: ["my_shop.%"] }, "my1shop", false],
  [{ doTables: ["shop.orders"] }, "hr", true],
  [{ doTables: ["shop.orders"] }, "shop", false],
  [{ doDatabases: ["shop"] }, "shop", false],
  [{ doDatabases: ["shop"] }, "hr", true],
  [{ wildDoTables: ["shop.%"], rewriteDatabases: ["hr->shop"] }, "hr", false],
  [{ wildDoTables: ["a", "b.%"] }, "hr", false], // a name with a comma, as the server prints it
  [{ ignoreDatabases: ["hr"] }, "hr", true],
  [{ ignoreDatabases: ["hr"] }, "shop", false],
  [{ wildIgnoreTables: ["hr.%"] }, "hr", true],
  [{ wildIgnoreTables: ["hr.tmp%"] }, "hr", false],
  [{ ignoreTables: ["hr.t"] }, "hr", false],
])("%j keeps out %s: %s", (rules, database, expected) => {
  expect(keepsOut({ ...noRules, ...rules }, database)).toBe(expected);
});
