import { openDrivers } from "../../provider/drivers";
import type { SshAddress } from "../../provider/host/host";
import { remove } from "../../provider/lifecycle";
import { markOf, type Mark } from "../../provider/mark/mark";
import { changeRowMark, readRowMark } from "../../provider/mark/row";
import { sql } from "../../provider/mysql/sql";
import { silent } from "../../provider/report";
import { awaitCondition, done, waiting } from "../../provider/wait";
import type { Declaration, Written } from "../../resources/replication-channel/schema";
import { password, room, Stack, startServers, type Servers } from "./channel-servers";
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
  const claim = (found: Mark | null, name: string): Mark => {
    if (found !== null) throw new Error("claimed");
    return markOf({ kind: "ReplicationChannel", name, seal: null }, {});
  };
  const claims = clients.map((mysql, at) =>
    changeRowMark(mysql, "channel a", (found) => claim(found, `p/s/${String(at)}`)),
  );
  const ended = await Promise.allSettled(claims);
  expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const mysql of clients) await changeRowMark(mysql, "channel a", () => null);
});

test("marks that came along with a copied data directory count as absent, and go with the next one", async () => {
  const mysql = await servers.other.connect();
  const mark = markOf({ kind: "ReplicationChannel", name: "p/s/a", seal: "x" }, { caughtUp: true });
  await changeRowMark(mysql, "channel a", () => mark);
  expect(await readRowMark(mysql, "channel a")).toEqual(mark);
  await mysql.execute(sql`SET SESSION sql_log_bin = 0`);
  await mysql.execute(sql`UPDATE sluice.ownership SET server_uuid = UUID()`);
  await mysql.execute(sql`SET SESSION sql_log_bin = 1`);
  expect(await readRowMark(mysql, "channel a")).toBeNull();
  await changeRowMark(mysql, "channel b", () => markOf(null, {}));
  expect(await mysql.query(sql`SELECT object FROM sluice.ownership`)).toEqual([{ object: "channel b" }]);
  await changeRowMark(mysql, "channel a", () => null);
  expect(await readRowMark(mysql, "channel b")).toEqual(markOf(null, {}));
  await changeRowMark(mysql, "channel b", () => null);
  await changeRowMark(mysql, "channel b", () => null);
  expect(await readRowMark(mysql, "channel b")).toBeNull();
  expect(await mysql.query(sql`SELECT 1 FROM information_schema.schemata WHERE schema_name = 'sluice'`)).toEqual([]);
});

test("a mark of the version before is read as it was meant, and written in the form of today with the next change", async () => {
  const mysql = await servers.other.connect();
  const channel = { kind: "ReplicationChannel", name: "p/s/a", seal: "x" };
  await changeRowMark(mysql, "channel a", () => markOf(channel, {}));
  await mysql.execute(sql`SET SESSION sql_log_bin = 0`);
  await mysql.execute(
    sql`UPDATE sluice.ownership SET note = ${'{"caughtUp":true,"start":null,"ended":null,"seal":"x"}'}`,
  );
  await mysql.execute(sql`SET SESSION sql_log_bin = 1`);
  const mark = markOf(channel, { caughtUp: true, start: null, ended: null });
  expect(await readRowMark(mysql, "channel a")).toEqual(mark);
  await changeRowMark(mysql, "channel a", (found) => (found === null ? null : { ...found }));
  const [row] = await mysql.query<{ note: string }>(sql`SELECT note FROM sluice.ownership`);
  expect(JSON.parse((row?.note ?? "").replace(/^2 /, ""))).toEqual(mark);
  // A version that does not know the format stops instead of reading a channel without seal and positions.
  expect(() => JSON.parse(row?.note ?? "") as unknown).toThrow();
  await changeRowMark(mysql, "channel a", () => null);
});

