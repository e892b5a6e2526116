import type { ServerFacts } from "../../../../../provider/mysql/capabilities";
import {
  dumpNeeds,
  followNeeds,
  matchesPattern,
  missingPrivileges,
  parseAccount,
  parseGrants,
  renderGrants,
  type Need,
} from "../../../../../provider/mysql/privileges/privileges";

const mysql97: ServerFacts = { flavour: "mysql", version: "9.7.4" };
const to = "TO `app`@`%`";
const need = (privilege: string, database?: string): Need => ({ privilege, database, why: "test" });
const missing = (rows: readonly string[], ...needs: readonly Need[]) =>
  missingPrivileges(parseGrants(rows), needs).map(({ privilege, database }) => `${privilege} on ${database ?? "*.*"}`);

describe("what grants give", () => {
  it.each([
    ["a privilege everywhere", [`GRANT SELECT, RELOAD ON *.* ${to}`], need("RELOAD")],
    ["a privilege everywhere, for one database", [`GRANT SELECT ON *.* ${to}`], need("SELECT", "shop")],
    ["all privileges", [`GRANT ALL PRIVILEGES ON *.* ${to} WITH GRANT OPTION`], need("CLONE_ADMIN")],
    ["all privileges in a database", [`GRANT ALL PRIVILEGES ON \`shop\`.* ${to}`], need("SHOW VIEW", "shop")],
    ["a privilege in a database", [`GRANT SELECT, SHOW VIEW ON \`shop\`.* ${to}`], need("SHOW VIEW", "shop")],
    [
      "a dynamic privilege",
      [`GRANT USAGE ON *.* ${to}`, `GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* ${to}`],
      need("CLONE_ADMIN"),
    ],
    ["what SUPER stands for", [`GRANT SUPER ON *.* ${to}`], need("REPLICATION_SLAVE_ADMIN")],
    ["a pattern of databases", [`GRANT SELECT ON \`shop\\_%\`.* ${to}`], need("SELECT", "shop_eu")],
    ["a database with a backtick", [`GRANT SELECT ON \`a\`\`b\`.* ${to}`], need("SELECT", "a`b")],
    ["a database whose name is a phrase of GRANT", [`GRANT SELECT ON \`x TO y\`.* ${to}`], need("SELECT", "x TO y")],
    ["MariaDB's name for it", [`GRANT BINLOG MONITOR ON *.* ${to}`], need("REPLICATION CLIENT")],
    ["names quoted for ANSI_QUOTES", ['GRANT SELECT ON "shop".* TO "app"@"%"'], need("SELECT", "shop")],
  ])("%s", (_, rows, wanted) => {
    expect(missing(rows, wanted)).toEqual([]);
  });

  it.each([
    ["nothing at all", [], need("SELECT", "shop")],
    ["USAGE", [`GRANT USAGE ON *.* ${to}`], need("SELECT")],
    ["another database", [`GRANT SELECT ON \`shop2\`.* ${to}`], need("SELECT", "shop")],
    ["a pattern whose underscore is a literal", [`GRANT SELECT ON \`shop\\_eu\`.* ${to}`], need("SELECT", "shopXeu")],
    ["one database where all are needed", [`GRANT SELECT ON \`shop\`.* ${to}`], need("SELECT")],
    ["a table", [`GRANT SELECT ON \`shop\`.\`t\` ${to}`], need("SELECT", "shop")],
    ["columns", [`GRANT SELECT (\`a\`, \`b\`) ON \`shop\`.\`t\` ${to}`], need("SELECT", "shop")],
    ["a procedure", [`GRANT EXECUTE ON PROCEDURE \`shop\`.\`p\` ${to}`], need("EXECUTE", "shop")],
    ["SUPER in a database", [`GRANT ALL PRIVILEGES ON \`shop\`.* ${to}`], need("REPLICATION_SLAVE_ADMIN")],
    [
      "what was taken back",
      [`GRANT SELECT ON *.* ${to}`, "REVOKE SELECT ON `shop`.* FROM `app`@`%`"],
      need("SELECT", "shop"),
    ],
    ["a proxy", ["GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION"], need("SELECT")],
  ])("not: %s", (_, rows, wanted) => {
    expect(missing(rows, wanted)).toHaveLength(1);
  });

  it("names the roles, whose privileges must be asked for", () => {
    expect(parseGrants(["GRANT `reader`@`%`,`writer`@`%` TO `app`@`%`"]).roles).toEqual([
      "`reader`@`%`",
      "`writer`@`%`",
    ]);
  });
});

