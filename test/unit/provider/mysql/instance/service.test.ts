import { renderUnit } from "../../../../../provider/mysql/instance/service";
import { expectGolden } from "../../../../harness/golden";
import { binariesOf, instanceOf, withoutRoot } from "../../../../samples/server";

/**
 * The text of a unit is compared with the file on the host, and a difference restarts the server. So a change of these golden files
 * restarts every server at the first `pulumi up` after an upgrade: do not accept one without saying so in CHANGELOG.md.
 */
const quoted = { directory: `/srv/100% "pure" o'rders\\x; a`, owner: "shop/dev/50%" };

test.each([
  ["mysqld.service", {}],
  ["mysqld-memory.service", { memoryMaxBytes: 2 ** 30 }],
  ["mysqld-quoted.service", { ...quoted, memoryMaxBytes: 1, binaries: binariesOf({ mysqld: "/opt/my sql/mysqld" }) }],
  ["mysqld-home.service", { directory: "/home/ana/orders", binaries: binariesOf({ notifies: false }) }],
  ["mysqld-temporary.service", { binaries: binariesOf({ mysqld: "/var/tmp/mysql/bin/mysqld" }) }],
  ["mysqld-supervisor.sh", { runtime: { ...withoutRoot, osUser: "mysql", asRoot: true } }],
  ["mysqld-supervisor-memory.sh", { runtime: withoutRoot, memoryMaxBytes: 2 ** 30, directory: "/home/ana/orders" }],
  [
    "mysqld-supervisor-quoted.sh",
    { ...quoted, runtime: withoutRoot, binaries: binariesOf({ mysqld: "/opt/my sql/mysqld", notifies: false }) },
  ],
])("%s is the text that running servers were started with", (name, changes) => {
  expectGolden(name, renderUnit(instanceOf(changes)));
});
