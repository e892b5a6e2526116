import { wordsOf } from "../../provider/errors";
import { sh } from "../../provider/host/command";
import type { ChannelMark, ChannelRecord } from "../../resources/replication-channel/facts";
import type { Written } from "../../resources/replication-channel/schema";
import { password, Stack, startServers, type Servers } from "./channel-servers";
import { closeHosts } from "./managed-server";
import { recipeOf, type } from "./recipes";
import { awaitCondition, done, waiting } from "../../provider/wait";

let servers: Servers;

beforeAll(async () => {
  servers = await startServers("channel-refused", 3511);
  await servers.source.run("CREATE DATABASE shop", "CREATE TABLE shop.items (id INT PRIMARY KEY)");
}, 180_000);

afterAll(async () => {
  await servers.remove();
  await closeHosts();
}, 120_000);

const source = (change: Partial<Written["source"]> = {}): Written["source"] => ({
  address: "127.0.0.1",
  port: servers.source.port,
  user: "repl",
  password,
  ...change,
});

/** The declared place at which a channel had begun. */
function startOf({ ended }: ChannelRecord): { readonly file: string; readonly position: string } {
  const [, file = "", position = ""] = /^at (.*):(\d+)$/.exec(ended?.start ?? "") ?? [];
  return { file, position };
}

/** The error of an `up` that must not work, as Pulumi prints it. */
async function refusal(change: Partial<Written> = {}, stack = new Stack()): Promise<string> {
  try {
    await stack.up(servers.declare(change));
  } catch (error) {
    const text = wordsOf(error);
    expect(text).not.toContain(password);
    return text;
  }
  throw new Error("up worked");
}

const channels = () =>
  servers.replica.ask("SELECT COUNT(*) FROM performance_schema.replication_connection_configuration");

