import type { LabHost } from "../../lab/index.ts";
import { sh } from "../../provider/host/command";
import {
  rootPasswordMatches,
  setRootPassword,
  takeRootPassword,
} from "../../provider/mysql/instance/accounts/management";
import { readInstance } from "../../provider/mysql/instance/facts";
import { awaitAnswering } from "../../provider/mysql/instance/start";
import { stopInstance } from "../../provider/mysql/instance/stop";
import { emptyData } from "../../provider/mysql/instance/data";
import { initialiseData } from "../../provider/mysql/instance/data";
import { sql } from "../../provider/mysql/sql";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { closeHosts, makeServer, requireLab, type ManagedServer, type ServerWanted } from "./managed-server";

let staging: LabHost;
const servers: ManagedServer[] = [];

beforeAll(async () => {
  staging = (await requireLab()).host("staging");
});

/** What a failed test left over goes too. */
afterAll(async () => {
  for (const server of servers.splice(0)) await server.remove();
  await closeHosts();
});

async function serverOn(name: string, port: number, more: Partial<ServerWanted> = {}): Promise<ManagedServer> {
  const server = await makeServer(staging, { directory: `/srv/instance-test/${name}`, port, ...more });
  servers.push(server);
  return server;
}

const look = (server: ManagedServer) => readInstance(server.host, server.instance);

describe("one server, from its making to its removal", () => {
  let server: ManagedServer;

  beforeAll(async () => {
    server = await serverOn("one", 3401);
    await server.create();
  });

  test("it answers as its management account, is read-only and has no open way in", async () => {
    const mysql = await server.connect();
    const [row] = await mysql.query(
      sql`SELECT CURRENT_USER() AS user, @@port AS port, @@server_id AS id, @@super_read_only AS readOnly, @@gtid_mode AS gtids, @@GLOBAL.gtid_executed AS executed, @@log_replica_updates AS updates`,
    );
    expect(row).toEqual({
      user: "sluice@localhost",
      port: 3401,
      id: 3401,
      readOnly: 1,
      gtids: "ON",
      executed: "",
      updates: 1,
    });
    const open = await mysql.query(
      sql`SELECT user FROM mysql.user WHERE authentication_string = '' AND plugin <> 'auth_socket' AND account_locked = 'N'`,
    );
    expect(open).toEqual([]);
    expect(await look(server)).toMatchObject({
      directory: "ours",
      strangers: [],
      data: "ready",
      running: true,
      exit: null,
      enabled: true,
      portListener: { ours: true },
    });
  });

  test("every step repeated changes nothing, and a stopped server stays stopped", async () => {
    const before = await look(server);
    await server.create();
    expect((await look(server)).pid).toBe(before.pid);
    await server.stop();
    await server.stop();
    expect(await look(server)).toMatchObject({
      running: false,
      exit: null,
      enabled: false,
      data: "ready",
      portListener: null,
    });
    await server.start();
    expect((await look(server)).running).toBe(true);
  });

  test("the root password is set and checked without any other way in", async () => {
    const mysql = await server.connect();
    const { socket } = server.instance.layout;
    const password = `it's "quoted" \\ $HOME and ünïcode `;
    expect(await rootPasswordMatches(server.host, { socket }, password)).toBe(false);
    await setRootPassword(mysql, password);
    expect(await rootPasswordMatches(server.host, { socket }, password)).toBe(true);
    expect(await rootPasswordMatches(server.host, { socket }, `${password}!`)).toBe(false);
    const [row] = await mysql.query(
      sql`SELECT @@GLOBAL.super_read_only AS readOnly, @@GLOBAL.gtid_executed AS executed, @@SESSION.sql_log_bin AS logged`,
    );
    expect(row).toEqual({ readOnly: 1, executed: "", logged: 1 });
  });

  test("an option that mysqld does not know is named, at once", async () => {
    await server.stop();
    await server.configure({ config: { no_such_option: 1 } });
    await expect(server.start()).rejects.toMatchObject({
      code: "SERVER_OPTION_REJECTED",
      problem: { what: "mysqld does not know the option no_such_option" },
    });
    await server.configure({ config: { innodb_buffer_pool_size: "abc" } });
    await expect(server.start()).rejects.toMatchObject({
      code: "SERVER_OPTION_REJECTED",
      problem: { what: "mysqld refuses the value abc of innodb_buffer_pool_size" },
    });
    await server.configure();
    await server.start();
  });

  test("a port on which somebody else listens is refused before the start, and by what mysqld says", async () => {
    const second = await serverOn("other", 3401);
    await expect(second.create()).rejects.toMatchObject({
      code: "SERVER_PORT_TAKEN",
      problem: { found: expect.stringContaining("mysqld") as string },
    });
    await second.host.run(sh`systemctl start --no-block ${second.instance.layout.unitName}`);
    await expect(
      awaitAnswering(second.host, second.instance, {
        connect: second.connect,
        withinSeconds: 60,
        report: second.report,
      }),
    ).rejects.toMatchObject({ code: "SERVER_PORT_TAKEN" });
    await second.remove();
  });

  test("a killed or restarted mysqld is started again by its supervisor", async () => {
    await outlivesItsProcess(server);
  });

  test("a server that does not stop in time is not killed unless that is allowed", async () => {
    const { pid } = await look(server);
    await staging.run(["kill", "-STOP", String(pid)]);
    const limit = { withinSeconds: 2, report: server.report };
    await expect(stopInstance(server.host, server.instance, { ...limit, allowKill: false })).rejects.toMatchObject({
      code: "SERVER_STOP_TIMEOUT",
    });
    expect((await look(server)).pid).toBe(pid);
    await stopInstance(server.host, server.instance, { ...limit, allowKill: true });
    expect((await look(server)).running).toBe(false);
    await server.start();
  });

  test("data is thrown away only while no server runs on it", async () => {
    await expect(emptyData(server.host, server.instance)).rejects.toMatchObject({ code: "SERVER_RUNNING_ELSEWHERE" });
    await server.stop();
    await emptyData(server.host, server.instance);
    expect(await look(server)).toMatchObject({ data: "absent", directory: "ours" });
    await initialiseData(server.host, server.instance);
    await server.start();
  });

  test("removal leaves what is not ours", async () => {
    const { directory, unitFile } = server.instance.layout;
    await server.host.run(sh`touch ${`${directory}/notes.txt`}`);
    await server.remove();
    const { stdout } = await server.host.run(sh`ls -A ${directory}; ls ${unitFile} 2>&1; exit 0`);
    expect(stdout).toMatch(/^notes\.txt\n.*No such file/);
    await server.host.run(sh`rm -r ${directory}`);
  });
});

