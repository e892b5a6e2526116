import { requireClosed } from "../../../../../provider/mysql/instance/private-boot";
import { privateServiceOf, serviceOf } from "../../../../../provider/mysql/instance/service";
import { renderService } from "../../../../../provider/host/service/service";
import type { MysqlReader } from "../../../../../provider/mysql/reader";
import { instanceOf } from "../../../../samples/server";

const serverThat = (row: object): MysqlReader => ({
  name: "a private server",
  server: { flavour: "mysql", version: "9.7.4" },
  query: async () => [row] as never[],
  queryRow: async () => row as never,
});
const closed = { closed: 1, events: "OFF", threads: 0 };

test.each([closed, { ...closed, events: "DISABLED" }])("a server with %j is private", async (row) => {
  await expect(requireClosed(serverThat(row), instanceOf())).resolves.toBeUndefined();
});

test.each([
  { ...closed, closed: 0 },
  { ...closed, events: "ON" },
  { ...closed, threads: 1 },
])("a server with %j is not private", async (row) => {
  await expect(requireClosed(serverThat(row), instanceOf())).rejects.toMatchObject({ code: "SERVER_START_FAILED" });
});

test("a private boot is another service of the same directory: its socket last, not started again, not at boot", () => {
  const service = privateServiceOf(instanceOf(), ["--skip-networking"]);
  const [unit] = renderService(service);
  expect(unit?.path).toBe(`/etc/systemd/system/${serviceOf(instanceOf()).name}-private.service`);
  expect(unit?.text).toContain(
    "\nExecStart=/usr/sbin/mysqld --defaults-file=/srv/mysql/orders/my.cnf --skip-networking --socket=/srv/mysql/orders/run/boot.sock\n",
  );
  expect(unit?.text).toContain("ExecStartPre=/bin/rm -f /srv/mysql/orders/run/boot.sock.lock\n");
  expect(unit?.text).not.toMatch(/Restart=|Install/);
});
