import {
  grantsBeyond,
  mergeGrants,
  parseGrant,
  parseShownGrants,
  renderGrant,
  sayGrant,
  type Grant,
} from "../../../../../provider/mysql/privileges/grant";

const grant = (text: string): Grant => {
  const parsed = parseGrant(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed;
};
const app = { user: "app", host: "%" };

test.each([
  ["SELECT ON shop.*", "GRANT SELECT ON `shop`.* TO 'app'@'%'"],
  ["select,show view  on `shop_eu`.*", "GRANT SELECT, SHOW VIEW ON `shop\\_eu`.* TO 'app'@'%'"],
  ["SELECT ON `we``ird`.`a.b`", "GRANT SELECT ON TABLE `we``ird`.`a.b` TO 'app'@'%'"],
  ["EXECUTE ON PROCEDURE shop.bill", "GRANT EXECUTE ON PROCEDURE `shop`.`bill` TO 'app'@'%'"],
  ["PROCESS, BACKUP_ADMIN ON *.*", "GRANT BACKUP_ADMIN, PROCESS ON *.* TO 'app'@'%'"],
  ["ALL PRIVILEGES ON shop.*", "GRANT ALL ON `shop`.* TO 'app'@'%'"],
])("%s is %s", (text, statement) => {
  expect(renderGrant(grant(text), app, true).text).toBe(statement);
});

test("with partial_revokes the name of a database is not a pattern", () => {
  expect(renderGrant(grant("SELECT ON shop_eu.*"), app, false).text).toBe("GRANT SELECT ON `shop_eu`.* TO 'app'@'%'");
});

test.each([
  ["SELECT", "is not of the form `PRIVILEGE, PRIVILEGE ON database.table`"],
  ["SELECT ON shop.*; DROP DATABASE shop", "is not of the form `PRIVILEGE, PRIVILEGE ON database.table`"],
  ["SELECT ON shop.* TO root@localhost", "is not of the form `PRIVILEGE, PRIVILEGE ON database.table`"],
  ["SELECT ON shop.* WITH GRANT OPTION", "is not of the form `PRIVILEGE, PRIVILEGE ON database.table`"],
  ["SELCT ON shop.*", "SELCT is not a privilege; did you mean SELECT?"],
  ["GRANT OPTION ON shop.*", "GRANT OPTION is not a privilege"],
  ["BACKUP_ADMIN ON shop.*", "BACKUP_ADMIN can be granted on *.* only"],
  [
    "ALL ON *.*",
    "ALL on *.* would also allow to change this server and its accounts; name the privileges, or the databases",
  ],
  ["SELECT ON *.orders", "names a table without its database"],
  ["EXECUTE ON FUNCTION shop.*", "must name the routine as database.routine"],
])("%s is refused: it %s", (text, problem) => {
  expect(parseGrant(text)).toEqual({ problem });
});

test("what SHOW GRANTS prints is read back as it was declared; what Sluice never grants is listed apart", () => {
  const rows = [
    "GRANT USAGE ON *.* TO `app`@`%`",
    "GRANT PROCESS ON *.* TO `app`@`%`",
    "GRANT BACKUP_ADMIN ON *.* TO `app`@`%`",
    "GRANT SELECT, SHOW VIEW ON `shop\\_eu`.* TO `app`@`%`",
    "GRANT SELECT ON `we``ird`.`a.b` TO `app`@`%`",
    "GRANT EXECUTE ON PROCEDURE `shop`.`bill` TO `app`@`%`",
    "GRANT SELECT (`id`) ON `shop`.`orders` TO `app`@`%`",
    "GRANT INSERT ON `shop`.* TO `app`@`%` WITH GRANT OPTION",
    "GRANT `reader`@`%` TO `app`@`%`",
  ];
  const shown = parseShownGrants(rows, true);
  expect(shown.grants.map(sayGrant)).toEqual([
    "BACKUP_ADMIN, PROCESS ON *.*",
    "EXECUTE ON PROCEDURE shop.bill",
    "SELECT ON `we``ird`.`a.b`",
    "SELECT, SHOW VIEW ON shop_eu.*",
  ]);
  expect(shown.others).toEqual(rows.slice(6));
});

const beyond = (wanted: readonly Grant[], seen: readonly Grant[], ignoresCase = false) =>
  grantsBeyond(wanted, seen, { ignoresCase }).map(sayGrant);

test("differences are told by target and privilege, however they are written", () => {
  const seen = [grant("SELECT ON shop.*")];
  expect(beyond([grant("SELECT, INSERT ON shop.*"), grant("SELECT ON `shop`.*")], seen)).toEqual(["INSERT ON shop.*"]);
  expect(beyond(seen, [grant("SELECT ON shop.orders")])).toEqual(["SELECT ON shop.*"]);
  expect(mergeGrants([grant("ALL ON shop.*"), grant("SELECT ON shop.*")]).map(sayGrant)).toEqual(["ALL ON shop.*"]);
});

test("case does not matter in a routine's name, and in other names where the server ignores it", () => {
  const routine = [grant("EXECUTE ON PROCEDURE shop.BillAll")];
  const shownRoutine = parseShownGrants(["GRANT EXECUTE ON PROCEDURE `shop`.`billall` TO `app`@`%`"], true).grants;
  expect([...beyond(routine, shownRoutine), ...beyond(shownRoutine, routine)]).toEqual([]);

  const table = [grant("SELECT ON Shop.Orders"), grant("INSERT ON Shop.*")];
  const shownTable = parseShownGrants(
    ["GRANT INSERT ON `shop`.* TO `app`@`%`", "GRANT SELECT ON `shop`.`orders` TO `app`@`%`"],
    true,
  ).grants;
  expect([...beyond(table, shownTable, true), ...beyond(shownTable, table, true)]).toEqual([]);
  expect(beyond(table, shownTable)).toEqual(["INSERT ON Shop.*", "SELECT ON Shop.Orders"]);
  expect(beyond([grant("EXECUTE ON FUNCTION Shop.vat")], [grant("EXECUTE ON FUNCTION shop.vat")])).toEqual([
    "EXECUTE ON FUNCTION Shop.vat",
  ]);
});

test("ALL on a routine is what SHOW GRANTS prints for it", () => {
  const all = [grant("ALL ON PROCEDURE shop.bill")];
  const shown = parseShownGrants(["GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE `shop`.`bill` TO `app`@`%`"], true).grants;
  expect([...beyond(all, shown), ...beyond(shown, all)]).toEqual([]);
  expect(beyond(all, [grant("EXECUTE ON PROCEDURE shop.bill")])).toEqual(["ALTER ROUTINE ON PROCEDURE shop.bill"]);
});
