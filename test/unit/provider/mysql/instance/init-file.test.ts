import { accountKind, describeInit, initFileOf, renderInit } from "../../../../../provider/mysql/instance/init-file";
import { binariesOf, instanceOf } from "../../../../samples/server";

test("the account proves itself by its unix user where the server can ask, else by a password", () => {
  expect(accountKind(instanceOf())).toBe("socket");
  expect(accountKind(instanceOf({ binaries: binariesOf({ hasAuthSocket: false }) }))).toBe("password");
});

test("the init file replaces the account, outside the binary log, and closes root before anything can fail", () => {
  const runtime = { ...instanceOf().runtime, connectedUser: "o'brien" };
  expect(renderInit({ kind: "socket" }, { runtime })).toMatchInlineSnapshot(`
   "SET SESSION sql_mode = '';
   SET SESSION sql_log_bin = 0;
   SET @sluice = (SELECT IF(COUNT(*) = 0, 'DO 0', 'ALTER USER root@localhost ACCOUNT LOCK') FROM mysql.user WHERE user = 'root' AND host = 'localhost' AND authentication_string = '' AND plugin IN ('caching_sha2_password', 'mysql_native_password', 'sha256_password'));
   PREPARE sluice FROM @sluice;
   EXECUTE sluice;
   DEALLOCATE PREPARE sluice;
   DROP USER IF EXISTS 'sluice'@localhost;
   CREATE USER 'sluice'@localhost IDENTIFIED WITH auth_socket AS 'o''brien';
   GRANT ALL PRIVILEGES ON *.* TO 'sluice'@localhost WITH GRANT OPTION;
   SET @sluice = (SELECT IF(COUNT(*) = 0, 'DO 0', 'ALTER USER root@localhost IDENTIFIED WITH auth_socket ACCOUNT UNLOCK') FROM mysql.user WHERE user = 'root' AND host = 'localhost' AND authentication_string = '' AND plugin IN ('caching_sha2_password', 'mysql_native_password', 'sha256_password'));
   PREPARE sluice FROM @sluice;
   EXECUTE sluice;
   DEALLOCATE PREPARE sluice;
   "
  `);
});

test("without auth_socket root stays locked, and only the init file has the password", () => {
  const text = renderInit({ kind: "password", password: "it's\\secret" }, instanceOf());
  expect(text).toContain("CREATE USER 'sluice'@localhost IDENTIFIED BY 'it''s\\\\secret';");
  expect(text).not.toContain("UNLOCK");
  expect(text).not.toContain("auth_socket");
});

test("every statement of the init file is one line, as mysqld before 8.0.21 wants it", () => {
  const lines = renderInit({ kind: "socket" }, instanceOf()).trimEnd().split("\n");
  expect(lines.filter((line) => !line.endsWith(";"))).toEqual([]);
});

test("an init file is known by its unix user and its text, whatever its password", () => {
  const runtime = { ...instanceOf().runtime, connectedUser: "o'brien" };
  const socket = renderInit({ kind: "socket" }, { runtime });
  expect(describeInit(socket)).toEqual(initFileOf(instanceOf({ runtime })));
  expect(describeInit(socket).osUser).toBe("o'brien");
  expect(describeInit(`${socket}DO 1;\n`)).not.toEqual(describeInit(socket));
  const [one, other] = ["a; BY 'b'", "it's\\"].map((password) =>
    describeInit(renderInit({ kind: "password", password }, instanceOf())),
  );
  expect(one).toEqual(other);
  expect(one).toEqual(initFileOf(instanceOf({ binaries: binariesOf({ hasAuthSocket: false }) })));
  expect(one?.osUser).toBeNull();
});
