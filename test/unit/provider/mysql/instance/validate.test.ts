import { errorsOf } from "../../../../../provider/mysql/instance/validate";

describe("what mysqld --validate-config prints", () => {
  const line = (text: string) => `2026-11-20T15:50:34.340819Z 0 [ERROR] [MY-000067] [Server] ${text}`;
  const end = "2026-11-20T15:50:34.340855Z 0 [ERROR] [MY-010119] [Server] Aborting";

  test("is an error where an option is unknown or a value refused", () => {
    expect(errorsOf([line("unknown variable 'innodb_bufer_pool=1'."), end].join("\n"))).toHaveLength(1);
    expect(errorsOf([line("Error while setting value 'BLA' to 'sql_mode'."), end].join("\n"))).toHaveLength(1);
  });

  test("is none where only the option of a component is unknown, which is installed in the data", () => {
    expect(errorsOf([line("unknown variable 'validate_password.policy=LOW'."), end].join("\n"))).toEqual([]);
  });

  test("is none where mysqld only warns", () => {
    expect(
      errorsOf("2026-11-20T15:50:34.3Z 0 [Warning] [MY-013242] [Server] --character-set-server: 'utf8mb3'"),
    ).toEqual([]);
  });
});