it.each([
  ["%", "anything", true],
  ["shop", "shop", true],
  ["shop", "shops", false],
  ["sh_p", "shop", true],
  ["sh\\_p", "shop", false],
  ["a.b", "axb", false],
  ["a%z", "a-to-z", true],
  ["(", "(", true],
])("the pattern %j on the database %j: %s", (pattern, database, matches) => {
  expect(matchesPattern(pattern, database)).toBe(matches);
});

describe("the statement that gives what is missing", () => {
  const texts = (needs: readonly Need[], account: string) =>
    renderGrants(needs, parseAccount(account)).map((statement) => statement.text);

  it("is one for everywhere and one for each database", () => {
    expect(
      texts(
        [need("SELECT", "sh_op"), need("RELOAD"), need("TRIGGER", "sh_op"), need("REPLICATION CLIENT")],
        "app@10.%",
      ),
    ).toEqual([
      "GRANT SELECT, TRIGGER ON `sh\\_op`.* TO 'app'@'10.%'",
      "GRANT RELOAD, REPLICATION CLIENT ON *.* TO 'app'@'10.%'",
    ]);
  });

  it("quotes the account as CURRENT_USER() prints it, a user with @ included", () => {
    expect(texts([need("RELOAD")], "o'neil@corp@%")).toEqual(["GRANT RELOAD ON *.* TO 'o''neil@corp'@'%'"]);
  });

  it("gives exactly what the needs name", () => {
    for (const needs of [followNeeds(), dumpNeeds(mysql97, "ALL"), dumpNeeds(mysql97, ["shop", "a`b"])]) {
      const granted = renderGrants(needs, parseAccount("app@%")).map((statement) => statement.text);
      expect(missingPrivileges(parseGrants(granted), needs)).toEqual([]);
      for (const [at] of granted.entries()) {
        expect(missingPrivileges(parseGrants(granted.toSpliced(at, 1)), needs)).not.toEqual([]);
      }
    }
  });
});

describe("what is needed", () => {
  it("to read the bodies of routines is one privilege or another", () => {
    const lacks = (row: string, version: string) =>
      missingPrivileges(parseGrants([row]), dumpNeeds({ flavour: "mysql", version }, ["shop"])).map(
        (one) => one.privilege,
      );
    const rest = "SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, PROCESS, REPLICATION CLIENT";
    expect(lacks(`GRANT SELECT, ${rest} ON *.* ${to}`, "9.7.4")).toEqual([]);
    expect(lacks(`GRANT SELECT, ${rest} ON *.* ${to}`, "5.7.44")).toEqual([]);
    expect(lacks(`GRANT ${rest} ON *.* ${to}`, "9.7.4")).toEqual(["SELECT", "SELECT", "SHOW_ROUTINE"]);
  });

  it("to dump is neither RELOAD nor FLUSH_TABLES: managed services keep them for themselves", () => {
    const names = dumpNeeds(mysql97, "ALL").map(({ privilege }) => privilege);
    expect(names).toContain("LOCK TABLES");
    expect(names).not.toContain("RELOAD");
  });

  it("to see who waits for a dump of some databases is asked for where the source can show it", () => {
    const performanceSchema = (hasPerformanceSchema: boolean) =>
      dumpNeeds(mysql97, ["a"], { hasPerformanceSchema }).filter(({ database }) => database === "performance_schema");
    expect([performanceSchema(true).length, performanceSchema(false).length]).toEqual([1, 0]);
  });

  it("to dump some databases is asked for in each of them", () => {
    const needs = dumpNeeds(mysql97, ["a", "b"]);
    expect(needs.filter(({ privilege }) => privilege === "TRIGGER").map(({ database }) => database)).toEqual([
      "a",
      "b",
    ]);
  });
});