describe("nothing is changed when", () => {
  afterEach(async () => {
    expect(await channels()).toBe(0);
    expect(
      await servers.replica.ask("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'sluice'"),
    ).toBe(0);
  });

  test("the password is wrong", async () => {
    const text = await refusal({ source: source({ password: "wrong-password" }) });
    expect(text).toMatch(
      /^channel orders@.*: cannot follow 127.0.0.1:3511: the server refuses the user repl \(SOURCE_LOGIN_REFUSED\)/,
    );
    expect(text).not.toContain("wrong-password");
  });

  test("the source is not reached: nothing listens on its port, or its name does not resolve on the replica's host", async () => {
    const from = servers.replica.host.name.replace(/^.*@(.*):\d+$/, "$1");
    const unreached = (endpoint: string, why: string) =>
      `: cannot reach its source ${endpoint} from ${from}: ${why} (SOURCE_UNREACHABLE)`;
    const closed = await refusal({ source: source({ port: 3599 }) });
    expect(closed).toMatch(/^channel orders@/);
    expect(closed).toContain(unreached("127.0.0.1:3599", "nothing listens on that port"));
    expect(closed).toContain(`fix     check \`source.address\` and \`source.port\` as seen from ${from}`);
    expect(await refusal({ source: source({ address: "db1.invalid" }) })).toContain(
      unreached(`db1.invalid:${String(servers.source.port)}`, "the name does not resolve there"),
    );
  });

  test("the user may not follow", async () => {
    await servers.source.run("REVOKE REPLICATION SLAVE ON *.* FROM repl@'%'");
    const text = await refusal();
    await servers.source.run("GRANT REPLICATION SLAVE ON *.* TO repl@'%'");
    expect(text).toContain("repl@% lacks REPLICATION SLAVE (SERVER_PRIVILEGE_MISSING)");
    expect(text).toContain("on the source: GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'");
  });

  test("both servers have the same server id", async () => {
    await servers.replica.run(`SET GLOBAL server_id = ${String(servers.source.port)}`);
    const text = await refusal();
    await servers.replica.run(`SET GLOBAL server_id = ${String(servers.replica.port)}`);
    expect(text).toContain("source and replica have the same server_id (CHANNEL_SERVER_ID_EQUAL)");
    expect(text).toContain("found   server_id 3511 on both");
  });

  test("the replica is told to follow itself", async () => {
    await servers.replica.run("SET GLOBAL super_read_only = 0", "SET sql_log_bin = 0");
    await servers.replica.run(`CREATE USER me@'%' IDENTIFIED BY 'me'`, "GRANT REPLICATION SLAVE ON *.* TO me@'%'");
    const text = await refusal({ source: source({ port: servers.replica.port, user: "me", password: "me" }) });
    await servers.replica.run("DROP USER me@'%'", "SET sql_log_bin = 1", "SET GLOBAL super_read_only = 1");
    expect(text).toContain("source and replica have the same server_uuid (CHANNEL_SERVER_UUID_EQUAL)");
  });

  test("the source's server_id is 0", async () => {
    await servers.source.run("SET GLOBAL server_id = 0");
    const text = await refusal();
    await servers.source.run(`SET GLOBAL server_id = ${String(servers.source.port)}`);
    expect(text).toContain("the source's server_id is 0 (SOURCE_SERVER_ID_ZERO)");
  });

  test("the source writes no binary log", async () => {
    const { host, instance } = servers.other;
    const options = `${instance.layout.optionDirectory}/no-log.cnf`;
    await servers.other.stop();
    await host.writeFile(options, "[mysqld]\nskip-log-bin\n", { mode: 0o644 });
    await servers.other.start();
    const text = await refusal({ source: source({ port: servers.other.port }) });
    await servers.other.stop();
    await host.run(sh`rm ${options}`);
    await servers.other.start();
    expect(text).toContain("the source writes no binary log (SOURCE_BINLOG_OFF)");
  });

  test("the source logs statements and the channel filters", async () => {
    await servers.source.run("SET GLOBAL binlog_format = 'STATEMENT'");
    await servers.source.host.facts();
    const text = await refusal({ filters: { ignoreTables: ["shop.log"] } });
    await servers.source.run("SET GLOBAL binlog_format = 'ROW'");
    expect(text).toContain("the source has binlog_format=STATEMENT (SOURCE_BINLOG_FORMAT)");
  });

  test("start names a file that the source does not have, or a place behind its end", async () => {
    const missing = await refusal({ start: { file: "binlog.000999", position: 4 } });
    expect(missing).toContain(
      "cannot begin at binlog.000999:4, 127.0.0.1:3511 does not have this file (CHANNEL_SOURCE_LOG_MISSING)",
    );
    const behind = await refusal({ start: { file: "binlog.000001", position: 99_999_999 } });
    expect(behind).toContain("has not written this position yet (CHANNEL_SOURCE_LOG_MISSING)");
  });

  test("the replica lacks what start says that it holds", async () => {
    const uuid = String(await servers.source.ask("SELECT @@server_uuid"));
    const text = await refusal({ start: { gtidSet: `${uuid}:1-2`, file: "binlog.000001", position: "4" } });
    expect(text).toContain("has not executed all of start.gtidSet (CHANNEL_REPLICA_NOT_READY)");
  });

  test("the source purged what the replica lacks", async () => {
    await servers.source.run("FLUSH BINARY LOGS");
    const last = String(await servers.source.ask("SELECT CONCAT('binlog.', LPAD(2, 6, '0'))"));
    await servers.source.run(`PURGE BINARY LOGS TO '${last}'`);
    const purged = String(await servers.source.ask("SELECT @@GLOBAL.gtid_purged"));
    const text = await refusal();
    expect(text).toContain(
      "the source purged transactions that the replica has not executed (error 1236) (GTID_PURGED)",
    );
    expect(text).toContain(`purged on the source, not executed on the replica: ${purged}`);
    await servers.replica.run(
      `SET GLOBAL gtid_purged = '${purged}'`,
      "SET sql_log_bin = 0",
      "SET GLOBAL super_read_only = 0",
    );
    await servers.replica.run("CREATE DATABASE shop", "CREATE TABLE shop.items (id INT PRIMARY KEY)");
    await servers.replica.run("SET GLOBAL super_read_only = 1", "SET sql_log_bin = 1");
  });

  test("somebody wrote on the replica", async () => {
    await servers.replica.run(
      "SET GLOBAL super_read_only = 0",
      "CREATE DATABASE mine",
      "SET GLOBAL super_read_only = 1",
    );
    const uuid = String(await servers.replica.ask("SELECT @@server_uuid"));
    const text = await refusal();
    expect(text).toContain("the replica executed transactions that the source does not have (GTID_DIVERGED)");
    expect(text).toContain(`executed on the replica, not on the source: ${uuid}:1`);
    expect(text).toContain(`written by ${uuid}, the replica itself: a session wrote on the replica`);
    // The error's own way out: the source says that it has had them.
    for (const server of [servers.source, servers.other])
      await server.run(`SET GTID_NEXT = '${uuid}:1'`, "BEGIN", "COMMIT", "SET GTID_NEXT = 'AUTOMATIC'");
  });
});

