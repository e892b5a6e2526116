import { parseOptionFile, readSettings } from "../../../../../provider/mysql/options/file";
import { sourceFiles, targetFiles } from "../../../../../provider/mysql/seed/client-options";
import { instanceOf } from "../../../../samples/server";

const source = {
  address: "db-1",
  port: 3306,
  user: "sluice",
  password: `it's "a" \\ # secret `,
  tls: "required",
} as const;

const settings = (text = "", group = "client") =>
  Object.fromEntries([...readSettings(parseOptionFile(text), [group])].map(([name, values]) => [name, values[0]]));

test("clients get the password as it is, from a file", () => {
  expect(settings(sourceFiles(source, "/job")["source.cnf"])).toEqual({
    default_character_set: "utf8mb4",
    protocol: "tcp",
    host: "db-1",
    port: "3306",
    user: "sluice",
    password: `it's "a" \\ # secret `,
    ssl_mode: "REQUIRED",
  });
});

test("in a session on the source a backslash escapes, whatever the source's sql_mode", () => {
  expect(settings(sourceFiles(source, "/job")["source.cnf"], "mysql")).toEqual({
    init_command: "SET SESSION sql_mode = ''",
  });
});

test("without TLS the password is encrypted with the server's key", () => {
  expect(settings(sourceFiles({ ...source, tls: "off" }, "/job")["source.cnf"])).toMatchObject({
    ssl_mode: "DISABLED",
    get_server_public_key: "ON",
  });
});

test("a CA is a file next to the options, and the name is checked unless that is turned off", () => {
  const files = sourceFiles({ ...source, tls: { ca: "CA", cert: "CERT", key: "KEY" } }, "/job");
  expect(settings(files["source.cnf"])).toMatchObject({
    ssl_mode: "VERIFY_IDENTITY",
    ssl_ca: "/job/source-ca.pem",
    ssl_cert: "/job/source-cert.pem",
    ssl_key: "/job/source-key.pem",
  });
  expect(files).toMatchObject({ "source-ca.pem": "CA", "source-cert.pem": "CERT", "source-key.pem": "KEY" });
  const lenient = sourceFiles({ ...source, tls: { ca: "CA", verifyIdentity: false } }, "/job");
  expect(settings(lenient["source.cnf"])).toMatchObject({ ssl_mode: "VERIFY_CA" });
});

test("what is loaded is never written to the server's own binary log", () => {
  const text = targetFiles(instanceOf(), "pw")["target.cnf"];
  expect(settings(text)).toMatchObject({ socket: "/srv/mysql/orders/run/mysqld.sock", user: "sluice", password: "pw" });
  expect(settings(text, "mysql")).toEqual({ init_command: "SET SESSION sql_log_bin = 0" });
  expect(settings(targetFiles(instanceOf(), undefined)["target.cnf"])).not.toHaveProperty("password");
});
