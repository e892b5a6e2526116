import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localTransport } from "../../../../../provider/host/local";
import type { Host } from "../../../../../provider/host/host";
import { ShellHost } from "../../../../../provider/host/shell-host";
import { writeMarkFile } from "../../../../../provider/mark/file";
import { markOf } from "../../../../../provider/mark/mark";
import { claimAlone, releaseAlone } from "../../../../../provider/mysql/instance/allocation";
import { layoutOf } from "../../../../../provider/mysql/instance/layout";
import { directoryOfUnit, readNeighbours, type Neighbour } from "../../../../../provider/mysql/instance/neighbours";
import { renderUnit } from "../../../../../provider/mysql/instance/service";
import { silent } from "../../../../../provider/report";
import { withoutRoot } from "../../../../samples/server";
import { problemOf } from "../../host/problems";

jest.setTimeout(20_000); // real shells, on a machine that may have other work

/** As a user without root: the register is in the home directory. */
const runtime = withoutRoot;
const homeBefore = process.env["HOME"];
let home = "";
let host: Host;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "neighbours-"));
  process.env["HOME"] = home;
  host = new ShellHost(localTransport());
});

afterEach(async () => {
  await host.close();
  rmSync(home, { recursive: true });
  process.env["HOME"] = homeBefore;
});

const placeAt = (name: string, port: number) => ({
  object: `staging database ${name}`,
  layout: layoutOf(join(home, name)),
  runtime,
  port,
});
const register = () => join(home, ".local/state/sluice/servers");

/** Gives what the claim saw, and leaves its entry and its mark. */
async function claim(
  name: string,
  port: number,
  serverId: number,
  optionText = "[mysqld]\n",
): Promise<readonly Neighbour[]> {
  const [place, file] = [placeAt(name, port), { path: join(home, name, "sluice.json"), asRoot: false }];
  const identity = { kind: "StagingDatabase", name: `shop/dev/${name}`, seal: null };
  const { signal } = new AbortController();
  const claimed = { identity, source: null, serverId, optionText, report: silent, signal };
  let found: readonly Neighbour[] = [];
  await claimAlone(host, place, claimed, async (id) => {
    found = await readNeighbours(host, place);
    await writeMarkFile(host, file, markOf(identity, { serverId: id }));
  });
  return found;
}

test("a claim sees all servers that were claimed before, configured or not, but not its own", async () => {
  expect(await claim("orders", 3307, 11)).toEqual([]);
  const orders = { directory: join(home, "orders"), port: 3307, serverId: 11 };
  expect(await claim("it's 100%", 3308, 12)).toEqual([orders]);
  expect(await claim("orders", 3307, 11)).toEqual([{ directory: join(home, "it's 100%"), port: 3308, serverId: 12 }]);
});

test("servers that listen on their sockets only may have one port, configured or not", async () => {
  const silentText = "[mysqld]\nport=3306\nskip-networking\n";
  await claim("orders", 3306, 11, silentText);
  expect(await claim("feed", 3306, 12, silentText)).toEqual([
    { directory: join(home, "orders"), port: null, serverId: 11 },
  ]);
  writeFileSync(join(home, "orders", "my.cnf"), silentText);
  expect(await claim("stock", 3306, 13)).toContainEqual({ directory: join(home, "orders"), port: null, serverId: 11 });
});

test("without a directory for the register a server is claimed all the same", async () => {
  process.env["HOME"] = "/proc/nowhere";
  expect(await claim("orders", 3307, 11)).toEqual([]);
  process.env["HOME"] = home;
});

test("port and server id are those of my.cnf where it is written", async () => {
  await claim("orders", 3307, 11);
  writeFileSync(join(home, "orders", "my.cnf"), "[client]\nport=1\n[mysqld]\nport=3310\nserver-id = 21\n");
  expect(await claim("feed", 3307, 12)).toEqual([{ directory: join(home, "orders"), port: 3310, serverId: 21 }]);
});

test("a port that another server has is refused with that server's directory, and nothing is claimed", async () => {
  await claim("orders", 3307, 11);
  const problem = await problemOf(claim("feed", 3307, 12));
  expect(problem.message.split("\n")[0]).toBe(
    `staging database feed: cannot have port 3307, the server in ${join(home, "orders")} on the same host has it (SERVER_PORT_TAKEN)`,
  );
  expect(existsSync(join(home, "feed"))).toBe(false);
  expect(await claim("feed", 3308, 12)).toHaveLength(1);
});

test("a directory without a mark, a mark that cannot be read and a broken entry count for nothing", async () => {
  await claim("gone", 3307, 11);
  await claim("broken", 3308, 12);
  rmSync(join(home, "gone"), { recursive: true });
  writeFileSync(join(home, "broken", "sluice.json"), "{");
  writeFileSync(join(register(), "half.json"), '{"directory":"/srv');
  expect(await claim("orders", 3307, 11)).toEqual([]);
});

test("a mark of an earlier version counts", async () => {
  await claim("orders", 3307, 11);
  const mark = { owner: "shop/dev/orders", serverId: 14, phase: "seeded" };
  writeFileSync(join(home, "orders", "sluice.json"), JSON.stringify(mark));
  expect(await claim("feed", 3308, 12)).toEqual([{ directory: join(home, "orders"), port: 3307, serverId: 14 }]);
});

test("claims of one host wait for each other", async () => {
  const found = await Promise.all([claim("a", 3307, 11), claim("b", 3308, 12), claim("c", 3309, 13)]);
  expect(found.map((neighbours) => neighbours.length).sort()).toEqual([0, 1, 2]);
});

test("a removed server leaves the register, and the last one takes the register along", async () => {
  await claim("orders", 3307, 11);
  await claim("feed", 3308, 12);
  await releaseAlone(host, placeAt("orders", 3307));
  await releaseAlone(host, placeAt("orders", 3307));
  expect(await readNeighbours(host, placeAt("new", 3309))).toEqual([
    { directory: join(home, "feed"), port: 3308, serverId: 12 },
  ]);
  await releaseAlone(host, placeAt("feed", 3308));
  expect(existsSync(join(home, ".local/state/sluice"))).toBe(false);
});

test.each(["/srv/mysql/orders", '/srv/it\'s 100% "ours"', "/srv/back\\slash; x"])(
  "the directory %s is found again in the unit that is made for it",
  (directory) => {
    const layout = layoutOf(directory);
    const unit = renderUnit({
      owner: "shop/dev/orders",
      layout,
      runtime: { ...runtime, supervisor: "systemd" },
      binaries: { mysqld: "/usr/sbin/mysqld", notifies: true } as never,
    });
    expect(directoryOfUnit(unit)).toEqual({ directory });
    expect(directoryOfUnit("[Service]\nExecStart=/bin/true\n")).toBeNull();
  },
);
