import { absent } from "../../provider/plan/plan";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { closeHosts } from "./managed-server";
import { password, Stack, startServers, type Servers, type ServerUnderTest } from "./channel-servers";

let servers: Servers;

beforeAll(async () => {
  servers = await startServers("channel-test", 3501);
  await servers.source.run("CREATE DATABASE shop", "CREATE TABLE shop.items (id INT PRIMARY KEY, name VARCHAR(50))");
  await servers.source.run("INSERT INTO shop.items VALUES (1, 'first')");
}, 180_000);

afterAll(async () => {
  await servers.remove();
  await closeHosts();
}, 120_000);

const count = (server: ServerUnderTest, table: string) => server.ask(`SELECT COUNT(*) FROM ${table}`);

const awaitRows = (server: ServerUnderTest, table: string, rows: number) =>
  awaitCondition({
    object: table,
    what: `${String(rows)} rows`,
    withinSeconds: 20,
    everyMillis: 100,
    check: async () => {
      const seen = await count(server, table);
      return seen === rows ? done(seen) : waiting(`${String(seen)} rows`);
    },
  });

describe("one channel, from its first day to its last", () => {
  const stack = new Stack();

  test("up brings everything the source had, and says each step", async () => {
    const said = await stack.up(servers.declare());
    expect(said.map((line) => line.replace(/ · .*/, ""))).toEqual([
      "1/4 claim channel orders",
      "2/4 point the channel at 127.0.0.1:3501, by GTID",
      "3/4 start the channel",
      "4/4 wait until the replica has applied what the source has executed by then, at most 1m00s",
    ]);
    expect(await count(servers.replica, "shop.items")).toBe(1);
  });

  test("a second up does nothing, and refresh finds no drift", async () => {
    expect(await stack.up(servers.declare())).toEqual([]);
    const declared = servers.declare();
    expect(await stack.refresh(declared)).toMatchObject({ source: declared.source, state: "running", delaySeconds: 0 });
    expect(stack.preview(declared)).toBe("");
  });

  test("the mark lies on the replica, leaves no transaction there, and the replica is still sealed", async () => {
    expect(await servers.replica.ask("SELECT owner FROM sluice.ownership WHERE object = 'channel orders'")).toBe(
      stack.owner,
    );
    const uuid = await servers.replica.ask("SELECT @@server_uuid");
    expect(await servers.replica.ask("SELECT @@GLOBAL.gtid_executed")).not.toContain(uuid);
    expect(await servers.replica.ask("SELECT @@GLOBAL.super_read_only")).toBe(1);
  });

  test("a row written on the source arrives", async () => {
    await servers.source.run("INSERT INTO shop.items VALUES (2, 'second')");
    await awaitRows(servers.replica, "shop.items", 2);
  });

  test("a delay stops only the applier, is waited for up to the delay, and is taken back", async () => {
    const declared = servers.declare({ delaySeconds: 3600 });
    expect(stack.preview(declared)).toContain("1. stop the applier");
    await stack.up(declared);
    await servers.source.run("INSERT INTO shop.items VALUES (3, 'late')");
    await stack.up(servers.declare({ delaySeconds: 3601 }));
    expect(await count(servers.replica, "shop.items")).toBe(2);
    await stack.up(servers.declare());
    await awaitRows(servers.replica, "shop.items", 3);
  });

  test("the source's new password is brought over by stopping only the receiver", async () => {
    await servers.source.run("ALTER USER repl@'%' IDENTIFIED BY 'rotated'");
    const declared = servers.declare({
      source: { address: "127.0.0.1", port: servers.source.port, user: "repl", password: "rotated" },
    });
    expect(stack.preview(declared)).toContain("1. stop the receiver");
    const said = (await stack.up(declared)).join("\n");
    expect(said).toContain("stop the receiver");
    expect(said).not.toContain("rotated");
    await servers.source.run(`ALTER USER repl@'%' IDENTIFIED BY '${password.replace(/['\\]/g, "\\$&")}'`);
    await stack.up(servers.declare());
  });

  test("workers are this channel's own, and the server's variable stays as it was", async () => {
    const before = await servers.replica.ask("SELECT @@GLOBAL.replica_parallel_workers");
    await stack.up(servers.declare({ workers: 2 }));
    expect(
      await servers.replica.ask(
        "SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_worker WHERE channel_name = 'orders'",
      ),
    ).toBe(2);
    expect(await servers.replica.ask("SELECT @@GLOBAL.replica_parallel_workers")).toBe(before);
    expect(await stack.up(servers.declare({ workers: 2 }))).toEqual([]);
    await stack.up(servers.declare({ workers: 4 }));
  });

  test.each([
    ["SOURCE_DELAY = 77", "SQL_THREAD", { delaySeconds: 77 }],
    ["SOURCE_CONNECT_RETRY = 44, SOURCE_RETRY_COUNT = 3", "IO_THREAD", { connectRetrySeconds: 44, retryCount: 3 }],
    ["SOURCE_HEARTBEAT_PERIOD = 5.5", "IO_THREAD", { heartbeatSeconds: 5.5 }],
    ["SOURCE_USER = 'root'", "IO_THREAD", { source: { user: "root" } }],
    ["SOURCE_PASSWORD = 'x'", "IO_THREAD", { source: { password: "" } }],
    ["SOURCE_SSL = 0", "IO_THREAD", { source: { tls: { ca: "off, without the source's public key" } } }],
  ])("%s, set by hand, is what refresh shows and up puts right", async (setting, thread, drift) => {
    const declared = servers.declare();
    await stack.up(declared);
    const clean = { ...(await stack.refresh(declared)) };
    await servers.replica.run(
      `STOP REPLICA ${thread} FOR CHANNEL 'orders'`,
      `CHANGE REPLICATION SOURCE TO ${setting} FOR CHANNEL 'orders'`,
      `START REPLICA ${thread} FOR CHANNEL 'orders'`,
    );
    const { source, ...rest } = drift as { source?: object };
    const expected = { ...clean, ...rest, source: { ...(clean["source"] as object), ...source } };
    expect(await stack.refresh(declared)).toEqual(expected);
    expect(stack.preview(declared)).not.toBe("");
    await stack.up(declared);
    expect(await stack.refresh(declared)).toEqual(clean);
  });

  test.each(["", "IO_THREAD", "SQL_THREAD"])(
    "STOP REPLICA %s by hand is what refresh shows and up puts right",
    async (thread) => {
      const declared = servers.declare();
      await servers.replica.run(`STOP REPLICA ${thread} FOR CHANNEL 'orders'`);
      expect(await stack.refresh(declared)).toMatchObject({ state: "stopped" });
      expect(stack.preview(declared)).toContain("start the channel");
      await stack.up(declared);
      expect(await stack.refresh(declared)).toMatchObject({ state: "running" });
    },
  );

  test("filters are set, kept in the option file over a restart, and drift is shown", async () => {
    const declared = servers.declare({ filters: { wildIgnoreTables: ["shop.log%"], ignoreTables: ["shop.a`b"] } });
    await stack.up(declared);
    await servers.source.run("CREATE TABLE shop.log_1 (id INT PRIMARY KEY)", "INSERT INTO shop.items VALUES (4, 'x')");
    await awaitRows(servers.replica, "shop.items", 4);
    await expect(servers.replica.ask("SELECT 1 FROM shop.log_1")).rejects.toThrow("1146");
    await servers.replica.stop();
    await servers.replica.start();
    expect(await stack.up(declared)).toEqual([]);
    await servers.replica.run(
      "STOP REPLICA SQL_THREAD FOR CHANNEL 'orders'",
      "CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = ('shop.other%') FOR CHANNEL 'orders'",
      "START REPLICA SQL_THREAD FOR CHANNEL 'orders'",
    );
    expect(await stack.refresh(declared)).toMatchObject({
      filters: { wildIgnoreTables: ["shop.other%"], ignoreTables: ["shop.a`b"], doDatabases: [] },
    });
    await stack.up(servers.declare());
    await servers.source.run("DROP TABLE IF EXISTS shop.log_1");
  });

  test("filters that follow from a list of databases keep others and accounts out, and lose nothing of the list", async () => {
    const holds = { databases: ["shop"], accounts: false };
    const declared = servers.declare();
    await stack.up({ ...declared, replica: { ...declared.replica, holds } });
    await servers.source.run(
      "CREATE DATABASE elsewhere",
      "CREATE TABLE elsewhere.t (id INT PRIMARY KEY)",
      "INSERT INTO elsewhere.t VALUES (1)",
      "CREATE USER nobody@localhost IDENTIFIED BY 'x'",
      "GRANT SELECT ON shop.* TO nobody@localhost",
      "ALTER USER nobody@localhost IDENTIFIED BY 'y'",
      "RENAME USER nobody@localhost TO somebody@localhost",
      "USE elsewhere",
      "ALTER TABLE shop.items ADD COLUMN added INT",
      "CREATE PROCEDURE shop.own() SELECT 1",
      "DROP DATABASE elsewhere",
      "DROP USER somebody@localhost",
    );
    await stack.up({ ...declared, replica: { ...declared.replica, holds }, retryCount: 9 });
    expect(
      await servers.replica.ask("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'elsewhere'"),
    ).toBe(0);
    expect(await servers.replica.ask("SELECT COUNT(*) FROM mysql.user WHERE user IN ('nobody', 'somebody')")).toBe(0);
    expect(await servers.replica.ask("SELECT added FROM shop.items LIMIT 1")).toBeNull();
    expect(
      await servers.replica.ask("SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = 'shop'"),
    ).toBe(1);
    await stack.up(declared);
  });

  test("no password stands in what is remembered, said or noted", async () => {
    const kept = [
      JSON.stringify(stack.before?.settled),
      ...stack.lines,
      String(await servers.replica.ask("SELECT note FROM sluice.ownership")),
    ];
    for (const text of kept) expect(text).not.toContain(password.slice(0, 5));
  });

  test("the declared authority is written beside the data, verified, and taken away again", async () => {
    const ca = await servers.source.host.readFile(`${servers.source.instance.layout.data}/ca.pem`, { asUser: "mysql" });
    const source = { address: "127.0.0.1", port: servers.source.port, user: "repl", password, tls: { ca: ca ?? "" } };
    const declared = servers.declare({ source });
    await stack.up(declared);
    const files = servers.replica.instance.layout.tls;
    expect(await servers.replica.host.readFile(`${files}/sluice-orders-ca.pem`)).toBe(ca);
    expect(await stack.up(declared)).toEqual([]);
    await servers.replica.host.writeFile(`${files}/sluice-orders-ca.pem`, "other", { mode: 0o644 });
    expect(await stack.refresh(declared)).toMatchObject({
      source: { tls: { ca: expect.stringContaining("authority SHA256:") } },
    });
    await stack.up(declared);
    await stack.up(servers.declare());
    expect(await servers.replica.host.readFile(`${files}/sluice-orders-ca.pem`)).toBeUndefined();
  });

  test("an authority that did not sign, and a certificate for another name, are told apart before anything is changed", async () => {
    const other = await servers.other.host.readFile(`${servers.other.instance.layout.data}/ca.pem`, {
      asUser: "mysql",
    });
    const own = await servers.source.host.readFile(`${servers.source.instance.layout.data}/ca.pem`, {
      asUser: "mysql",
    });
    const base = { address: "127.0.0.1", port: servers.source.port, user: "repl", password };
    const changed = stack.up(servers.declare({ source: { ...base, tls: { ca: other ?? "" } } }));
    await expect(changed).rejects.toMatchObject({ code: "SOURCE_TLS_FAILED" });
    const named = stack.up(servers.declare({ source: { ...base, tls: { ca: own ?? "", verifyIdentity: true } } }));
    await expect(named).rejects.toMatchObject({ code: "SOURCE_TLS_FAILED" });
    expect(await stack.up(servers.declare())).toEqual([]);
  });

  test("without TLS the login still works, by the source's public key", async () => {
    const source = { address: "127.0.0.1", port: servers.source.port, user: "repl", password, tls: "off" as const };
    await servers.source.run("FLUSH PRIVILEGES"); // empties the cache that would let the password in without a key
    await stack.up(servers.declare({ source }));
    await stack.up(servers.declare());
  });

  test("a source that is down fails neither refresh nor a change of the delay", async () => {
    await servers.source.stop();
    expect(await stack.refresh(servers.declare())).toMatchObject({ state: "running" });
    const gone = stack.up(servers.declare({ connectRetrySeconds: 2 }));
    await expect(gone).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    await servers.source.start();
    await stack.up(servers.declare());
  });

  test("a replica that is stopped fails no refresh, and says what to do in up and destroy", async () => {
    await servers.replica.stop();
    expect(await stack.refresh(servers.declare())).toMatchObject({ state: "running" });
    await expect(stack.destroy(servers.declare())).rejects.toMatchObject({ code: "SERVER_NOT_ANSWERING" });
    await servers.replica.start();
  });

  test("another stack may not use it, nor take it over", async () => {
    const other = new Stack("tests/live/other");
    await expect(other.up(servers.declare({ adopt: true }))).rejects.toMatchObject({ code: "OWNERSHIP_FOREIGN" });
    await other.destroy(servers.declare());
    expect(await stack.up(servers.declare())).toEqual([]);
  });

  test("destroy forgets the channel, its files and its mark, leaves the data, and may be repeated", async () => {
    expect(stack.preview(absent)).toContain("remove channel orders; the data stays");
    await stack.destroy(servers.declare());
    await stack.destroy(servers.declare());
    expect(await stack.refresh(servers.declare())).toBeUndefined();
    expect(await count(servers.replica, "performance_schema.replication_connection_configuration")).toBe(0);
    expect(
      await servers.replica.ask("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'sluice'"),
    ).toBe(0);
    expect(await count(servers.replica, "shop.items")).toBe(4);
  });

  test("a channel made by hand is refused, and taken over with adopt", async () => {
    const { source, replica } = servers;
    await replica.run(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${String(source.port)}, SOURCE_USER = 'repl', SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1 FOR CHANNEL 'Orders'`,
    );
    await expect(stack.up(servers.declare())).rejects.toMatchObject({ code: "OWNERSHIP_UNMARKED" });
    const said = await stack.up(servers.declare({ adopt: true }));
    expect(said[0]).toContain("take over channel orders");
    await stack.destroy(servers.declare({ adopt: true }));
  });
});
