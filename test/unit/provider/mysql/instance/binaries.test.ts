import { parseSearch } from "../../../../../provider/mysql/instance/binaries";

const debian = [
  "mysqld|/usr/sbin/mysqld|/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))",
  "plugins|/usr/lib/mysql/plugin|",
  "plugin|auth_socket|",
  "plugin|mysql_clone|",
  "notifies||",
  "mysql|/usr/bin/mysql|mysql  Ver 9.7.4-2 for Linux on x86_64 ((Debian))",
  "mysqldump|/usr/bin/mysqldump|mysqldump  Ver 9.7.4-2 for Linux on x86_64 ((Debian))",
];

test("an installation is what its programs say", () => {
  expect(parseSearch(debian.join("\n"), undefined)).toEqual({
    mysqld: "/usr/sbin/mysqld",
    server: { flavour: "mysql", version: "9.7.4-2" },
    baseDirectory: null,
    pluginDirectory: "/usr/lib/mysql/plugin",
    hasAuthSocket: true,
    hasClone: true,
    notifies: true,
    mysql: { path: "/usr/bin/mysql", server: { flavour: "mysql", version: "9.7.4-2" } },
    mysqldump: { path: "/usr/bin/mysqldump", server: { flavour: "mysql", version: "9.7.4-2" } },
  });
});

test("plugins and clients that are not there are not made up, and MariaDB's clients do not count", () => {
  const lines = [
    "mysqld|/opt/mysql/bin/mysqld|/opt/mysql/bin/mysqld  Ver 8.0.36-28 for Linux on x86_64 (Percona Server (GPL), Release 28, Revision 47601f19)",
    "plugins|/opt/mysql/lib/plugin|",
    "mysql|/usr/bin/mysql|mysql  Ver 15.1 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64) using  EditLine wrapper",
  ];
  expect(parseSearch(lines.join("\n"), "/opt/mysql")).toMatchObject({
    server: { flavour: "percona", version: "8.0.36-28" },
    baseDirectory: "/opt/mysql",
    hasAuthSocket: false,
    hasClone: false,
    notifies: false,
    mysql: null,
    mysqldump: null,
  });
});

test.each([
  ["nothing at all", "", []],
  ["an old one", "mysqld|/usr/sbin/mysqld|mysqld  Ver 8.0.22 for Linux on x86_64", ["/usr/sbin/mysqld: mysql 8.0.22"]],
  [
    "MariaDB",
    "mysqld|/usr/sbin/mysqld|mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)",
    ["/usr/sbin/mysqld: mariadb 10.11.6-MariaDB-0+deb12u1"],
  ],
])("%s cannot be used, and is named", (_, output, refused) => {
  expect(parseSearch(output, undefined)).toEqual({ refused });
});

test("a MySQL behind a MariaDB on PATH is found", () => {
  const maria = "mysqld|/usr/bin/mysqld|mysqld  Ver 10.11.6-MariaDB for debian-linux-gnu";
  expect(parseSearch([maria, ...debian].join("\n"), undefined)).toMatchObject({ mysqld: "/usr/sbin/mysqld" });
});
