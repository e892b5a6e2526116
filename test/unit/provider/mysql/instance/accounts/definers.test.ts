import { mergeDefiners, programGrants } from "../../../../../../provider/mysql/instance/accounts/definers";
import { sayGrant } from "../../../../../../provider/mysql/privileges/grant";

const grantsOf = (kind: "routine" | "trigger" | "event", body: string) =>
  programGrants({ definer: "app@%", home: "shop", body, kind }, ["shop", "analytics", "crm"]).map(sayGrant);

test("a program gets rights on the rows of its own database, and of those that its text names", () => {
  expect(grantsOf("routine", "INSERT INTO `Analytics`.log SELECT * FROM orders")).toEqual([
    "SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES ON shop.*",
    "SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES ON analytics.*",
  ]);
  expect(grantsOf("trigger", "SET NEW.a = 1")).toEqual([
    "SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES, TRIGGER ON shop.*",
  ]);
  expect(grantsOf("event", "TRUNCATE TABLE sessions")).toEqual([
    "SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES, CREATE, ALTER, DROP, INDEX, EVENT ON shop.*",
  ]);
});

test("an account has the rights of all that it defines, each once", () => {
  const select = { privileges: ["SELECT"], on: { kind: "TABLE", database: "shop", name: "orders" } } as const;
  expect(
    mergeDefiners([
      { definer: "app@%", grants: [select] },
      { definer: "app@%", grants: [select] },
      { definer: "etl@%", grants: [] },
    ]),
  ).toEqual([
    { account: "app@%", grants: [select] },
    { account: "etl@%", grants: [] },
  ]);
});
