import type { LabHost } from "../../lab/index.ts";
import { sh } from "../../provider/host/command";
import { lookAtService } from "../../provider/host/service/service";
import { connectMysql } from "../../provider/mysql/client";
import { readInstance } from "../../provider/mysql/instance/facts";
import { managementAccount } from "../../provider/mysql/instance/layout";
import { ensureDirectories, writeOptionFiles } from "../../provider/mysql/instance/prepare";
import { startPrivately, stopPrivately } from "../../provider/mysql/instance/private-boot";
import { removeInstance } from "../../provider/mysql/instance/removal";
import { renderOptions } from "../../provider/mysql/instance/options";
import { privatePlaceOf } from "../../provider/mysql/instance/service";
import type { Instance } from "../../provider/mysql/instance/instance";
import type { MysqlClient } from "../../provider/mysql/reader";
import { sql } from "../../provider/mysql/sql";
import { withWrites } from "../../provider/mysql/read-only";
import { copyInitialisedData } from "./copied-data";
import { closeHosts, makeServer, requireLab, type ManagedServer } from "./managed-server";

jest.setTimeout(240_000);

const folder = "/srv/boot-test";
let staging: LabHost;
const servers: ManagedServer[] = [];

beforeAll(async () => {
  staging = (await requireLab()).host("staging");
});

afterAll(closeHosts);

const limitOf = ({ report }: ManagedServer) => ({ withinSeconds: 60, allowKill: true, report });

/** What a copy of a production's replica brings along: listeners, events, a channel that would dial out, settings in the data. */
const busy = {
  mysqlx: true,
  mysqlx_port: 3572,
  event_scheduler: true,
  admin_address: "127.0.0.1",
  admin_port: 3573,
  persisted_globals_load: true,
};

async function serverAt(name: string, port: number, supervisor: "systemd" | "process"): Promise<ManagedServer> {
  const server = await makeServer(staging, {
    directory: `${folder}/${name}-${supervisor}`,
    port,
    runtime: { supervisor },
    makeData: copyInitialisedData,
  });
  servers.push(server);
  return server;
}

const configured = (instance: Instance, serverId: number) =>
  renderOptions({ instance, serverId, readOnly: true, config: busy });

async function connectPrivately({ host, instance }: ManagedServer): Promise<MysqlClient> {
  const address = { socket: instance.layout.privateSocket, user: managementAccount };
  return connectMysql(address, host, { object: instance.object });
}

/** Every address that the process listens on. */
async function listeners(server: ManagedServer, pid: number): Promise<string[]> {
  const { stdout } = await server.host.run(sh`ss -Hlntp | grep -F ${`pid=${pid},`} | awk '{ print $4 }'; exit 0`);
  return stdout.split("\n").filter((line) => line !== "");
}

