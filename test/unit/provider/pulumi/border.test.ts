import { complete } from "../../../../provider/pulumi/border";
import { rooms } from "../../../../resources/rooms";

const roomOf = (kind: string) => {
  const room = rooms.find((one) => one.kind === kind);
  if (room === undefined) throw new Error(`no room ${kind}`);
  return room;
};
const complain = (kind: string, declared: Record<string, unknown>, name = "orders") =>
  complete(roomOf(kind), { declared, urn: `urn:pulumi:dev::shop::sluice:${kind}::${name}`, name }).problems;

const database = { host: "local", directory: "/srv/orders", seed: "none" };
const source = { address: "db-1", user: "repl", password: "pw" };
const replica = { host: "local", socket: "/run/mysqld.sock", user: "sluice" };

describe("a problem is said of the field that the program wrote", () => {
  test.each([
    ["a directory without a root", { directory: "srv/orders" }, ["directory: must be an absolute path"]],
    ["a directory that is a number", { directory: 5 }, ["directory: must be a text"]],
    ["no directory", { directory: undefined }, ["directory: is missing"]],
    [
      "a database without a name",
      { databases: [""] },
      ["databases.0: must not be empty", "databases.0: is not a valid database name"],
    ],
    ["two fields at once", { directory: "srv", port: 0 }, 2],
  ])("%s", (_case, change, expected) => {
    const problems = complain("StagingDatabase", { ...database, ...change });
    expect(typeof expected === "number" ? problems.length : problems).toEqual(expected);
    expect(problems.join("\n")).not.toMatch(/socket|passwordFile|holds/);
  });

  test("what follows from the resource's name alone is still said", () => {
    expect(complain("ReplicationChannel", { replica, source }, "group_replication_applier")).toEqual([
      "channel: must not begin with group_replication_, which MySQL keeps for itself",
    ]);
  });
});
