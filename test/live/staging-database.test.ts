import { readFile } from "node:fs/promises";
import type { Lab, LabHost } from "../../lab/index.ts";
import { sh, type Command } from "../../provider/host/command";
import { wordsOf } from "../../provider/errors";
import type { Host, SshAddress } from "../../provider/host/host";
import { borrowHost } from "../../provider/host/pool";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { checkInputs } from "../../provider/schema/check";
import { withMysql } from "../../provider/mysql/client";
import { sql } from "../../provider/mysql/sql";
import type { AnyRoom } from "../../provider/room";
import { rooms } from "../../resources/rooms";
import type { Live, Settled } from "../../resources/staging-database/observe";
import { derive, schema, type Declaration, type Written } from "../../resources/staging-database/schema";
import { addressOf, closeHosts, requireLab } from "./managed-server";
import { Stack as StackOf } from "./stack";

const room = rooms.find(({ kind }) => kind === "StagingDatabase") as AnyRoom;

class Stack extends StackOf<Declaration, Settled, Live> {
  constructor() {
    super(room, "tests/live/staging");
  }
}

const folder = "/srv/staging-test";
let lab: Lab;
let staging: LabHost;
let address: SshAddress;
let host: Host;
const cleanups: (() => Promise<void>)[] = [];

jest.setTimeout(240_000);

beforeAll(async () => {
  lab = await requireLab();
  staging = lab.host("staging");
  address = await addressOf(staging);
  host = borrowHost(address).host;
});

/** Whatever a failed test left over goes too. */
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

afterAll(async () => {
  await host.run(sh`rm -rf ${folder}`);
  await closeHosts();
});

const root = (command: Command) => host.run(command, { accept: [0, 1, 2, 32] });

function declare(directory: string, port: number, change: Partial<Written> = {}): Declaration {
  const given = {
    host: address,
    directory,
    port,
    seed: "none",
    mode: "manual",
    config: { innodb_buffer_pool_size: "32M", innodb_redo_log_capacity: "16M" },
    ...change,
  };
  const { inputs, problems } = checkInputs(schema, { ...derive(given), ...given });
  expect(problems).toEqual([]);
  return inputs as Declaration;
}

/** Ends what runs there, whatever state it is in. */
function cleanUp(directory: string): void {
  const { unitName, unitFile } = layoutOf(directory);
  cleanups.push(async () => {
    await root(
      sh`systemctl kill --signal=KILL ${unitName} 2>/dev/null; systemctl disable --quiet --now ${unitName} 2>/dev/null; rm -f ${unitFile}; systemctl daemon-reload; rm -rf ${directory}`,
    );
  });
}

const entriesOf = async (directory: string): Promise<string[]> =>
  (await root(sh`ls -A ${directory}`)).stdout.split("\n").filter((name) => name !== "");

test("a source that is not reached is named with the host that asked, and why; nothing is made", async () => {
  const unreached = async (source: { readonly address: string; readonly port: number }) => {
    const directory = `${folder}/unreached`;
    const account = { user: "sluice", password: "x", tls: "required" } as const;
    const declared = declare(directory, 3426, {
      seed: "dump",
      mode: "replication",
      source: { ...source, ...account },
    });
    const text = await new Stack().up(declared).then(String, wordsOf);
    expect((await host.inspect(directory)).kind).toBe("absent");
    return text;
  };
  const from = `from ${staging.address}`;
  expect(await unreached({ address: "127.0.0.1", port: 3427 })).toContain(
    `: cannot reach its source 127.0.0.1:3427 ${from}: nothing listens on that port (SOURCE_UNREACHABLE)`,
  );
  expect(await unreached({ address: "db1.invalid", port: 3306 })).toContain(
    `: cannot reach its source db1.invalid:3306 ${from}: the name does not resolve there (SOURCE_UNREACHABLE)`,
  );
});

test("while its file system is not mounted it is neither forgotten, nor made anew, nor taken for removed", async () => {
  const point = "/mnt/staging-test";
  const [disk, other] = [`${folder}/disk`, `${folder}/other-disk`];
  const directory = `${point}/orders`;
  await root(sh`mkdir -p ${point} ${disk} ${other} && mount --bind ${disk} ${point}`);
  cleanups.push(async () => void (await root(sh`umount ${point}; rmdir ${point}; rm -rf ${disk} ${other}`)));
  cleanUp(directory);
  const stack = new Stack();
  const declared = declare(directory, 3421, { state: "stopped" });
  await stack.up(declared);

  await host.run(sh`umount ${point}`);
  const missing = { code: "STORAGE_NOT_MOUNTED", problem: { needs: expect.stringContaining(`${point}: `) as string } };
  await expect(stack.refresh(declared)).rejects.toMatchObject(missing);
  await expect(stack.up(declared)).rejects.toMatchObject(missing);
  await expect(stack.destroy(declared)).rejects.toMatchObject(missing);
  expect(await entriesOf(point)).toEqual([]);

  // Moved, and mounted at the same place: that is its new home.
  await host.run(sh`cp -a ${disk}/. ${other} && mount --bind ${other} ${point}`);
  expect(await stack.refresh(declared)).toMatchObject({ state: "stopped" });
  expect(await stack.up(declared)).toEqual([]);
  await stack.destroy(declared);
  expect(await entriesOf(point)).toEqual([]);
});