describe("a channel that runs", () => {
  const stack = new Stack();

  test("whose receiver gets no connection although its host gets one says what the source said", async () => {
    const here = new Stack("tests/live/here");
    // Not logged: the replica has no such account.
    await servers.source.run("SET sql_log_bin = 0", "ALTER USER repl@'%' WITH MAX_USER_CONNECTIONS 1");
    const text = await refusal({ channel: "here" }, here);
    await servers.source.run("ALTER USER repl@'%' WITH MAX_USER_CONNECTIONS 0", "SET sql_log_bin = 1");
    expect(text).toContain(
      "cannot connect, the source has no free connection for repl, error 1226 (SOURCE_UNREACHABLE)",
    );
    expect(text).toContain("error 1226, reported by the receiver");
    expect(text).toContain("step 3 of 4, start-channel; steps 1-2 are done".replace("step ", "step    "));
    await here.destroy(servers.declare({ channel: "here" }));
  });

  test("two channels from two sources flow into one replica", async () => {
    await servers.other.run("CREATE DATABASE stock", "CREATE TABLE stock.items (id INT PRIMARY KEY)");
    await stack.up(servers.declare());
    const second = new Stack("tests/live/stock");
    await second.up(servers.declare({ channel: "stock", source: source({ port: servers.other.port }) }));
    expect(await servers.replica.ask("SELECT COUNT(*) FROM stock.items")).toBe(0);
    expect(await stack.up(servers.declare())).toEqual([]);
    expect(
      await second.up(servers.declare({ channel: "stock", source: source({ port: servers.other.port }) })),
    ).toEqual([]);
    // Neither source knows the other's transactions, and that is no divergence.
    expect(
      (await stack.up(servers.declare({ source: source({ user: "repl" }), heartbeatSeconds: 5 }))).length,
    ).toBeGreaterThan(0);
    await second.destroy(servers.declare({ channel: "stock", source: source({ port: servers.other.port }) }));
    expect(await servers.replica.ask("SELECT COUNT(*) FROM sluice.ownership")).toBe(1);
  });

  test("keeps a second channel from the same source out, and goes on running", async () => {
    const second = await refusal({ channel: "second" }, new Stack("tests/live/second"));
    expect(second).toContain(
      "this server already follows 127.0.0.1:3511 through channel orders (CHANNEL_SOURCE_TAKEN)",
    );
    const byName = await refusal(
      { channel: "second", source: source({ address: "localhost" }) },
      new Stack("tests/live/second"),
    );
    expect(byName).toContain("through channel orders (CHANNEL_SOURCE_TAKEN)");
    expect(await channels()).toBe(1);
    expect((await stack.refresh(servers.declare({ heartbeatSeconds: 5 })))?.["state"]).toBe("running");
  });

  test("is not moved to another server by another socket", async () => {
    const { other, replica } = servers;
    const moved = { ...servers.declare().replica, socket: other.instance.layout.socket };
    const text = await refusal({ replica: moved }, stack);
    expect(text).toContain("the channel would keep running on the old one (CHANNEL_REPLICA_DIFFERS)");
    const uuid = String(await replica.ask("SELECT @@server_uuid"));
    expect(text).toContain(`needs   server_uuid ${uuid}, as at ${replica.instance.layout.socket}`);
    expect(await stack.up(servers.declare({ heartbeatSeconds: 5 }))).toEqual([]);
  });

  test("and stops on a row that is already there says the row, the transaction and the way out, which works", async () => {
    await servers.replica.run(
      "SET sql_log_bin = 0",
      "SET GLOBAL super_read_only = 0",
      "INSERT INTO shop.items VALUES (7)",
    );
    await servers.replica.run("SET GLOBAL super_read_only = 1", "SET sql_log_bin = 1");
    const uuid = String(await servers.source.ask("SELECT @@server_uuid"));
    await servers.source.run("INSERT INTO shop.items VALUES (7)");
    const during = await refusal({ heartbeatSeconds: 6 }, stack);
    expect(during).toContain("already exists on the replica, error 1062 (CHANNEL_APPLIER_FAILED)");
    expect(during).toContain("Duplicate entry '7' for key 'items.PRIMARY'");
    const again = await refusal({ heartbeatSeconds: 7 }, stack);
    expect(again).toContain("(CHANNEL_APPLIER_FAILED)");
    expect((await stack.refresh(servers.declare()))?.["state"]).toBe("stopped");
    expect(stack.preview(servers.declare())).toMatch(
      /start the channel +last error of the applier 1062: stopped applying, a row/,
    );
    const recipe = recipeOf(again, "b");
    expect(recipe.statements).toContain(`SET GTID_NEXT = '${uuid}:`);
    await type(servers.replica.host, recipe);
    await stack.up(servers.declare());
    expect((await stack.refresh(servers.declare()))?.["state"]).toBe("running");
  });

  test("and lost the source's log while it stood still says so", async () => {
    await servers.replica.run("STOP REPLICA FOR CHANNEL 'orders'");
    await servers.source.run(
      "INSERT INTO shop.items VALUES (8)",
      "FLUSH BINARY LOGS",
      "PURGE BINARY LOGS TO 'binlog.000003'",
    );
    await stack.refresh(servers.declare());
    expect(await refusal({}, stack)).toContain("(GTID_PURGED)");
    await servers.replica.run("START REPLICA FOR CHANNEL 'orders'");
    const error = await awaitCondition({
      object: "channel orders",
      what: "the receiver to hear from its source that the log is gone",
      withinSeconds: 30,
      everyMillis: 200,
      check: async () => {
        const { live } = await stack.observe(servers.declare());
        const seen = live?.kind === "seen" ? live.channel?.receiver.error : null;
        return seen === null || seen === undefined ? waiting("it has no error yet") : done(seen);
      },
    });
    expect(error).toMatchObject({ errno: 13114 });
    await stack.destroy(servers.declare());
  });

  test("from a source without GTIDs begins at file and position, and is not moved by an old place", async () => {
    for (const mode of ["ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"])
      await servers.other.run(`SET GLOBAL gtid_mode = '${mode}'`);
    const from = source({ port: servers.other.port });
    expect(await refusal({ channel: "stock", source: from })).toContain("(SOURCE_GTID_OFF)");
    await servers.other.run("FLUSH BINARY LOGS", "INSERT INTO stock.items VALUES (5)");
    const file = String(
      await servers.other.ask(
        "SELECT SUBSTRING_INDEX(FILE_NAME, '/', -1) FROM performance_schema.file_instances WHERE FILE_NAME REGEXP 'binlog[.][0-9]+$' ORDER BY FILE_NAME DESC LIMIT 1",
      ),
    );
    const stock = new Stack("tests/live/stock");
    const declared = servers.declare({ channel: "stock", source: from, start: { file, position: 4 } });
    await stack.refresh(declared);
    await stock.up(declared);
    expect(await servers.replica.ask("SELECT COUNT(*) FROM stock.items")).toBe(1);
    expect(await stock.up(declared)).toEqual([]);
    await stock.up(servers.declare({ channel: "stock", source: from, start: { file, position: 4 }, retryCount: 7 }));
    await servers.other.run("INSERT INTO stock.items VALUES (6)");
    await stock.up(servers.declare({ channel: "stock", source: from, start: { file, position: 4 }, delaySeconds: 1 }));
    expect(await servers.replica.ask("SELECT COUNT(*) FROM stock.items")).toBe(2);
    const moved = await refusal(
      { channel: "stock", source: { ...from, address: "localhost." }, start: { file, position: 4 } },
      stock,
    );
    expect(moved).toContain("`start` still names a position in the old source's binary log");
    await stock.destroy(declared);
  });

  test("from a source without GTIDs, made anew, goes on where it ended and applies nothing twice", async () => {
    const { replica, other } = servers;
    const stock = new Stack("tests/live/stock");
    const channel = { channel: "stock", source: source({ port: other.port }) };
    const mark = "FROM sluice.ownership WHERE object = 'channel stock'";
    const text = String(await replica.ask(`SELECT note ${mark}`));
    const { record: note } = JSON.parse(text.replace(/^2 /, "")) as ChannelMark;
    expect(await replica.ask(`SELECT owner ${mark}`)).toBe("");
    const declared = servers.declare({ ...channel, start: startOf(note) });
    expect(await stock.refresh(declared)).toBeUndefined();

    await other.run("INSERT INTO stock.items VALUES (7)");
    const said = (await stock.up(declared)).join("\n");
    expect(said).toContain(`where the earlier channel ended (it began ${note.ended?.start ?? ""})`);
    expect(await replica.ask("SELECT COUNT(*) FROM stock.items")).toBe(3);
    expect(await stock.up(declared)).toEqual([]);
    await stock.destroy(declared);

    const { file } = startOf(note);
    const tooEarly = await refusal({ ...channel, start: { file, position: 5 } }, stock);
    expect(tooEarly).toContain("the replica has already applied the transactions after it (CHANNEL_BEGINS_TOO_EARLY)");
    const statement = /: (DELETE FROM .*)$/m.exec(tooEarly)?.[1] ?? "";
    await replica.run("SET GLOBAL super_read_only = 0", "SET sql_log_bin = 0", statement);
    await replica.run("SET sql_log_bin = 1", "SET GLOBAL super_read_only = 1");
    const unknown = await refusal({ ...channel, start: startOf(note) }, stock);
    expect(unknown).toContain("applied transactions of an earlier channel of this name (CHANNEL_BEGINS_TOO_EARLY)");
  });

  test("by file, that somebody else removed, is not begun again at its old place", async () => {
    const { replica, other } = servers;
    const stock = new Stack("tests/live/stock");
    const status = "SELECT SUBSTRING_INDEX(FILE_NAME, '/', -1) FROM performance_schema.file_instances WHERE FILE_NAME";
    await other.run("FLUSH BINARY LOGS");
    const file = String(await other.ask(`${status} REGEXP 'binlog[.][0-9]+$' ORDER BY FILE_NAME DESC LIMIT 1`));
    const declared = (channel: string) =>
      servers.declare({ channel, source: source({ port: other.port }), start: { file, position: 4 } });
    await stock.up(declared("gone"));
    await other.run("INSERT INTO stock.items VALUES (8)");
    await stock.up(declared("gone"));
    await replica.run("STOP REPLICA FOR CHANNEL 'gone'", "RESET REPLICA ALL FOR CHANNEL 'gone'");
    await stock.refresh(declared("gone"));
    const again = stock.up(declared("gone"));
    await expect(again).rejects.toThrow(
      "it began there before and was removed outside of Sluice (CHANNEL_BEGINS_TOO_EARLY)",
    );
    await stock.destroy(declared("gone"));
    await expect(stock.up(declared("gone"))).rejects.toMatchObject({ code: "CHANNEL_BEGINS_TOO_EARLY" });
    expect(await channels()).toBe(0);
  });
});