describe.each(["systemd", "process"] as const)("a copy of a server's data under %s", (supervisor) => {
  let server: ManagedServer;
  let copy: ManagedServer;
  const boot = (more: { readonly options?: readonly string[] } = {}) =>
    startPrivately(copy.host, copy.instance, {
      connect: () => connectPrivately(copy),
      withinSeconds: 60,
      report: copy.report,
      ...more,
    });
  const pidOf = async (one: ManagedServer) => (await readInstance(one.host, one.instance)).pid;
  const privatePid = async () => (await lookAtService(copy.host, privatePlaceOf(copy.instance))).pid;

  afterAll(async () => {
    for (const one of servers.splice(0)) await one.remove();
    await staging.run(["rm", "-rf", folder]);
  });

  beforeAll(async () => {
    server = await serverAt("server", 3570, supervisor);
    const mysql = await server.create({ config: busy });
    expect(await listeners(server, Number(await pidOf(server)))).toHaveLength(3);
    await withWrites(mysql, async () => {
      await mysql.execute(sql`CREATE DATABASE shop`);
      await mysql.execute(sql`CREATE TABLE shop.orders (id INT PRIMARY KEY)`);
      await mysql.execute(sql`INSERT INTO shop.orders VALUES (1)`);
      await mysql.execute(
        sql`CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 3570, SOURCE_USER = 'nobody'`,
      );
      await mysql.execute(sql`SET PERSIST event_scheduler = 'ON'`);
    });
    await server.stop();
    copy = await serverAt("copy", 3571, supervisor);
    await ensureDirectories(copy.host, copy.instance);
    await writeOptionFiles(copy.host, copy.instance, { optionText: configured(copy.instance, 3571) });
    await copy.host.run(sh`cp -a --reflink=auto ${server.instance.layout.data} ${copy.instance.layout.data}`);
    await server.start();
  });

  test("boots beside the running server, out of everybody's reach, and is changed", async () => {
    const before = await pidOf(server);
    const mysql = await boot();
    const pid = Number(await privatePid());
    expect(await pidOf(server)).toBe(before);
    expect(pid).not.toBe(before);
    expect(await listeners(copy, pid)).toEqual([]);
    const row = await mysql.queryRow(
      sql`SELECT @@GLOBAL.datadir AS data, @@GLOBAL.event_scheduler AS events, (SELECT COUNT(*) FROM shop.orders) AS orders, (SELECT COUNT(*) FROM performance_schema.replication_connection_configuration) AS channels`,
    );
    expect(row).toEqual({ data: `${copy.instance.layout.data}/`, events: "OFF", orders: 1, channels: 1 });
    const replica = await mysql.query(sql`SHOW REPLICA STATUS`);
    expect(replica).toMatchObject([{ Replica_IO_Running: "No", Replica_SQL_Running: "No" }]);
    await withWrites(mysql, () => mysql.execute(sql`INSERT INTO shop.orders VALUES (2)`));
    await mysql.close();
  });

  test("a second start finds it, and the instance's own server is not taken for it", async () => {
    const pid = await privatePid();
    await (await boot()).close();
    expect(await privatePid()).toBe(pid);
    expect(await readInstance(copy.host, copy.instance)).toMatchObject({ running: false, enabled: false });
  });

  test("stops cleanly, leaves no service, keeps what was changed, and touches nothing of the server beside it", async () => {
    const before = await pidOf(server);
    await stopPrivately(copy.host, copy.instance, limitOf(copy));
    await stopPrivately(copy.host, copy.instance, limitOf(copy));
    expect(await privatePid()).toBeNull();
    const { layout } = copy.instance;
    const { stdout } = await copy.host.run(
      sh`ls -A ${layout.directory} /etc/systemd/system | grep -e -private; tail -n 1 ${layout.errorLog}; exit 0`,
    );
    expect(stdout).toMatch(/^[^\n]*MY-015016[^\n]*\n$/); // "MySQL Server - end."
    expect(await pidOf(server)).toBe(before);
    const mysql = await boot({ options: ["--skip-log-bin"] });
    const row = await mysql.queryRow(
      sql`SELECT @@GLOBAL.log_bin AS logged, (SELECT COUNT(*) FROM shop.orders) AS orders`,
    );
    expect(row).toEqual({ logged: 0, orders: 2 });
    await mysql.close();
    await stopPrivately(copy.host, copy.instance, limitOf(copy));
    const there = await server.connect();
    expect(await there.queryRow(sql`SELECT COUNT(*) AS orders FROM shop.orders`)).toEqual({ orders: 1 });
  });

  test("an option that mysqld does not know is named, at once, and leaves nothing running", async () => {
    await expect(boot({ options: ["--no-such-option=1"] })).rejects.toMatchObject({ code: "SERVER_OPTION_REJECTED" });
    expect(await privatePid()).toBeNull();
  });

  test("data of a server that runs is not booted", async () => {
    await expect(
      startPrivately(server.host, server.instance, {
        connect: () => connectPrivately(server),
        withinSeconds: 60,
        report: server.report,
      }),
    ).rejects.toMatchObject({ code: "SERVER_RUNNING_ELSEWHERE" });
    expect(await pidOf(server)).not.toBeNull();
  });

  test("a removal ends a private server that a killed run left, and leaves nothing of it", async () => {
    await (await boot()).close();
    const pid = await privatePid();
    await removeInstance(copy.host, copy.instance);
    const { layout } = copy.instance;
    const { stdout } = await copy.host.run(
      sh`kill -0 ${String(pid)} 2>&1; ls -d ${layout.directory} 2>&1; ls /etc/systemd/system | grep -e -private; exit 0`,
    );
    expect(stdout).toMatch(/No such process\s+.*No such file or directory\n$/);
  });
});
