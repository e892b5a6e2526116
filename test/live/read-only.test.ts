import { connectMysql } from "../../provider/mysql/client";
import type { MysqlClient } from "../../provider/mysql/reader";
import { markOf } from "../../provider/mark/mark";
import { changeRowMark } from "../../provider/mark/row";
import { isLeftWritable, sealAgain, withWrites } from "../../provider/mysql/read-only";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { Stack, startServers, type Servers } from "./channel-servers";
import { closeHosts } from "./managed-server";

jest.setTimeout(240_000);

let servers: Servers;
let stack: Stack;

beforeAll(async () => {
  servers = await startServers("read-only-test", 3461);
  stack = new Stack();
  await servers.source.run("CREATE DATABASE shop", "CREATE TABLE shop.naps (n INT)");
  await stack.up(servers.declare());
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});
afterAll(async () => {
  await servers.remove();
  await closeHosts();
});

/** A session of its own: the server's other ones come and go. */
const sessions: MysqlClient[] = [];
async function open(): Promise<MysqlClient> {
  const { host, instance } = servers.replica;
  const session = await connectMysql({ socket: instance.layout.socket, user: "sluice" }, host);
  sessions.push(session);
  return session;
}

/** The applier repeats the source's statement, and is busy for as long. */
async function keepApplierBusy(seconds: number): Promise<void> {
  await servers.source.run(
    "SET SESSION binlog_format = STATEMENT",
    `INSERT INTO shop.naps VALUES (SLEEP(${String(seconds)}))`,
    "SET SESSION binlog_format = ROW",
  );
  await awaitCondition({
    object: "the applier",
    what: "its statement",
    withinSeconds: 30,
    everyMillis: 100,
    check: async () =>
      Number(
        await servers.replica.ask(
          "SELECT COUNT(*) FROM performance_schema.metadata_locks l JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID WHERE l.OBJECT_TYPE = 'GLOBAL' AND l.LOCK_STATUS = 'GRANTED' AND t.NAME LIKE '%replica%'",
        ),
      ) > 0
        ? done(undefined)
        : waiting("not there yet"),
  });
}

const isSealed = async () => (await servers.replica.ask("SELECT @@GLOBAL.super_read_only")) === 1;

test("super_read_only is not lifted while a long statement runs that would keep it from being set back", async () => {
  await keepApplierBusy(8);
  const mysql = await open();
  let sealedAtWork: boolean | undefined;
  const short = withWrites(
    mysql,
    async () => {
      sealedAtWork = await isSealed();
    },
    { quietSeconds: 2 },
  );
  await expect(short).rejects.toMatchObject({ code: "TIMEOUT_REACHED" });
  expect(sealedAtWork).toBeUndefined();
  expect(await isSealed()).toBe(true);
  // With more time it is done when the statement has ended.
  await changeRowMark(mysql, "channel later", () => markOf(null, {}));
  await changeRowMark(mysql, "channel later", () => null);
  expect(await isSealed()).toBe(true);
});

test("super_read_only that could not be set back is set back by the next up, and then nothing is left of it", async () => {
  const mysql = await open();
  const cut = withWrites(mysql, () => keepApplierBusy(8), { sealSeconds: 3 });
  await expect(cut).rejects.toMatchObject({ code: "SERVER_LEFT_WRITABLE" });
  expect(await isSealed()).toBe(false);
  expect(await isLeftWritable(await open())).toBe(true);
  const lines = await stack.up(servers.declare());
  expect(lines.join("\n")).toMatch(/^1\/1 set super_read_only of the replica to ON again/m);
  expect(await isSealed()).toBe(true);
  expect(await stack.up(servers.declare())).toEqual([]);
});

test("a run that ends between two statements leaves the note, and an administrator's own wish is not taken for it", async () => {
  const mysql = await open();
  const cut = withWrites(mysql, async () => {
    await mysql.close();
  });
  await expect(cut).rejects.toThrow();
  expect(await isSealed()).toBe(false);
  const next = await open();
  expect(await isLeftWritable(next)).toBe(true);
  await sealAgain(next);
  expect(await isSealed()).toBe(true);
  await servers.replica.run("SET GLOBAL super_read_only = 0");
  expect(await isLeftWritable(next)).toBe(false);
  await sealAgain(next);
  expect(await isSealed()).toBe(false);
  await servers.replica.run("SET GLOBAL super_read_only = 1");
});
