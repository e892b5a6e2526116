import { readFile } from "node:fs/promises";
import type { Lab, LabHost } from "../../lab/index.ts";
import { readJob } from "../../provider/host/job/job";
import { emptyData } from "../../provider/mysql/instance/data";
import { seedPlaceOf } from "../../provider/mysql/seed/run";
import { forgetSeed } from "../../provider/mysql/seed/job";
import type { SeedResult, Seeding } from "../../provider/mysql/seed/run";
import { withMysql } from "../../provider/mysql/client";
import type { OptionsWanted } from "../../provider/mysql/instance/options";
import { readSource } from "../../provider/mysql/seed/source/source";
import { readDatabases } from "../../provider/mysql/seed/source/objects";
import type { SourceAddress, SeedSource } from "../../provider/mysql/seed/source/facts";
import { id, sql } from "../../provider/mysql/sql";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { copyInitialisedData } from "./copied-data";
import { closeHosts, makeServer, requireLab, type ManagedServer, type ServerWanted } from "./managed-server";

export interface SeedingLab {
  readonly source: LabHost;
  readonly staging: LabHost;
  readonly address: SourceAddress;
  /** An empty server that answers; removed after the test. */
  emptyServer(
    name: string,
    port: number,
    more?: Partial<ServerWanted>,
    optionsFor?: (source: SeedSource) => Partial<OptionsWanted>,
  ): Promise<ManagedServer>;
  /** One server for the tests of a file, which is as good as empty each time; removed after the last. */
  keptServer(name: string, port: number): Promise<ManagedServer>;
  onSource(statements: string): Promise<string>;
}

/** For a test file: the lab in `beforeAll`, the servers of a test gone after it. A file that disturbs its source has one of its own. */
export function useSeedingLab(
  sourceName: "source" | "source3" | "source4" | "source5" | "source7" = "source",
): SeedingLab {
  let lab: Lab | undefined;
  let address: SourceAddress | undefined;
  const servers: ManagedServer[] = [];
  let kept: ManagedServer | undefined;
  const opened = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the lab is opened in beforeAll");
    return value;
  };
  beforeAll(async () => {
    lab = await requireLab();
    const { mysql, ...host } = lab.host(sourceName);
    if (mysql === undefined) throw new Error("the lab's source has no MySQL");
    const password = (await readFile(mysql.passwordPath, "utf8")).trim();
    address = { address: host.address, port: mysql.port, user: mysql.user, password, tls: "required" };
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.remove();
  });
  afterAll(async () => {
    await kept?.remove();
    await closeHosts();
  });
  const make = (name: string, port: number, more: Partial<ServerWanted> = {}) =>
    makeServer(opened(lab).host("staging"), {
      directory: `/srv/seed-test/${name}`,
      port,
      makeData: copyInitialisedData,
      ...more,
    });
  return {
    get source() {
      return opened(lab).host(sourceName);
    },
    get staging() {
      return opened(lab).host("staging");
    },
    get address() {
      return opened(address);
    },
    async emptyServer(name, port, more = {}, optionsFor) {
      const server = await make(name, port, more);
      servers.push(server);
      const from = this.address;
      const options =
        optionsFor && (await withMysql(from, server.host, async (mysql) => optionsFor(await readSource(mysql, from))));
      await server.create(options);
      return server;
    },
    async keptServer(name, port) {
      if (kept !== undefined) {
        await dropEverything(kept);
        return kept;
      }
      const server = await make(name, port);
      servers.push(server); // until it answers, a failure removes it
      await server.create();
      servers.splice(servers.indexOf(server), 1);
      kept = server;
      return server;
    },
    onSource: async (statements) =>
      (await opened(lab).host(sourceName).run(["mysql", "--batch", "--skip-column-names"], { stdin: statements }))
        .stdout,
  };
}

/** What a caller does before a failed seeding is begun again. */
export async function beginAgain(server: ManagedServer): Promise<void> {
  await server.stop(0);
  await forgetSeed(server.host, server.instance);
  await emptyData(server.host, server.instance);
  await copyInitialisedData(server.host, server.instance);
  await server.start();
}

export const seedingOf = (server: ManagedServer, more: Partial<Seeding> = {}): Seeding => ({
  host: server.host,
  instance: server.instance,
  connect: server.connect,
  report: server.report,
  withinSeconds: 120,
  ...more,
});

/** Everything a channel needs is there, and nothing else was changed. */
export async function requireSeeded(server: ManagedServer, result: SeedResult): Promise<void> {
  const mysql = await server.connect();
  const [row] = await mysql.query(
    sql`SELECT REPLACE(@@GLOBAL.gtid_executed, '\n', '') AS executed, @@GLOBAL.super_read_only AS readOnly, @@GLOBAL.max_allowed_packet AS packet, @@event_scheduler AS events, (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Innodb_redo_log_enabled') AS redo`,
  );
  expect(row).toEqual({
    executed: result.gtidExecuted,
    readOnly: 1,
    packet: 67_108_864,
    events: "OFF",
    redo: "ON",
  });
  expect(result.logFile).toMatch(/^binlog\.\d+$/);
  expect(Number(result.logPosition)).toBeGreaterThan(4);
  expect(result.bytes).toBeGreaterThan(1_000_000);
}

export const awaitProgress = (server: ManagedServer): Promise<undefined> =>
  awaitCondition<undefined>({
    object: server.instance.object,
    what: "the first bytes",
    withinSeconds: 60,
    everyMillis: 100,
    check: async () => {
      const { state, progressText, logTail } = await readJob(server.host, seedPlaceOf(server.instance));
      if (state === "succeeded" || state === "failed") throw new Error(`the seeding is over: ${state} ${logTail}`);
      return Number(progressText) > 100_000 ? done(undefined) : waiting(`${state} ${progressText}`);
    },
  });

/** As good as a new data directory for the next attempt, and quicker. */
export async function dropEverything(server: ManagedServer): Promise<void> {
  await forgetSeed(server.host, server.instance);
  const mysql = await server.connect();
  await mysql.execute(sql`SET GLOBAL super_read_only = 0`);
  await mysql.execute(sql`SET SESSION foreign_key_checks = 0`); // keys lead from one database into another
  for (const { name } of await readDatabases(mysql)) await mysql.execute(sql`DROP DATABASE ${id(name)}`);
  await mysql.execute(sql`ALTER INSTANCE ENABLE INNODB REDO_LOG`);
  await mysql.execute(sql`SET GLOBAL max_allowed_packet = DEFAULT`);
  await mysql.execute(sql`SET GLOBAL super_read_only = 1`);
}
