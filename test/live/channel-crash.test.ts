import { remove } from "../../provider/lifecycle";
import { changeMark, readMark, type ServerMark } from "../../provider/mysql/ownership";
import { sql } from "../../provider/mysql/sql";
import type { Declaration, Written } from "../../resources/replication-channel/schema";
import { password, Stack, startServers, type Servers } from "./channel-servers";
import { closeHosts } from "./managed-server";

let servers: Servers;

beforeAll(async () => {
  servers = await startServers("channel-crash", 3521);
  await servers.source.run("CREATE DATABASE shop", "CREATE TABLE shop.items (id INT PRIMARY KEY)");
}, 180_000);

afterAll(async () => {
  await servers.remove();
  await closeHosts();
}, 120_000);

const channels = () =>
  servers.replica.ask("SELECT COUNT(*) FROM performance_schema.replication_connection_configuration");

describe("a crash behind any step", () => {
  test.each([1, 2, 3, 4, 5])(
    "%i of making the channel is made good by the next up, and nothing is done twice",
    async (step) => {
      const declared = servers.declare({ filters: { ignoreTables: ["shop.log"] } });
      await new Stack().crash(declared, step);
      const stack = new Stack();
      const done = (await stack.up(declared)).map((line) => line.replace(/^\d\/\d (.*) · .*/, "$1"));
      const all = [
        "claim channel orders",
        "point the channel at 127.0.0.1:3521, by GTID",
        "set the channel's filters",
        "start the channel",
      ];
      expect(done.slice(0, -1)).toEqual(all.slice(step));
      expect(await stack.up(declared)).toEqual([]);
      expect(await stack.refresh(declared)).toMatchObject({ state: "running" });
      await stack.destroy(declared);
    },
  );

  test.each([1, 2])("%i of forgetting it is made good by the next destroy", async (step) => {
    const stack = new Stack();
    await stack.up(servers.declare());
    await stack.crash(servers.declare(), step, remove);
    await stack.destroy(servers.declare());
    expect(await stack.refresh(servers.declare())).toBeUndefined();
    expect(await channels()).toBe(0);
  });
});

test("a channel is pointed at another server that has the same transactions, in place, and back", async () => {
  const { source, other } = servers;
  const stack = new Stack();
  const sibling = new Stack("tests/live/sibling");
  const into = servers.declare({ channel: "sibling" });
  const follows = { ...into, replica: { ...into.replica, socket: other.instance.layout.socket, port: other.port } };
  await other.run("SET sql_log_bin = 0", "DROP USER repl@'%'", "SET sql_log_bin = 1", "RESET BINARY LOGS AND GTIDS");
  await sibling.up(follows);
  await stack.up(servers.declare());
  const moved = servers.declare({ source: { address: "127.0.0.1", port: other.port, user: "repl", password } });
  expect(stack.preview(moved)).toContain("source.port 3521 → 3522");
  await source.run("INSERT INTO shop.items VALUES (1)");
  await sibling.up({ ...follows, retryCount: 9 });
  await stack.up(moved);
  expect(await servers.replica.ask("SELECT COUNT(*) FROM shop.items")).toBe(1);
  expect((await stack.refresh(moved))?.["source"]).toMatchObject({ port: other.port });
  await stack.up(servers.declare());
  await stack.destroy(servers.declare());
  await sibling.destroy({ ...follows, retryCount: 9 });
});

/** The replica of the others, by tcp and from here. */
function reachedWithoutHost(change: Partial<Written> = {}): Declaration {
  const { replica, source } = servers;
  const { host } = servers.declare().replica;
  const address = typeof host === "object" ? host.address : "";
  return servers.declare({
    replica: { host: undefined, socket: undefined, address, port: replica.port, user: "admin", password: "admin" },
    source: { address, port: source.port, user: "repl", password },
    ...change,
  });
}

test("a replica that is reached without a host is looked after all the same, but for its files", async () => {
  const { replica } = servers;
  await replica.run("SET GLOBAL super_read_only = 0", "SET sql_log_bin = 0");
  await replica.run("CREATE USER admin@'%' IDENTIFIED BY 'admin'", "GRANT ALL ON *.* TO admin@'%'");
  await replica.run("SET GLOBAL super_read_only = 1", "SET sql_log_bin = 1");
  const declared = reachedWithoutHost({ filters: { ignoreTables: ["shop.log"] } });
  const stack = new Stack();
  const said = (await stack.up(declared)).join("\n");
  expect(said).toContain("put these lines into the replica's option file");
  expect(said).toContain("replicate-ignore-table = orders:shop.log");
  expect(await stack.up(declared)).toEqual([]);
  await stack.destroy(declared);
  expect(await channels()).toBe(0);
});

test("of two stacks that make the same channel at once, by other names of the replica, one is refused", async () => {
  const one = { stack: new Stack("tests/live/one"), declared: servers.declare() };
  const other = { stack: new Stack("tests/live/other"), declared: reachedWithoutHost() };
  const both = [one, other];
  const ended = await Promise.allSettled(both.map(({ stack, declared }) => stack.up(declared)));
  const refused = ended.findIndex(({ status }) => status === "rejected");
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(ended[refused]).toMatchObject({
    reason: { message: expect.stringContaining("(OWNERSHIP_FOREIGN)") as string },
  });
  const winner = both[1 - refused];
  await winner?.stack.destroy(winner.declared);
  expect(await channels()).toBe(0);
});

test("a mark is claimed by one, whoever asks at the same moment", async () => {
  const clients = await Promise.all([1, 2, 3].map(() => servers.other.connect()));
  const claim = (found: ServerMark | null, owner: string): ServerMark => {
    if (found !== null) throw new Error("claimed");
    return { owner, note: {} };
  };
  const claims = clients.map((mysql, at) =>
    changeMark(mysql, "channel a", (found) => claim(found, `p/s/${String(at)}`)),
  );
  const ended = await Promise.allSettled(claims);
  expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const mysql of clients) await changeMark(mysql, "channel a", () => null);
});

test("marks that came along with a copied data directory count as absent, and go with the next one", async () => {
  const mysql = await servers.other.connect();
  await changeMark(mysql, "channel a", () => ({ owner: "p/s/a", note: { caughtUp: true } }));
  expect(await readMark(mysql, "channel a")).toEqual({ owner: "p/s/a", note: { caughtUp: true } });
  await mysql.execute(sql`SET SESSION sql_log_bin = 0`);
  await mysql.execute(sql`UPDATE sluice.ownership SET server_uuid = UUID()`);
  await mysql.execute(sql`SET SESSION sql_log_bin = 1`);
  expect(await readMark(mysql, "channel a")).toBeNull();
  await changeMark(mysql, "channel b", () => ({ owner: null, note: {} }));
  expect(await mysql.query(sql`SELECT object FROM sluice.ownership`)).toEqual([{ object: "channel b" }]);
  await changeMark(mysql, "channel a", () => null);
  expect(await readMark(mysql, "channel b")).toEqual({ owner: null, note: {} });
  await changeMark(mysql, "channel b", () => null);
  await changeMark(mysql, "channel b", () => null);
  expect(await readMark(mysql, "channel b")).toBeNull();
  expect(await mysql.query(sql`SELECT 1 FROM information_schema.schemata WHERE schema_name = 'sluice'`)).toEqual([]);
});
