import {
  normaliseOption,
  overrideOptions,
  parseOptionFile,
  readSettings,
  renderOption,
  renderOptionFile,
  serverGroups,
} from "../../../../../provider/mysql/options/file";

const groups = serverGroups("mysql", "9.7");
const settings = (text: string) => Object.fromEntries(readSettings(parseOptionFile(text), groups));
const one = (line: string) => Object.values(settings(`[mysqld]\n${line}`))[0]?.[0];

describe("reading", () => {
  it.each([
    ["a value", "a=b", "b"],
    ["spaces around", "  a  =  b  ", "b"],
    ["a value with =", "init_connect=SET a=1", "SET a=1"],
    ["an empty value", "a=", ""],
    ["no value", "a", undefined],
    ["a comment behind", "a=b # c", "b"],
    ["a semicolon, which is no comment there", "a=b ; c", "b ; c"],
    ["double quotes", 'a="b c "', "b c "],
    ["single quotes", "a='b # c'", "b # c"],
    ["an unclosed quote", 'a="b', '"b'],
    ["other quotes inside", `a="it's"`, "it's"],
    ["an escaped quote", 'a="x\\"y"', 'x"y'],
    ["an escaped quote before #", 'a="x\\"#y"', 'x"#y'],
    ["escapes", "a=\\sx\\ty\\nz\\\\w", " x\ty\nz\\w"],
    ["an unknown escape", "a=c:\\data", "c:\\data"],
    ["a tab as space", "a\t=\tb", "b"],
    ["two dashes", "--a=b", "b"],
    ["a carriage return", "a=b\r", "b"],
    ["text beyond ASCII", "a=ü漢😀 # 😀", "ü漢😀"],
  ])("%s", (_, line, value) => {
    expect(one(line)).toBe(value);
  });

  it.each([
    ["max-connections", "max_connections", undefined],
    ["Max_Connections", "max_connections", undefined],
    ["loose-group_replication-x", "group_replication_x", undefined],
    ["skip-log-bin", "log_bin", "OFF"],
    ["disable_log_bin", "log_bin", "OFF"],
    ["enable-event-scheduler", "event_scheduler", "ON"],
    ["skip-name-resolve", "skip_name_resolve", undefined],
    ["skip_networking", "skip_networking", undefined],
    ["loose-skip-mysqlx", "mysqlx", "OFF"],
  ])("the name %s", (written, name, value) => {
    expect(normaliseOption(written)).toMatchObject({ name, value });
  });

  it("takes the groups a server reads, and of these the last that is said", () => {
    const text = `
[client]
port=1
[mysqld]
port=2
sort-buffer-size=1M
[mysqld-9.7]
port=3
[mysqld-8.0]
port=4
[server ]
sort_buffer_size=2M
[ mysqld]
port=6
[mysqld_safe]
port=5
`;
    expect(settings(text)).toEqual({ port: ["3"], sort_buffer_size: ["2M"] });
  });

  it("keeps every value of options that add up", () => {
    expect(settings("[mysqld]\nreplicate-do-db=a\nreplicate_do_db=b\nplugin-load-add=x.so\n")).toEqual({
      replicate_do_db: ["a", "b"],
      plugin_load_add: ["x.so"],
    });
  });

  it("does not take an abbreviation for the option it may mean", () => {
    expect(settings("[mysqld]\nmax_conn=5\n")).toEqual({ max_conn: ["5"] });
  });

  it("knows MariaDB's groups", () => {
    expect(serverGroups("mariadb", "10.11")).toEqual([
      "mysqld",
      "server",
      "mysqld-10.11",
      "mariadb",
      "mariadb-10.11",
      "mariadbd",
      "mariadbd-10.11",
    ]);
  });
});

describe("writing", () => {
  it("gives back a file as it was", () => {
    const text = `# head\n\n[mysqld]\n  key_buffer-size = 16M # why\nbind-address\n!includedir /etc/x\nnonsense ! line\n`;
    expect(renderOptionFile(parseOptionFile(text))).toBe(text);
  });

  it.each([
    "plain",
    "",
    " led and trailed ",
    "hash # inside",
    "quote ' inside",
    'double " inside',
    '"quoted"',
    "'quoted'",
    "back\\slash \\s \\n",
    "c:\\new\\temp",
    "ends in \\",
    "line\nend\ttab\rreturn\bback",
    "a=b;c",
    "ü漢😀",
    "\\",
    '\\"',
  ])("writes %j so that it is read as the same", (value) => {
    expect(one(renderOption("a", value))).toBe(value);
  });

  it("refuses what is not an option's name", () => {
    for (const name of ["", "a b", "a=b", "[x]", "#x", "a\nb", "!include"]) {
      expect(() => renderOption(name, "x")).toThrow(RangeError);
    }
  });
});

describe("putting our settings in", () => {
  const file = parseOptionFile(`[client]
port = 3306
[mysqld]
port = 3306
PORT=3307
loose-port=3308
portage = keep
max-connections = 50
skip-log-bin
# a comment
[mysqld-9.7]
port = 3309
[mysqld-8.0]
port = 3310
`);
  const ours = { port: 3400, log_bin: "binlog", read_only: true, "replicate-do-db": ["a", "b c"] };
  const merged = overrideOptions(file, ours, { groups, comment: "ours" });

  it("wins over every way to write the same name, and keeps the rest", () => {
    expect(Object.fromEntries(readSettings(merged, groups))).toEqual({
      portage: ["keep"],
      max_connections: ["50"],
      port: ["3400"],
      log_bin: ["binlog"],
      read_only: ["ON"],
      replicate_do_db: ["a", "b c"],
    });
  });

  it("leaves other programs and other versions alone", () => {
    expect(renderOptionFile(merged)).toBe(`[client]
port = 3306
[mysqld]
portage = keep
max-connections = 50
# a comment
[mysqld-9.7]
[mysqld-8.0]
port = 3310
[mysqld]
# ours
port = 3400
log_bin = binlog
read_only = ON
replicate-do-db = a
replicate-do-db = b c
`);
  });

  it("changes nothing when done again", () => {
    const again = overrideOptions(parseOptionFile(renderOptionFile(merged)), ours, { groups, comment: "ours" });
    expect(readSettings(again, groups)).toEqual(readSettings(merged, groups));
  });

  it("leaves an abbreviation of Sluice's options alone", () => {
    const shortened = parseOptionFile("[mysqld]\nmax_conn=5\nmax_connections=6\n");
    const kept = readSettings(overrideOptions(shortened, { max_connections: 7 }, { groups }), groups);
    expect(Object.fromEntries(kept)).toEqual({ max_conn: ["5"], max_connections: ["7"] });
  });
});

test("a binary log that is turned off is not written as a log by the name of OFF", () => {
  expect(renderOption("log_bin", "OFF")).toBe("skip_log_bin");
  expect(renderOption("log_bin", false)).toBe("skip_log_bin");
  expect(renderOption("log_bin", "binlog")).toBe("log_bin = binlog");
});
