import { inspect } from "node:util";
import { id, join, keyword, quoteString, scrub, secret, sql } from "../../../../provider/mysql/sql";

describe("the tag sql", () => {
  it.each([
    ["text", "shop", "'shop'"],
    ["a quote", "O'Hara", "'O''Hara'"],
    ["a double quote", 'a"b', "'a\"b'"],
    ["a backslash", "a\\b", "'a\\\\b'"],
    ["a backslash before the closing quote", "a\\", "'a\\\\'"],
    ["a quote after a backslash", "\\'", "'\\\\'''"],
    ["line ends and control characters", "a\nb\rc\0d\x1ae", "'a\\nb\\rc\\0d\\Ze'"],
    ["what looks like a comment", "--x # /* y */", "'--x # /* y */'"],
    ["characters of every plane", "ü漢😀", "'ü漢😀'"],
    ["an empty text", "", "''"],
    ["a number", 1.5, "1.5"],
    ["a negative number", -3, "-3"],
    ["a bigint", 18446744073709551615n, "18446744073709551615"],
    ["true", true, "1"],
    ["false", false, "0"],
    ["null", null, "NULL"],
    ["bytes", Buffer.from([0, 255]), "x'00ff'"],
    ["no bytes", Buffer.alloc(0), "x''"],
  ])("renders %s", (_, value, literal) => {
    expect(sql`SELECT ${value}`.text).toBe(`SELECT ${literal}`);
  });

  it("renders an array as a list", () => {
    expect(sql`a IN (${["x", "y'"]}) OR b IN (${[1, 2n]})`.text).toBe("a IN ('x', 'y''') OR b IN (1, 2)");
  });

  it("puts a statement into a statement as it is", () => {
    const where = sql`a = ${"x"}`;
    expect(sql`SELECT 1 WHERE ${where}`.text).toBe("SELECT 1 WHERE a = 'x'");
  });

  it("takes the template's text as it is, escapes included", () => {
    expect(sql`SELECT \`a\`, '%'`.text).toBe("SELECT `a`, '%'");
  });

  it("says who asked", () => {
    expect(sql`SELECT 1`.tagged).toBe("/* sluice */ SELECT 1");
  });

  it.each([
    ["an empty list", () => sql`SELECT ${[]}`],
    ["a number that is none", () => sql`SELECT ${NaN}`],
    ["an endless number", () => sql`SELECT ${Infinity}`],
    ["half a character", () => sql`SELECT ${"\ud83d"}`],
  ])("refuses %s", (_, build) => {
    expect(build).toThrow(RangeError);
  });
});

describe("names", () => {
  it.each([
    ["shop", "`shop`"],
    ["a`b", "`a``b`"],
    ["``", "``````"],
    ["with space", "`with space`"],
    ["a.b", "`a.b`"],
    ["ünïcode漢", "`ünïcode漢`"],
    ["$1;--", "`$1;--`"],
  ])("quotes %s", (name, quoted) => {
    expect(id(name).text).toBe(quoted);
  });

  it("joins a schema and a table", () => {
    expect(sql`SELECT * FROM ${id("sh`op", "orders")}`.text).toBe("SELECT * FROM `sh``op`.`orders`");
  });

  it.each([[""], ["a\0b"], ["emoji😀"], ["half\ud83d"]])(
    "refuses %j, which MySQL would store as something else",
    (name) => {
      expect(() => id(name)).toThrow(RangeError);
    },
  );

  it("takes only words of the language for keywords", () => {
    expect(keyword("REPLICATION SLAVE").text).toBe("REPLICATION SLAVE");
    for (const words of ["a", "A;B", "A  B", "", "A--", "A'"]) expect(() => keyword(words)).toThrow(RangeError);
  });
});

it("joins conditions", () => {
  expect(join([sql`a = ${1}`, sql`b = ${"x"}`], " AND ").text).toBe("a = 1 AND b = 'x'");
  expect(() => join([], " AND ")).toThrow(RangeError);
});

describe("a secret", () => {
  const password = "s3cr'et\\wörd";
  const statement = sql`ALTER USER ${"root"}@${"localhost"} IDENTIFIED BY ${secret(password, "rootPassword")}`;

  it("reaches the server quoted", () => {
    expect(statement.text).toBe("ALTER USER 'root'@'localhost' IDENTIFIED BY 's3cr''et\\\\wörd'");
  });

  it("is shown by its label, also where statements are put together", () => {
    const outer = sql`${statement} ${join([sql`ATTRIBUTE ${secret("hidden-too", "attribute")}`], ", ")}`;
    expect(outer.display).toBe("ALTER USER 'root'@'localhost' IDENTIFIED BY «rootPassword» ATTRIBUTE «attribute»");
    expect(outer.secrets.map((one) => one.label)).toEqual(["rootPassword", "attribute"]);
  });

  it("is not in any print of its holder", () => {
    const holder = { password: secret("marker-7f3a", "password") };
    for (const print of [
      inspect(holder, { depth: 9, showHidden: true }),
      JSON.stringify(holder),
      String(holder.password),
    ]) {
      expect(print).not.toContain("marker-7f3a");
    }
  });
});

describe("scrubbing", () => {
  const hidden = [secret("abcdefghijkl'mnop", "password")];

  it.each([
    ["as it is", "near 'abcdefghijkl'mnop' at line 1"],
    ["as it was sent", `near ${quoteString("abcdefghijkl'mnop")} at line 1`],
    ["cut at its end", "near 'abcdefgh' at line 1"],
    ["cut at its start", "near 'jkl'mnop' at line 1"],
    ["twice", "abcdefghijkl'mnop and abcdefghijkl'mnop"],
  ])("hides a secret in a message %s", (_, message) => {
    const clean = scrub(message, hidden);
    expect(clean).toContain("«password»");
    expect(clean).not.toMatch(/abcde|efgh|kl'm|mnop/);
  });

  it("leaves other words alone", () => {
    expect(scrub("Access denied for user 'abc'@'localhost'", hidden)).toBe("Access denied for user 'abc'@'localhost'");
  });

  it("hides short secrets whole", () => {
    expect(scrub("password x9! is wrong", [secret("x9!", "password")])).toBe("password «password» is wrong");
  });
});
