import { wordsOf } from "../../provider/errors";
import { sh, type Command } from "../../provider/host/command";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { sql } from "../../provider/mysql/sql";
import type { Declaration } from "../../resources/staging-database/schema";
import { addressOf } from "./managed-server";
import { unseeded, useStagingLab } from "./staging-lab";

const folder = "/srv/staging-test";
const lab = useStagingLab(folder, { declares: unseeded });

jest.setTimeout(240_000);

const root = (command: Command) => lab.host.run(command, { accept: [0, 1, 2, 32] });

const entriesOf = async (directory: string): Promise<string[]> =>
  (await root(sh`ls -A ${directory}`)).stdout.split("\n").filter((name) => name !== "");

test("a source that is not reached is named with the host that asked, and why; nothing is made", async () => {
  const unreached = async (source: { readonly address: string; readonly port: number }) => {
    const directory = `${folder}/unreached`;
    const account = { user: "sluice", password: "x", tls: "required" } as const;
    const declared = lab.declare(directory, 3426, {
      seed: "dump",
      mode: "replication",
      source: { ...source, ...account },
    });
    const text = await lab.stack().up(declared).then(String, wordsOf);
    expect((await lab.host.inspect(directory)).kind).toBe("absent");
    return text;
  };
  const from = `from ${lab.staging.address}`;
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
  lab.after(() => root(sh`umount ${point}; rmdir ${point}; rm -rf ${disk} ${other}`));
  const stack = lab.stack();
  const declared = lab.declare(directory, 3421, { state: "stopped" });
  await stack.up(declared);

  await lab.host.run(sh`umount ${point}`);
  const missing = { code: "STORAGE_NOT_MOUNTED", problem: { needs: expect.stringContaining(`${point}: `) as string } };
  await expect(stack.refresh(declared)).rejects.toMatchObject(missing);
  await expect(stack.up(declared)).rejects.toMatchObject(missing);
  await expect(stack.destroy(declared)).rejects.toMatchObject(missing);
  expect(await entriesOf(point)).toEqual([]);

  // Moved, and mounted at the same place: that is its new home.
  await lab.host.run(sh`cp -a ${disk}/. ${other} && mount --bind ${other} ${point}`);
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
  const stack = lab.stack();
  const declared = lab.declare(directory, 3422, { baseDirectory: base });
  await stack.up(declared);

  await lab.host.run(sh`rm ${base}/bin/mysqld`);
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
  const stack = lab.stack();
  const declared = lab.declare(directory, 3424, { host: await addressOf(lab.staging, "sluice") });
  await stack.up(declared);
  const other = lab.declare(directory, 3424);

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
  const stack = lab.stack();
  const declared = lab.declare(directory, 3425, { readOnly: true });
  const { rootPassword } = lab.declare(directory, 3425, { rootPassword: "it's secret" });
  await stack.up({ ...declared, rootPassword });
  const readRoot = () =>
    lab.within(declared, (mysql) =>
      mysql.queryRow(
        sql`SELECT plugin, account_locked AS locked, @@super_read_only AS sealed, @@gtid_executed AS executed FROM mysql.user WHERE user = 'root'`,
      ),
    );
  const sealed = { locked: "N", sealed: 1, executed: "" };
  expect(await readRoot()).toEqual({ plugin: "caching_sha2_password", ...sealed });

  expect(stack.preview(declared)).toContain("remove the password of root@localhost");
  await stack.up(declared);
  expect(await readRoot()).toEqual({ plugin: "auth_socket", ...sealed });
  expect(await stack.up(declared)).toEqual([]);
  await stack.destroy(declared);
});

test("settings arrive as the plan says: of a starter file in place, loose ones by a restart", async () => {
  const directory = `${folder}/settings`;
  const stack = lab.stack();
  const declared = (connections: number, more: Record<string, number> = {}) =>
    lab.declare(directory, 3426, {
      config: { innodb_buffer_pool_size: "32M", innodb_redo_log_capacity: "16M", ...more },
      configFile: `[mysqld]\nmax_connections = ${connections}\n`,
    });
  await stack.up(declared(90));
  const said = async (wanted: Declaration) => (await stack.up(wanted)).map((line) => line.replace(/ · .*/, ""));
  const read = () =>
    lab.within(declared(1), (mysql) =>
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
  await lab.host.run(sh`
    id -u mysql >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin mysql
    mkdir -p ${directory} && printf '[mysqld]\nlower-case-table-names = 1\ninnodb-page-size = 8k\n' >${directory}/my.cnf
    mysqld --defaults-file=${directory}/my.cnf --initialize-insecure --user=mysql --datadir=${directory}/data`);
  const declared = lab.declare(directory, 3427, { source: lab.source, seed: "dump", mode: "replication", adopt: true });
  const stack = lab.stack();
  const lines = await stack.up(declared);
  expect(lines[0]).toMatch(/^1\/3 take over .* with its data/);
  const row = await lab.within(declared, (mysql) =>
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
  const stack = lab.stack();
  const declared = lab.declare(directory, 3428, { state: "stopped" });
  lab.after(() => root(sh`umount ${data}; rm -rf ${volume}`));
  await stack.up(declared);
  expect(await entriesOf(volume)).toContain("ibdata1");
  await stack.up({ ...declared, reseed: "2" });
  expect(await entriesOf(volume)).toContain("ibdata1");

  // The server is there, its data is not: whoever forgot to mount it is told so.
  await lab.host.run(sh`umount ${data}`);
  await expect(stack.destroy(declared)).rejects.toMatchObject({ code: "STORAGE_NOT_MOUNTED" });
  expect(await entriesOf(directory)).toContain("my.cnf");

  const linked = { code: "STORAGE_DATA_LINKED", problem: { found: `${data} -> ${volume}` } };
  await lab.host.run(sh`rmdir ${data} && ln -s ${volume} ${data}`);
  await expect(stack.destroy(declared)).rejects.toMatchObject(linked);
  await expect(stack.up({ ...declared, reseed: "3" })).rejects.toMatchObject(linked);
  expect(await entriesOf(volume)).toContain("ibdata1");
  expect(await entriesOf(directory)).toContain(optionFile.slice(directory.length + 1));

  await lab.host.run(sh`rm ${data} && mkdir ${data} && mount --bind ${volume} ${data}`);
  await stack.destroy(declared);
  expect(await entriesOf(directory)).toEqual(["data"]);
  expect(await entriesOf(volume)).toEqual([]);
  expect(await stack.refresh(declared)).toBeUndefined();
  await stack.up(declared);
  await stack.destroy(declared);
});
