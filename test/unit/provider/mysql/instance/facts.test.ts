import { parseLook, requireReadable } from "../../../../../provider/mysql/instance/facts";
import { requireFreePort } from "../../../../../provider/mysql/instance/refusals";
import { instanceOf } from "../../../../samples/server";

const encoded = (text: string) => Buffer.from(text).toString("base64");
const look = (...lines: readonly string[]) => parseLook([...lines, "free 1024"].join("\n"), instanceOf());

test("nothing is there", () => {
  expect(look()).toEqual({
    directory: "absent",
    strangers: [],
    markText: null,
    data: "absent",
    dataLink: null,
    optionText: null,
    initText: null,
    unitText: null,
    enabled: false,
    running: false,
    pid: null,
    exit: null,
    portListener: null,
    surroundings: { enclosing: null, closed: null, foreignData: null, dataHolder: null },
    loose: [],
    freeBytes: 1_048_576,
  });
});

test("what is around the directory", () => {
  const { surroundings } = look(
    "enclosing data /srv/other/data",
    "closed ana /srv/a b",
    `foreign ${encoded("PG_VERSION\nbase\n")}`,
    "holder 12 postgres: writer",
  );
  expect(surroundings).toEqual({
    enclosing: { is: "data", directory: "/srv/other/data" },
    closed: { user: "ana", directory: "/srv/a b" },
    foreignData: ["PG_VERSION", "base"],
    dataHolder: { pid: 12, command: "postgres: writer" },
  });
});

test("what another user can change in the directory is told once a path", () => {
  expect(
    look("loose 107 /srv/a", "loose 107 /srv/a", "loose group:50 /srv/a/conf.d", "loose all-users /srv/a/tls").loose,
  ).toEqual([
    { who: "user 107", step: "/srv/a" },
    { who: "group 50", step: "/srv/a/conf.d" },
    { who: "every user", step: "/srv/a/tls" },
  ]);
});

test("a server that runs", () => {
  const facts = look(
    "directory yes",
    `entries ${encoded("sluice.json\nmy.cnf\ndata\nlost+found\n")}`,
    `mark ${encoded("{}")}`,
    `option ${encoded("[mysqld]\n# ü\n")}`,
    "data ready",
    "MainPID=4711",
    "ActiveState=active",
    "Result=success",
    "ExecMainStatus=0",
    "UnitFileState=enabled",
    "listener 4711 ours",
  );
  expect(facts).toMatchObject({
    directory: "ours",
    strangers: [],
    markText: "{}",
    optionText: "[mysqld]\n# ü\n",
    data: "ready",
    running: true,
    pid: 4711,
    exit: null,
    enabled: true,
    portListener: { pid: 4711, ours: true },
  });
});

test.each([
  ["an empty directory, also one with a file system's lost+found", "lost+found\n", "empty", []],
  ["files of somebody", "report.xls\nmy.cnf\n", "foreign files", ["report.xls"]],
  ["our marker beside a file of somebody", "sluice.json\nnotes.txt\n", "ours", ["notes.txt"]],
])("%s", (_, entries, directory, strangers) => {
  expect(look("directory yes", `entries ${encoded(entries)}`)).toMatchObject({ directory, strangers });
});

test("a data directory in which nothing is counts as none, for instance a file system that was emptied", () => {
  const entries = (names: string) => `entries ${encoded(names)}`;
  expect(look("directory yes", entries("data\n"), "data empty")).toMatchObject({ directory: "empty", data: "absent" });
  const linked = look("directory yes", entries("data\n"), "link /big/my data", "data ready");
  expect(linked).toMatchObject({ directory: "ours", data: "ready", dataLink: "/big/my data" });
});

test.each([
  ["never started", ["MainPID=0", "ActiveState=inactive", "Result=success", "ExecMainStatus=0"], null],
  ["stopped in order", ["MainPID=0", "ActiveState=inactive", "Result=success", "ExecMainStatus=0"], null],
  [
    "ended by itself",
    ["MainPID=0", "ActiveState=failed", "Result=exit-code", "ExecMainStatus=1"],
    "exit code 1, exit-code",
  ],
  ["about to be started again", ["MainPID=0", "ActiveState=activating", "Result=signal", "ExecMainStatus=9"], null],
  ["left by its supervisor", ["ActiveState=failed", "Result=lost"], "its supervisor has ended"],
  ["ended under a plain supervisor", ["ActiveState=inactive", "ExecMainStatus=2"], "exit code 2"],
])("a server %s", (_, lines, exit) => {
  expect(look(...lines)).toMatchObject({ running: false, exit });
});

test("a port of another process is refused, the server's own and a free one are not", () => {
  const require = (listener: string) => () => {
    requireFreePort(look(listener), "server x", 3307);
  };
  expect(require("listener 99 /usr/sbin/nginx -g daemon")).toThrow(
    /cannot listen on port 3307.*SERVER_PORT_TAKEN\)\n +found +process 99: \/usr\/sbin\/nginx -g daemon/,
  );
  expect(require("listener - ")).toThrow(/a process of another user/);
  expect(require("listener 4711 ours")).not.toThrow();
  expect(require("")).not.toThrow();
});

test("what may not be read is an error, not an absent server", () => {
  const host = { name: "sluice@stage-1:22" };
  expect(() =>
    requireReadable("directory yes\nunreadable /srv/mysql/orders/sluice.json\n", host, instanceOf()),
  ).toThrow(/has no permission to read \/srv\/mysql\/orders\/sluice\.json \(HOST_SUDO_REFUSED\)/);
  expect(() => requireReadable("directory yes\nmarker e30=\n", host, instanceOf())).not.toThrow();
});
