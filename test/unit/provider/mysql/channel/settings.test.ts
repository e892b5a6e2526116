import {
  assignedUuid,
  changeReceiver,
  pointChannel,
  type ChannelSettings,
} from "../../../../../provider/mysql/channel/settings";
import { fileWord, sayTls, tlsFilesOf } from "../../../../../provider/mysql/channel/tls-files";

const server = { flavour: "mysql", version: "9.7.4" } as const;
const settings: ChannelSettings = {
  source: { address: "db-1", port: 3306, user: "repl", password: "p'w", tls: "required" },
  connectRetrySeconds: 10,
  retryCount: 86_400,
  heartbeatSeconds: 30,
  delaySeconds: 0,
};
const files = tlsFilesOf({ socket: "/srv/orders/run/mysqld.sock", dataDirectory: "/srv/orders/data/" }, "orders");

test("a channel is pointed with everything it has, and the password is not shown", () => {
  const statement = pointChannel(server, "orders", settings, { position: { by: "gtid" }, files, assigns: null });
  expect(statement.text).toContain("SOURCE_PASSWORD = 'p''w'");
  expect(statement.display).toMatchInlineSnapshot(
    `"CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db-1', SOURCE_PORT = 3306, SOURCE_USER = 'repl', SOURCE_PASSWORD = «source.password», SOURCE_CONNECT_RETRY = 10, SOURCE_RETRY_COUNT = 86400, SOURCE_HEARTBEAT_PERIOD = 30, SOURCE_SSL = 1, SOURCE_SSL_CA = '', SOURCE_SSL_CERT = '', SOURCE_SSL_KEY = '', SOURCE_SSL_VERIFY_SERVER_CERT = 0, GET_SOURCE_PUBLIC_KEY = 0, SOURCE_AUTO_POSITION = 1, ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS = OFF, SOURCE_DELAY = 0 FOR CHANNEL 'orders'"`,
  );
});

test("a place in a log is named, and GTIDs are made up where the source writes none", () => {
  const position = { by: "file", file: "binlog.000002", position: "18446744073709551615" } as const;
  const { text } = pointChannel(server, "orders", settings, { position, files, assigns: "u" });
  expect(text).toContain(
    "SOURCE_AUTO_POSITION = 0, SOURCE_LOG_FILE = 'binlog.000002', SOURCE_LOG_POS = 18446744073709551615",
  );
  expect(text).toContain("ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS = 'u'");
});

test("two replicas, and two channels of one replica, number transactions without GTIDs under different uuids", () => {
  const [one, other] = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"];
  const uuids = [assignedUuid("orders", one), assignedUuid("orders", other), assignedUuid("stock", one)];
  expect(new Set(uuids).size).toBe(3);
  for (const uuid of uuids) expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(assignedUuid("orders", one)).toBe(uuids[0]);
});

test("a change of the receiver alone does not name the source, which would lose the place in its log", () => {
  const { text } = changeReceiver(server, "orders", settings, files);
  expect(text).not.toMatch(/SOURCE_HOST|SOURCE_PORT|SOURCE_LOG|SOURCE_AUTO_POSITION|SOURCE_DELAY/);
});

test.each([
  ["off", "off" as const, ["SOURCE_SSL = 0", "GET_SOURCE_PUBLIC_KEY = 1", "SOURCE_SSL_CA = ''"]],
  [
    "an authority",
    { ca: "PEM", verifyIdentity: false },
    ["SOURCE_SSL = 1", "SOURCE_SSL_CA = '/srv/orders/tls/sluice-orders-ca.pem'", "SOURCE_SSL_VERIFY_SERVER_CERT = 0"],
  ],
  ["identity", { ca: "PEM", verifyIdentity: true }, ["SOURCE_SSL_VERIFY_SERVER_CERT = 1"]],
  [
    "a client certificate",
    { ca: "PEM", cert: "C", key: "K", verifyIdentity: false },
    [
      "SOURCE_SSL_CERT = '/srv/orders/tls/sluice-orders-cert.pem'",
      "SOURCE_SSL_KEY = '/srv/orders/tls/sluice-orders-key.pem'",
    ],
  ],
])("TLS: %s", (_what, tls, parts) => {
  const { text } = changeReceiver(server, "orders", { ...settings, source: { ...settings.source, tls } }, files);
  for (const part of parts) expect(text).toContain(part);
});

test("files are next to a managed server's data, and in the data directory of any other", () => {
  expect(files.ca).toBe("/srv/orders/tls/sluice-orders-ca.pem");
  expect(tlsFilesOf({ socket: "/run/mysqld/mysqld.sock", dataDirectory: "/var/lib/mysql/" }, "orders").ca).toBe(
    "/var/lib/mysql/sluice-orders-ca.pem",
  );
});

test("any channel's name makes a file's name, each its own", () => {
  expect([fileWord("Orders"), fileWord("a/b"), fileWord("../x"), fileWord("ü")]).toEqual([
    "orders",
    "a=2fb",
    "=2e=2e=2fx",
    "=c3bc",
  ]);
});

test("a CA is printed as its fingerprint, whatever text surrounds it", () => {
  expect(sayTls({ ca: "PEM\n", verifyIdentity: true })).toMatch(/^authority SHA256:[0-9a-f]{16}, identity verified$/);
  expect(sayTls({ ca: "PEM\n", verifyIdentity: false })).toBe(sayTls({ ca: " PEM", verifyIdentity: false }));
});
