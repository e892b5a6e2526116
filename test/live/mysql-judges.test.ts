/** MySQL's own programs say whether our pure modules read as they do. */
import { closeHosts } from "../../provider/host/pool";
import { sh } from "../../provider/host/command";
import { connectMysql } from "../../provider/mysql/client";
import type { MysqlClient } from "../../provider/mysql/reader";
import { readDumpFacts } from "../../provider/mysql/seed/file/header";
import {
  containsGtidSet,
  parseGtidSet,
  renderGtidSet,
  subtractGtidSet,
  uniteGtidSets,
} from "../../provider/mysql/gtid";
import { parseOptionFile, readSettings, renderOption } from "../../provider/mysql/options/file";
import { sql } from "../../provider/mysql/sql";
import { sourceInLab, type SourceInLab } from "./mysql-lab";

let lab: SourceInLab;
let client: MysqlClient;

beforeAll(async () => {
  lab = await sourceInLab();
  client = await connectMysql(lab.root, lab.host);
});

afterAll(async () => {
  await client.close();
  await closeHosts();
});

describe("the server's GTID functions", () => {
  const keys = ["3e11fa47-71ca-11e1-9e33-c80aa9429562", "5f22fa47-71ca-11e1-9e33-c80aa9429562"];

  it("give the same sets", async () => {
    const random = seededRandom(97);
    for (let round = 0; round < 150; round += 1) {
      const [one, other] = [randomSet(random), randomSet(random)];
      const row = await client.queryRow<Record<"less" | "same", string> & { contained: number }>(
        sql`SELECT GTID_SUBTRACT(${one}, ${other}) AS less, GTID_SUBTRACT(${one}, '') AS same, GTID_SUBSET(${one}, ${other}) AS contained`,
      );
      const [left, right] = [parseGtidSet(one), parseGtidSet(other)];
      const canonical = (text: string | undefined) => renderGtidSet(parseGtidSet(text ?? ""));
      expect(renderGtidSet(subtractGtidSet(left, right))).toBe(row?.less.replaceAll("\n", ""));
      expect(renderGtidSet(left)).toBe(row?.same.replaceAll("\n", ""));
      expect(containsGtidSet(right, left)).toBe(row?.contained === 1);
      expect(canonical(renderGtidSet(uniteGtidSets(left, right)))).toBe(renderGtidSet(uniteGtidSets(right, left)));
    }
  });

  function randomSet(random: () => number): string {
    const groups = Array.from({ length: Math.floor(random() * 4) }, () => {
      const tag = ["", "", ":blue", ":Red_2"][Math.floor(random() * 4)] ?? "";
      const ranges = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
        const first = 1 + Math.floor(random() * 30);
        return random() < 0.4 ? `${first}` : `${first}-${first + Math.floor(random() * 9) - 1}`;
      });
      return `${keys[Math.floor(random() * 2)] ?? ""}${tag}:${ranges.join(":")}`;
    });
    return groups.join(random() < 0.5 ? "," : " ,\n ");
  }
});

describe("my_print_defaults", () => {
  const nasty = `# head
[client]
a=client
[mysqld]
plain=value
 spaced  =  in the middle
quoted = "with # and 'quotes' "
single='x # y'
comment = value # gone
semicolon = a ; b
empty=
valueless
MixedCase-name=1
escapes = \\sx\\ty\\\\z
unknown = c:\\data\\Users
unclosed = "half
inner = a"b#c"d
equals = a=b=c
dashes--twice = 1
; comment
[mysqld-9.7]
plain=again
[ server ]
padded = yes
[mysqldump]
a=dump
`;
  const rendered = [
    "plain",
    " led ",
    "a # b",
    "it's",
    'dou"ble',
    "back\\slash\\n",
    "tab\tx",
    "ünï 漢字 😀",
    "'q'",
    '"q"',
    "end\\",
  ];

  it("reads what we read, and what we write", async () => {
    const text = `${nasty}[mysqld]\n${rendered.map((value, at) => renderOption(`written_${at}`, value)).join("\n")}\n`;
    const path = "/tmp/sluice-live.cnf";
    await lab.host.writeFile(path, text, { mode: 0o644 });
    const groups = ["mysqld", "server", "mysqld-9.7"];
    const { stdout } = await lab.host.query(sh`my_print_defaults --defaults-file=${path} ${groups}`);
    await lab.host.run(sh`rm ${path}`);
    const theirs = new Map(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => {
          const at = line.indexOf("=");
          const name = (at < 0 ? line : line.slice(0, at)).replace(/^--/, "").replaceAll("-", "_").toLowerCase();
          return [name, at < 0 ? undefined : line.slice(at + 1)];
        }),
    );
    const ours = readSettings(parseOptionFile(text), groups);
    expect(Object.fromEntries([...ours].map(([name, values]) => [name, values.at(-1)]))).toEqual(
      Object.fromEntries(theirs),
    );
  });
});

describe("mysqldump", () => {
  const dump = async (options: readonly string[]) => {
    const { stdout } = await lab.host.query(
      sh`mysqldump --user=root --socket=${lab.socket} --single-transaction ${options}`,
    );
    return readDumpFacts(stdout);
  };

  it.each([[["--source-data=1"]], [["--source-data=2", "--set-gtid-purged=COMMENTED"]]])(
    "says with %j which transactions and which position it holds",
    async (options) => {
      const before = await client.queryRow<{ executed: string }>(sql`SELECT @@GLOBAL.gtid_executed AS executed`);
      const facts = await dump([...options, "--routines", "--databases", "shop", "analytics"]);
      const after = await client.queryRow<{ executed: string }>(sql`SELECT @@GLOBAL.gtid_executed AS executed`);
      expect(facts).toMatchObject({
        isDump: true,
        complete: true,
        tool: "mysqldump",
        serverVersion: client.server.version,
        databases: ["analytics", "shop"],
        positionOf: "dumped-server",
      });
      const held = parseGtidSet(facts.gtidPurged ?? "");
      expect(containsGtidSet(held, parseGtidSet(before?.executed ?? ""))).toBe(true);
      expect(containsGtidSet(parseGtidSet(after?.executed ?? ""), held)).toBe(true);
      const logs = await client.query<{ Log_name: string; File_size: number }>(sql`SHOW BINARY LOGS`);
      const log = logs.find(({ Log_name }) => Log_name === facts.file);
      expect(facts.position).toBeGreaterThan(0);
      expect(facts.position).toBeLessThanOrEqual(log?.File_size ?? 0);
    },
  );

  it("of one database says its name in its head only", async () => {
    expect(await dump(["shop", "--no-data"])).toMatchObject({ databases: [], headDatabase: "shop", complete: true });
  });
});

/** The same sets in every run: a linear congruential generator (Numerical Recipes). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
}
