import { sh } from "../../provider/host/command";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { sql } from "../../provider/mysql/sql";
import type { Declaration } from "../../resources/staging-database/schema";
import { useStagingLab } from "./staging-lab";

const lab = useStagingLab("/srv/durability-test", { source: "source6" });

jest.setTimeout(240_000);

const declare = (name: string, port: number, durability: "full" | "relaxed") =>
  lab.declare(name, port, { seed: "none", mode: "manual", durability });

const readSettings = (declared: Declaration) =>
  lab.ask(declared, "SELECT @@sync_binlog AS log, @@innodb_flush_log_at_trx_commit AS redo");

test("durability changes in place, and the preview says what relaxing it can cost", async () => {
  const [full, relaxed] = [declare("settings", 3471, "full"), declare("settings", 3471, "relaxed")];
  const stack = lab.stack();
  await stack.up(full);
  expect(await readSettings(full)).toEqual({ log: 1, redo: 1 });
  const preview = stack.preview(relaxed);
  expect(preview).toContain("after a power failure the server may lack transactions that it counts as executed");
  expect(preview).not.toContain("restart");
  expect((await stack.up(relaxed)).join("\n")).not.toContain("restart");
  expect(await readSettings(relaxed)).toEqual({ log: 0, redo: 2 });
  expect(await stack.up(relaxed)).toEqual([]);
  await stack.up(full);
  expect(await readSettings(full)).toEqual({ log: 1, redo: 1 });
  await stack.destroy(full);
});

const write = (declared: Declaration, ...ids: readonly number[]) =>
  lab.within(declared, async (mysql) => {
    for (const id of ids) await mysql.execute(sql`INSERT INTO shop.orders VALUES (${id})`);
  });

const readRows = (declared: Declaration) =>
  lab.ask(
    declared,
    "SELECT COUNT(*) AS found, SUBSTRING_INDEX(@@gtid_executed, '-', -1) - 2 AS counted FROM shop.orders",
  );

test("with relaxed durability a killed mysqld loses nothing; a power failure can lose rows that count as executed", async () => {
  const declared = declare("power", 3472, "relaxed");
  const { unitName, data, directory } = layoutOf(declared.directory);
  const stack = lab.stack();
  await stack.up(declared);
  await lab.within(declared, async (mysql) => {
    await mysql.execute(sql`CREATE DATABASE shop`);
    await mysql.execute(sql`CREATE TABLE shop.orders (id INT PRIMARY KEY)`);
  });
  const kill = () =>
    lab.host.run(
      sh`systemctl mask --runtime --quiet ${unitName}; systemctl kill --signal=KILL ${unitName}; while systemctl -q is-active ${unitName}; do sleep 0.1; done; systemctl unmask --runtime --quiet ${unitName}`,
    );
  await write(declared, 1, 2);
  await lab.host.run(sh`systemctl kill --signal=KILL ${unitName}`);
  await stack.refresh(declared);
  await stack.up(declared);
  expect(await readRows(declared)).toEqual({ found: 2, counted: 2 });

  // The disk as a power failure may leave it: the kernel had written the binary log, and not yet InnoDB's.
  const copy = `${directory}/data.copy`;
  await lab.host.run(sh`cp -a --reflink=auto ${data} ${copy}`);
  await write(declared, 3, 4);
  await kill();
  await lab.host.run(sh`cp -a ${data}/binlog.* ${copy}/ && rm -rf ${data} && mv ${copy} ${data}`);
  await stack.refresh(declared);
  await stack.up(declared);
  expect(await readRows(declared)).toEqual({ found: 2, counted: 4 });
  await stack.destroy(declared);
});