describe("two operators", () => {
  /** The replica by its address, without its host: as from another machine. */
  const direct = (): Declaration => {
    const declared = servers.declare({ channel: "locked" });
    const { address } = declared.replica.host as SshAddress;
    return {
      ...declared,
      replica: { address, port: servers.replica.port, user: "operator", password: "pw", tls: "required" },
    };
  };
  const throughHost = () => servers.declare({ channel: "locked" });
  const never = new AbortController().signal;
  const lockWithin = (withinSeconds: number, holder: string) => ({ withinSeconds, holder });
  const opened: ReturnType<typeof openDrivers>[] = [];
  const drivers = () => {
    const one = openDrivers({ object: "channel locked", signal: never, report: silent });
    opened.push(one);
    return one;
  };
  const lockOf = (declared: Declaration) => {
    const inReplica = room.locks(declared).find((lock) => "server" in lock);
    if (inReplica === undefined) throw new Error("a channel is not locked in its replica");
    return inReplica;
  };

  beforeAll(async () => {
    await servers.replica.run(
      "SET GLOBAL super_read_only = 0",
      "SET sql_log_bin = 0",
      "CREATE USER operator@'%' IDENTIFIED BY 'pw'",
      "GRANT ALL ON *.* TO operator@'%'",
      "SET sql_log_bin = 1",
      "SET GLOBAL super_read_only = 1",
    );
  });

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  test("exclude each other, one through the replica's host and one straight to it, and the waiter says who works", async () => {
    const [mine, theirs] = [lockOf(direct()), lockOf(throughHost())];
    await drivers().withServerLock(mine.server, mine.name, lockWithin(5, "shop/dev/orders"), async () => {
      const second = drivers().withServerLock(theirs.server, theirs.name, lockWithin(1, "shop/prod/orders"), () =>
        Promise.resolve("in"),
      );
      await expect(second).rejects.toMatchObject({
        code: "LOCK_TAKEN",
        problem: { found: expect.stringMatching(/^held by shop\/dev\/orders \(session \d+\)$/) as string },
      });
    });
    const after = drivers().withServerLock(theirs.server, theirs.name, lockWithin(1, "b"), () => Promise.resolve("in"));
    expect(await after).toBe("in");
  });

  test("wait for each other: an up begins when the other has ended", async () => {
    const lock = lockOf(direct());
    const stack = new Stack("tests/live/locked");
    let up: Promise<string[]> | undefined;
    await drivers().withServerLock(lock.server, lock.name, lockWithin(5, "shop/dev/orders"), async () => {
      up = stack.up(throughHost());
      up.catch(() => undefined);
      await awaitCondition({
        object: "the other operator",
        what: "a session that waits for the lock",
        withinSeconds: 30,
        everyMillis: 100,
        check: async () => {
          const waits = await servers.replica.ask(
            "SELECT COUNT(*) FROM performance_schema.user_variables_by_thread WHERE VARIABLE_NAME = 'sluice_holder' AND CAST(VARIABLE_VALUE AS CHAR) = 'tests/live/locked'",
          );
          return waits === 1 ? done(undefined) : waiting("nobody waits");
        },
      });
      expect(await channels()).toBe(0);
    });
    expect((await up)?.length).toBeGreaterThan(0);
    expect(await channels()).toBe(1);
    await stack.destroy(throughHost());
  });

  test("one whose session is ended is told to stop its work", async () => {
    const lock = lockOf(direct());
    const reason = await drivers().withServerLock(
      lock.server,
      lock.name,
      lockWithin(5, "shop/dev/orders"),
      async (lost) => {
        const ended = new Promise<unknown>((resolve) => {
          lost.addEventListener("abort", () => resolve(lost.reason), { once: true });
        });
        await servers.replica.run(
          `KILL ${String(await servers.replica.ask(`SELECT IS_USED_LOCK('sluice.${lock.name}')`))}`,
        );
        return ended;
      },
    );
    expect(reason).toMatchObject({ code: "HOST_CONNECTION_LOST" });
  });
});