test("where there is no systemd a plain process does the same", async () => {
  const server = await serverOn("process", 3407, { runtime: { supervisor: "process" } });
  await server.create();
  await outlivesItsProcess(server);
  await server.stop();
  expect(await look(server)).toMatchObject({ running: false, exit: null });
});

/** KILL as the kernel would, then RESTART as CLONE does. */
async function outlivesItsProcess(server: ManagedServer): Promise<void> {
  const first = await look(server);
  await staging.run(["kill", "-KILL", String(first.pid)]);
  const second = await successorOf(server, first.pid);
  await (await server.start()).execute(sql`RESTART`);
  await successorOf(server, second);
  expect(await (await server.start()).query(sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
}

const successorOf = (server: ManagedServer, pid: number | null): Promise<number> =>
  awaitCondition({
    object: server.instance.object,
    what: "another mysqld",
    withinSeconds: 60,
    everyMillis: 500,
    check: async () => {
      const facts = await look(server);
      return facts.pid === null || facts.pid === pid ? waiting(`process ${String(facts.pid)}`) : done(facts.pid);
    },
  });

test("an unprivileged user runs a server of its own, and the password of its account stays in one file", async () => {
  const server = await serverOn("own", 3408, {
    user: "sluice",
    sudo: false,
    directory: "/home/sluice/own",
    binaries: { hasAuthSocket: false },
  });
  const mysql = await server.create();
  expect(server.instance.runtime).toMatchObject({ osUser: "sluice", supervisor: "process", asRoot: false });
  const [row] = await mysql.query(
    sql`SELECT CURRENT_USER() AS user, (SELECT account_locked FROM mysql.user WHERE user = 'root') AS rootLocked`,
  );
  expect(row).toEqual({ user: "sluice@localhost", rootLocked: "Y" });
  const { socket } = server.instance.layout;
  await setRootPassword(mysql, "secret");
  expect(await rootPasswordMatches(server.host, { socket }, "secret")).toBe(true);
  await takeRootPassword(mysql, server.instance);
  expect(await rootPasswordMatches(server.host, { socket }, "secret")).toBe(false);
  const { stdout } = await server.host.run(
    sh`cd ${server.instance.layout.directory} && stat -c '%a %n' sluice-account.cnf init.sql`,
  );
  expect(stdout).toBe("600 sluice-account.cnf\n600 init.sql\n");
});

test("a directory that mysqld's user may not enter is refused before anything is made of it", async () => {
  const server = await serverOn("private", 3412, { directory: "/root/private-server" });
  await expect(server.create()).rejects.toMatchObject({ code: "STORAGE_DIRECTORY_UNREACHABLE" });
});

test("a full file system is named", async () => {
  const directory = "/mnt/full-server";
  const server = await serverOn("full", 3413, { directory });
  const { host } = server;
  await host.run(sh`mkdir -p ${directory} && mount -t tmpfs -o size=40M none ${directory}`);
  try {
    await expect(server.create()).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect(await look(server)).toMatchObject({ data: "initialising", running: false });
    await server.remove();
  } finally {
    await host.run(sh`umount ${directory} && rmdir ${directory}`);
  }
});
