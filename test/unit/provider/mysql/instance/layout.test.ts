import {
  directoryOfSocket,
  layoutAround,
  layoutOf,
  ownEntries,
  refusedDirectory,
} from "../../../../../provider/mysql/instance/layout";

test("everything of a server but its unit is below its directory, and every entry there is known to Sluice", () => {
  const layout = layoutOf("/srv/mysql/orders/");
  const { directory, unitName, unitFile, ...paths } = layout;
  expect(directory).toBe("/srv/mysql/orders");
  expect(unitFile).toBe(`/etc/systemd/system/${unitName}.service`);
  const entries = Object.values(paths).map((path) => path.slice(directory.length + 1).split("/")[0] ?? "");
  expect(Object.values(paths).every((path) => path.startsWith(`${directory}/`))).toBe(true);
  expect([...new Set(entries)].filter((entry) => !ownEntries.includes(entry))).toEqual([]);
});

test("a unit's name can be read, and differs for directories that end alike", () => {
  const names = ["/srv/a/orders", "/srv/b/orders", "/srv/Größe & Co", "/"].map((path) => layoutOf(path).unitName);
  expect(names[0]).toMatch(/^sluice-mysql-orders-[0-9a-f]{8}$/);
  expect(names[2]).toMatch(/^sluice-mysql-gr-e-co-[0-9a-f]{8}$/);
  expect(names[3]).toMatch(/^sluice-mysql-[0-9a-f]{8}$/);
  expect(new Set(names).size).toBe(4);
});

test.each(["/srv/mysql/orders", "/srv/mysql/orders/", "/srv/mysql//orders"])("%s is one server", (path) => {
  expect(layoutOf(path)).toEqual(layoutOf("/srv/mysql/orders"));
});

test("a directory whose socket would not fit into the 107 bytes of a unix address is refused", () => {
  const longest = `/${"a".repeat(107 - "//run/mysqld.sock".length)}`;
  expect(Buffer.byteLength(layoutOf(longest).socket)).toBe(107);
  expect(refusedDirectory(longest)).toBeUndefined();
  expect(refusedDirectory(`${longest}a`)).toMatch(/^is 1 bytes too long/);
  expect(refusedDirectory(`/${"ü".repeat(50)}`)).toMatch(/bytes too long/);
});

test("a managed server is known by its socket and by its data directory, another server is not", () => {
  const layout = layoutOf("/srv/mysql/orders");
  expect(directoryOfSocket(layout.socket)).toBe("/srv/mysql/orders");
  for (const socket of ["/var/run/mysqld/mysqld.sock.1", "/srv/a/mysqld.sock", "/tmp/mysql.sock"])
    expect(directoryOfSocket(socket)).toBeNull();
  for (const data of [layout.data, `${layout.data}/`]) expect(layoutAround(data)).toEqual(layout);
});
