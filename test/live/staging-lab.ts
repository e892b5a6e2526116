/** Staging databases as the room makes them, on the lab's staging host, from one of the lab's sources. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Lab, LabHost } from "../../lab/index.ts";
import { sh } from "../../provider/host/command";
import type { Host, SshAddress } from "../../provider/host/host";
import { borrowHost } from "../../provider/host/pool";
import { withMysql } from "../../provider/mysql/client";
import type { MysqlClient, Row } from "../../provider/mysql/reader";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { sql } from "../../provider/mysql/sql";
import type { AnyRoom } from "../../provider/room";
import { checkInputs } from "../../provider/schema/check";
import { rooms } from "../../resources/rooms";
import type { Live, Settled } from "../../resources/staging-database/facts";
import { derive, refine, schema, type Declaration, type Written } from "../../resources/staging-database/schema";
import { addressOf, closeHosts, requireLab } from "./managed-server";
import { Stack } from "./stack";

const room = rooms.find(({ kind }) => kind === "StagingDatabase") as AnyRoom;

export interface StagingLab {
  readonly staging: LabHost;
  /** The staging host, as root. */
  readonly host: Host;
  readonly address: SshAddress;
  /** The source as a program writes it. */
  readonly source: NonNullable<Declaration["source"]>;
  stack(name?: string): Stack<Declaration, Settled, Live>;
  /** Below the file's folder, unless `name` is a path. Nothing of it is left behind the test. */
  declare(name: string, port: number, change?: Partial<Written>): Declaration;
  /** Runs after the test, the last first. */
  after(cleanUp: () => Promise<unknown>): void;
  onSource(statements: string): Promise<string>;
  /** As the management account. */
  ask(declared: Declaration, query: string): Promise<Row | undefined>;
  within<T>(declared: Declaration, work: (mysql: MysqlClient) => Promise<T>): Promise<T>;
}

export interface StagingWanted {
  readonly source?: "source" | "source6" | "source7";
  readonly staging?: "staging" | "staging2";
  /** What every declaration of the file says. */
  readonly declares?: Partial<Written>;
}

/** A server that is not seeded: for tests of what is around it. */
export const unseeded = { seed: "none", mode: "manual" } as const satisfies Partial<Written>;

const small = { innodb_buffer_pool_size: "32M", innodb_redo_log_capacity: "16M" };

export function useStagingLab(folder: string, wanted: StagingWanted = {}): StagingLab {
  const { source: sourceName = "source", staging: stagingName = "staging", declares = {} } = wanted;
  let opened: { lab: Lab; address: SshAddress; host: Host; source: NonNullable<Declaration["source"]> } | undefined;
  const directories = new Set<string>();
  const cleanUps: (() => Promise<unknown>)[] = [];
  const its = () => {
    if (opened === undefined) throw new Error("the lab is opened in beforeAll");
    return opened;
  };
  beforeAll(async () => {
    const lab = await requireLab();
    const address = await addressOf(lab.host(stagingName));
    const { mysql, ...at } = lab.host(sourceName);
    if (mysql === undefined) throw new Error("the lab's source has no MySQL");
    const password = (await readFile(mysql.passwordPath, "utf8")).trim();
    const source = { address: at.address, port: mysql.port, user: mysql.user, password, tls: "required" } as const;
    opened = { lab, address, host: borrowHost(address).host, source };
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    directories.clear();
  });
  afterAll(async () => {
    await its().host.run(sh`rm -rf ${folder}`);
    await closeHosts();
  });
  /** Ends what runs there, whatever state it is in. */
  const clear = async (directory: string): Promise<void> => {
    const { unitName, unitFile } = layoutOf(directory);
    await its().host.run(
      sh`
      [ -e ${unitFile} ] || [ -e ${directory} ] || exit 0
      systemctl kill --signal=KILL ${unitName} 2>/dev/null; systemctl disable --quiet --now ${unitName} 2>/dev/null
      rm -f ${unitFile}; systemctl daemon-reload; rm -rf ${directory}`,
      { accept: [0, 1] },
    );
  };
  const within = <T>(declared: Declaration, work: (mysql: MysqlClient) => Promise<T>) =>
    withMysql({ socket: declared.socket, user: "sluice" }, its().host, work);
  return {
    get staging() {
      return its().lab.host(stagingName);
    },
    get host() {
      return its().host;
    },
    get address() {
      return its().address;
    },
    get source() {
      return its().source;
    },
    stack: (name = "staging") => new Stack<Declaration, Settled, Live>(room, `tests/live/${name}`),
    declare: (name, port, change = {}) => {
      const directory = path.posix.resolve(folder, name);
      if (!directories.has(directory)) cleanUps.push(() => clear(directory));
      directories.add(directory);
      const config = { ...small, ...change.config };
      const given = { host: its().address, directory, port, ...declares, ...change, config };
      const { inputs, problems } = checkInputs(schema, { ...derive(given), ...given });
      expect([...problems, ...(problems.length === 0 ? refine(inputs as Declaration) : [])]).toEqual([]);
      return inputs as Declaration;
    },
    after: (cleanUp) => void cleanUps.push(cleanUp),
    onSource: async (statements) =>
      (await its().lab.host(sourceName).run(["mysql", "--batch", "--skip-column-names"], { stdin: statements })).stdout,
    ask: (declared, query) =>
      within(declared, (mysql) => mysql.queryRow(sql([query] as unknown as TemplateStringsArray))),
    within,
  };
}
