import { sh } from "../../provider/host/command";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { sql } from "../../provider/mysql/sql";
import type { InstanceLive } from "../../provider/parts/instance/facts";
import type { AnyRoom } from "../../provider/room";
import { checkInputs } from "../../provider/schema/check";
import { copiedServerRoom, type Declaration, type Settled } from "../harness/copied-server-room";
import { Stack } from "./stack";
import { unseeded, useStagingLab } from "./staging-lab";

const lab = useStagingLab("/srv/copied-server-test");
const room = copiedServerRoom as AnyRoom;

const declare = (directory: string, port: number, from: string): Declaration => {
  const given = { host: lab.address, directory, port, from, config: { innodb_buffer_pool_size: "32M" } };
  const { inputs, problems } = checkInputs(room.schema, { ...room.derive?.(given, {} as never), ...given });
  expect(problems).toEqual([]);
  return inputs as Declaration;
};

const uuidAt = async (declared: { readonly socket: string }): Promise<unknown> =>
  (await lab.ask(declared as never, "SELECT @@server_uuid AS uuid"))?.["uuid"];

test("a third room with a mysqld needs the part and its own steps only: it copies, goes on after a crash, changes and removes", async () => {
  const original = lab.declare("original", 3610, { ...unseeded, config: { innodb_redo_log_capacity: "16M" } });
  const staging = lab.stack("original");
  await staging.up(original);
  await lab.within(original, async (mysql) => {
    await mysql.execute(sql`CREATE DATABASE shop`);
    await mysql.execute(sql`CREATE TABLE shop.river AS SELECT 7 AS id`);
  });
  const uuid = await uuidAt(original);
  await staging.up({ ...original, state: "stopped" });

  const placed = lab.declare("copy", 3611, unseeded);
  const copy = declare(placed.directory, 3611, layoutOf(original.directory).data);
  const stack = new Stack<Declaration, Settled, InstanceLive>(room, "tests/live/copy");
  expect(stack.preview(copy)).toContain("copy the data from");

  // Killed behind the copy: its data is not recorded as complete, so it is thrown away and copied again.
  await stack.crash(copy, 3);
  const again = await stack.up(copy);
  expect(again.join("\n")).toMatch(/delete its data[^]*copy the data from[^]*record that the data is complete/);
  expect(await lab.ask(copy as never, "SELECT id FROM shop.river")).toMatchObject({ id: 7 });
  expect(await uuidAt(copy)).not.toBe(uuid);
  expect(await stack.up(copy)).toEqual([]);

  const changed = { ...copy, config: { ...copy.config, max_connections: 57 } };
  await stack.up(changed);
  expect(await lab.ask(copy as never, "SELECT @@max_connections AS n")).toMatchObject({ n: 57 });

  // The directory of one kind of resource is refused to another kind of the same name.
  await expect(lab.stack("copy").up(placed)).rejects.toMatchObject({ code: "OWNERSHIP_FOREIGN" });

  await stack.destroy(changed);
  expect((await lab.host.inspect(copy.directory)).kind).toBe("absent");
  await staging.destroy(original);
  expect((await lab.host.run(sh`ls /etc/systemd/system | grep -c copied || :`)).stdout.trim()).toBe("0");
});