test("where mysqld was uninstalled it is still seen, stopped and removed; what would start it says what is missing", async () => {
  const [directory, base] = [`${folder}/uninstalled`, `${folder}/base`];
  await root(
    sh`mkdir -p ${base}/bin && ln -s /usr/sbin/mysqld ${base}/bin/mysqld && ln -s /usr/lib ${base}/lib && ln -s /usr/share ${base}/share`,
  );
  cleanUp(directory);
  const stack = new Stack();
  const declared = declare(directory, 3422, { baseDirectory: base });
  await stack.up(declared);

  await host.run(sh`rm ${base}/bin/mysqld`);
  expect(await stack.refresh(declared)).toMatchObject({ state: "running" });
  expect(await stack.up(declared)).toEqual([]);
  await expect(stack.up({ ...declared, port: 3423 })).rejects.toMatchObject({ code: "SERVER_BINARY_MISSING" });
  await stack.up({ ...declared, state: "stopped" });
  await expect(stack.up(declared)).rejects.toMatchObject({ code: "SERVER_BINARY_MISSING" });
  stack.before = null; // an imported or repaired state remembers no programs
  await stack.destroy(declared);
  expect(await entriesOf(directory)).toEqual([]);
});

test("another user of the host gets in by a restart, after a crash before it too", async () => {
  const directory = `${folder}/user`;
  cleanUp(directory);
  const stack = new Stack();
  const declared = declare(directory, 3424, { host: await addressOf(staging, "sluice") });
  await stack.up(declared);
  const other = declare(directory, 3424);

  const preview = stack.preview(other);
  expect(preview).toContain("unix user sluice → unix user root");
  await stack.crash(other, 1);
  const lines = await stack.up(other);
  expect(lines.join("\n")).toMatch(/restart the server/);
  expect((await stack.observe(other)).settled.instance).toMatchObject({ init: { osUser: "root" }, refusesUs: false });
  expect(await stack.up(other)).toEqual([]);
  // A user of the account's own name is let in as it is.
  expect(stack.preview(declared)).not.toContain("restart");
  expect((await stack.up(declared)).join("\n")).toMatch(/^1\/1 write my.cnf, init file and unit/);
  await stack.destroy(declared);
  expect(await entriesOf(directory)).toEqual([]);
});

test("a root password that is taken out of the program is taken from the server too", async () => {
  const directory = `${folder}/password`;
  cleanUp(directory);
  const stack = new Stack();
  const declared = declare(directory, 3425, { readOnly: true });
  const { rootPassword } = declare(directory, 3425, { rootPassword: "it's secret" });
  await stack.up({ ...declared, rootPassword });
  const readRoot = () =>
    withMysql({ socket: declared.socket, user: "sluice" }, host, (mysql) =>
      mysql.queryRow(
        sql`SELECT plugin, account_locked AS locked, @@super_read_only AS sealed, @@gtid_executed AS executed FROM mysql.user WHERE user = 'root'`,
      ),
    );
  const sealed = { locked: "N", sealed: 1, executed: "" };
  expect(await readRoot()).toEqual({ plugin: "caching_sha2_password", ...sealed });

  expect(stack.preview(declared)).toContain("take the password of root@localhost away");
  await stack.up(declared);
  expect(await readRoot()).toEqual({ plugin: "auth_socket", ...sealed });
  expect(await stack.up(declared)).toEqual([]);
  await stack.destroy(declared);
});

