/** Staging databases as the room makes them, on the lab's staging host, from one of the lab's sources. */
import { readFile } from "node:fs/promises";
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
import type { Live, Settled } from "../../resources/staging-database/observe";
import { derive, refine, schema, type Declaration, type Written } from "../../resources/staging-database/schema";
import { addressOf, closeHosts, requireLab } from "./managed-server";
import { Stack } from "./stack";

const room = rooms.find(({ kind }) => kind === "StagingDatabase") as AnyRoom;

export interface StagingLab {
  readonly staging: LabHost;
  readonly host: Host;
  /** The source as a program writes it. */
  readonly source: NonNullable<Declaration["source"]>;
  stack(): Stack<Declaration, Settled, Live>;
  /** Nothing of it is left behind the test. */
  declare(name: string, port: number, change?: Partial<Written>): Declaration;
  onSource(statements: string): Promise<string>;
  /** As the management account. */
  ask(declared: Declaration, query: string): Promise<Row | undefined>;
  within<T>(declared: Declaration, work: (mysql: MysqlClient) => Promise<T>): Promise<T>;
}

export function useStagingLab(folder: string, sourceName: "source" | "source6"): StagingLab {
  let opened: { lab: Lab; address: SshAddress; host: Host; source: NonNullable<Declaration["source"]> } | undefined;
  const directories: string[] = [];
  const its = () => {
    if (opened === undefined) throw new Error("the lab is opened in beforeAll");
    return opened;
  };
  beforeAll(async () => {
    const lab = await requireLab();
    const address = await addressOf(lab.host("staging"));
    const { mysql, ...at } = lab.host(sourceName);
    if (mysql === undefined) throw new Error("the lab's source has no MySQL");
    const password = (await readFile(mysql.passwordPath, "utf8")).trim();
    const source = { address: at.address, port: mysql.port, user: mysql.user, password, tls: "required" } as const;
    opened = { lab, address, host: borrowHost(address).host, source };
  });
  afterEach(async () => {
    for (const directory of directories.splice(0)) {
      const { unitName, unitFile } = layoutOf(directory);
      await its().host.run(
        sh`systemctl kill --signal=KILL ${unitName} 2>/dev/null; systemctl disable --quiet --now ${unitName} 2>/dev/null; rm -f ${unitFile}; systemctl daemon-reload; rm -rf ${directory}`,
        { accept: [0, 1] },
      );
    }
  });
  afterAll(async () => {
    await its().host.run(sh`rm -rf ${folder}`);
    await closeHosts();
  });
  const within = <T>(declared: Declaration, work: (mysql: MysqlClient) => Promise<T>) =>
    withMysql({ socket: declared.socket, user: "sluice" }, its().host, work);
  return {
    get staging() {
      return its().lab.host("staging");
    },
    get host() {
      return its().host;
    },
    get source() {
      return its().source;
    },
    stack: () => new Stack<Declaration, Settled, Live>(room, "tests/live/staging"),
    declare: (name, port, change = {}) => {
      const directory = `${folder}/${name}`;
      if (!directories.includes(directory)) directories.push(directory);
      const config = { innodb_buffer_pool_size: "32M", innodb_redo_log_capacity: "16M", ...change.config };
      const given = { host: its().address, directory, port, ...change, config };
      const { inputs, problems } = checkInputs(schema, { ...derive(given), ...given });
      expect([...problems, ...(problems.length === 0 ? refine(inputs as Declaration) : [])]).toEqual([]);
      return inputs as Declaration;
    },
    onSource: async (statements) =>
      (await its().lab.host(sourceName).run(["mysql", "--batch", "--skip-column-names"], { stdin: statements })).stdout,
    ask: (declared, query) =>
      within(declared, (mysql) => mysql.queryRow(sql([query] as unknown as TemplateStringsArray))),
    within,
  };
}
