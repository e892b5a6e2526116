import { layoutOf } from "../../../../../../provider/mysql/instance/layout";
import { refused } from "../../../../../../provider/mysql/seed/trial/trial";
import { definerStatements, trialOptions } from "../../../../../../provider/mysql/seed/trial/script";

const instance = { layout: layoutOf("/srv/mysql/orders") };

describe("the server of a trial", () => {
  const text = `[mysqld]
port=3307
init_file=/srv/mysql/orders/init.sql
early-plugin-load=keyring_file.so
keyring_file_data=/var/lib/keyring
innodb_directories=/data
admin_address=10.0.0.1
mysqlx_port=33070
sql_mode=ANSI
!includedir /srv/mysql/orders/conf.d
`;

  test("has the settings of the staging database, and shares no file, listener or statement with another server", () => {
    const options = trialOptions(instance, text);
    expect(options).toContain("sql_mode=ANSI\n");
    expect(options).not.toMatch(/^(?:init_file|early|keyring|innodb_directories|admin|mysqlx|!include)/m);
    expect(options.slice(options.lastIndexOf("[mysqld]"))).toMatch(
      /^datadir *= *"?\/srv\/mysql\/orders\/trial\/data"?$/m,
    );
    expect(options).toMatch(/^skip_networking/m);
  });

  test("knows the definers, as locked accounts", () => {
    expect(definerStatements(["app@10.%", "@%"])).toBe(
      "CREATE USER IF NOT EXISTS 'app'@'10.%' IDENTIFIED BY RANDOM PASSWORD ACCOUNT LOCK;\nGRANT SELECT, EXECUTE ON *.* TO 'app'@'10.%';\n",
    );
  });
});

test("a refusal names what can be left out, each once, and no table", () => {
  const log = [
    "mysqldump: Couldn't execute 'SHOW FIELDS FROM `v`': View 'shop.v' references invalid table(s) (1356)",
    "ERROR 1146 (42S02): Table 'shop.gone' doesn't exist (view `shop`.`v`)",
    "ERROR 3121 (HY000): The DATA DIRECTORY location must be in a known directory. (table `shop`.`placed`)",
    "ERROR 1064 (42000): You have an error (procedure `shop`.`a``b`)",
  ].join("\n");
  const { problem } = refused("orders", "db-1:3306", log);
  expect(problem).toMatchObject({ code: "SEED_DEFINITION_REFUSED", found: log });
  expect(problem.fix).toContain('`ignoreObjects: ["shop.v", "shop.a`b"]`');
  expect(refused("orders", "db-1:3306", "ERROR 3121 (table `shop`.`placed`)").problem.fix).not.toContain(
    "ignoreObjects",
  );
});
