import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesOfIgnored, ignoredFiles, ignoringOptions } from "../../../../../provider/mysql/seed/ignored";

const directory = mkdtempSync(join(tmpdir(), "sluice-ignored-"));
afterAll(() => rmSync(directory, { recursive: true }));

function filter(ignored: readonly string[], lines: readonly string[]): string[] {
  for (const [name, text] of Object.entries(filesOfIgnored(ignored))) writeFileSync(join(directory, name), text);
  const { stdout, status } = spawnSync("perl", [ignoredFiles.program], {
    cwd: directory,
    input: lines.map((line) => `${line}\n`).join(""),
    encoding: "utf8",
  });
  expect(status).toBe(0);
  return stdout.split("\n").slice(0, -1);
}

const procedure = ["CREATE DEFINER=`root`@`%` PROCEDURE `p`()", "BEGIN", "  SELECT 1;", "END ;;"];
const event =
  "/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`%`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO DELETE */ ;;";
const trigger =
  "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`%`*/ /*!50003 TRIGGER `t` BEFORE INSERT ON `orders` FOR EACH ROW BEGIN";
const settings = "/*!50003 SET sql_mode              = @saved_sql_mode */ ;;";

test("leaves out routines, triggers and events of the named database, and nothing around them", () => {
  const shop = [
    "USE `shop`;",
    "DELIMITER ;;",
    ...procedure,
    "DELIMITER ;",
    "DELIMITER ;;",
    event,
    settings,
    "DELIMITER ;",
  ];
  const others = ["DELIMITER ;;", trigger, "END */;;", settings, "DELIMITER ;"];
  const stock = ["USE `stock`;", "DELIMITER ;;", ...procedure, "DELIMITER ;"];
  expect(filter(["shop.p", "shop.e", "shop.t"], [...shop, ...others, ...stock])).toEqual([
    "USE `shop`;",
    "DELIMITER ;;",
    "DELIMITER ;",
    "DELIMITER ;;",
    settings,
    "DELIMITER ;",
    "DELIMITER ;;",
    settings,
    "DELIMITER ;",
    ...stock,
  ]);
});

test("keeps rows and bodies that look like definitions, and names that only begin alike", () => {
  const lines = [
    "USE `shop`;",
    "INSERT INTO `a` VALUES ('CREATE PROCEDURE `p`');",
    "CREATE TABLE `p` (",
    "DELIMITER ;;",
    "CREATE DEFINER=`p`@`%` PROCEDURE `p.p`()",
    "  CALL `p`() ;;",
    "DELIMITER ;",
  ];
  expect(filter(["shop.p"], lines)).toEqual(lines);
});

test("views are left out by mysqldump, and a name may hold points and backticks", () => {
  expect(ignoringOptions(["shop.v"])).toEqual(["--ignore-table=shop.v"]);
  expect(filesOfIgnored([])).toEqual({});
  expect(filesOfIgnored(["shop.a`b.c"])[ignoredFiles.names]).toBe("`shop`.`a``b.c`\n");
});