test("settings arrive as the plan says: of a starter file in place, loose ones by a restart", async () => {
  const directory = `${folder}/settings`;
  cleanUp(directory);
  const stack = new Stack();
  const declared = (connections: number, more: Record<string, number> = {}) =>
    declare(directory, 3426, {
      config: { innodb_buffer_pool_size: "32M", innodb_redo_log_capacity: "16M", ...more },
      configFile: `[mysqld]\nmax_connections = ${connections}\n`,
    });
  await stack.up(declared(90));
  const said = async (wanted: Declaration) => (await stack.up(wanted)).map((line) => line.replace(/ · .*/, ""));
  const read = () =>
    withMysql({ socket: declared(1).socket, user: "sluice" }, host, (mysql) =>
      mysql.queryRow(sql`SELECT @@max_connections AS connections, @@max_error_count AS errors`),
    );

  expect(await said(declared(80))).toEqual([
    "1/2 write my.cnf, init file and unit",
    "2/2 set variables of the running server",
  ]);
  const loose = declared(80, { loose_max_error_count: 77, loose_of_no_plugin: 1 });
  expect(stack.preview(loose)).toContain("restart the server");
  expect(await said(loose)).toEqual(["1/2 write my.cnf, init file and unit", "2/2 restart the server"]);
  expect(await read()).toEqual({ connections: 80, errors: 77 });
  expect(await said(loose)).toEqual([]);
  expect(await said(declared(80))).toEqual(["1/2 write my.cnf, init file and unit", "2/2 restart the server"]);
  await stack.destroy(declared(80));
});

test("data that is taken over keeps the settings that it was made with, whatever those of the source are", async () => {
  const directory = `${folder}/adopted`;
  cleanUp(directory);
  await host.run(sh`
    id -u mysql >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin mysql
    mkdir -p ${directory} && printf '[mysqld]\nlower-case-table-names = 1\ninnodb-page-size = 8k\n' >${directory}/my.cnf
    mysqld --defaults-file=${directory}/my.cnf --initialize-insecure --user=mysql --datadir=${directory}/data`);
  const { address: at, mysql: production } = lab.host("source");
  if (production === undefined) throw new Error("the lab's source has no MySQL");
  const password = (await readFile(production.passwordPath, "utf8")).trim();
  const source = { address: at, port: production.port, user: production.user, password, tls: "required" } as const;
  const declared = declare(directory, 3427, { source, seed: "dump", mode: "replication", adopt: true });
  const stack = new Stack();
  const lines = await stack.up(declared);
  expect(lines[0]).toMatch(/^1\/3 take over .* with the data that is in it/);
  const row = await withMysql({ socket: declared.socket, user: "sluice" }, host, (mysql) =>
    mysql.queryRow(sql`SELECT @@lower_case_table_names AS lower, @@innodb_page_size AS page`),
  );
  expect(row).toEqual({ lower: 1, page: 8192 });
  expect(await stack.up(declared)).toEqual([]);
  await stack.destroy(declared);
  expect(await entriesOf(directory)).toEqual(["my.cnf.before-sluice"]);
});

test("a file system that is mounted for the data is seeded, emptied and left; what a link points to is left as it is", async () => {
  const directory = `${folder}/volume`;
  const { data, optionFile } = layoutOf(directory);
  const volume = `${folder}/volume-data`;
  await root(sh`mkdir -p ${data} ${volume}/lost+found && mount --bind ${volume} ${data}`);
  cleanUp(directory);
  cleanups.push(async () => void (await root(sh`umount ${data}; rm -rf ${volume}`)));
  const stack = new Stack();
  const declared = declare(directory, 3428, { state: "stopped" });
  await stack.up(declared);
  expect(await entriesOf(volume)).toContain("ibdata1");
  await stack.up({ ...declared, reseed: "2" });
  expect(await entriesOf(volume)).toContain("ibdata1");

  // The server is there, its data is not: whoever forgot to mount it is told so.
  await host.run(sh`umount ${data}`);
  await expect(stack.destroy(declared)).rejects.toMatchObject({ code: "STORAGE_NOT_MOUNTED" });
  expect(await entriesOf(directory)).toContain("my.cnf");

  const linked = { code: "STORAGE_DATA_LINKED", problem: { found: `${data} -> ${volume}` } };
  await host.run(sh`rmdir ${data} && ln -s ${volume} ${data}`);
  await expect(stack.destroy(declared)).rejects.toMatchObject(linked);
  await expect(stack.up({ ...declared, reseed: "3" })).rejects.toMatchObject(linked);
  expect(await entriesOf(volume)).toContain("ibdata1");
  expect(await entriesOf(directory)).toContain(optionFile.slice(directory.length + 1));

  await host.run(sh`rm ${data} && mkdir ${data} && mount --bind ${volume} ${data}`);
  await stack.destroy(declared);
  expect(await entriesOf(directory)).toEqual(["data"]);
  expect(await entriesOf(volume)).toEqual([]);
  expect(await stack.refresh(declared)).toBeUndefined();
  await stack.up(declared);
  await stack.destroy(declared);
});
