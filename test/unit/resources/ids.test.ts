import { rooms } from "../../../resources/rooms";
import { hostAt } from "../../samples/host";
import { declare } from "../../samples/replication-channel";

const idOf = (kind: string, declaration: object): string =>
  rooms.find((room) => room.kind === kind)?.id(declaration) ?? "";

/** Pulumi cannot change an id: it holds nothing that may change in place. */
describe("the id of a channel", () => {
  const host = hostAt("stage-1");
  const reached = (change: object) =>
    declare({ replica: { host, socket: "/srv/a/s.sock", user: "sluice", ...change } });

  test("names the channel and the replica's host, and stays when port or socket change", () => {
    const ids = [reached({ port: 3307 }), reached({ port: 3309 }), reached({ socket: "/srv/b/s.sock" })].map((one) =>
      idOf("ReplicationChannel", one),
    );
    expect(new Set(ids)).toEqual(new Set(["orders@stage-1"]));
  });

  test("names the server's address where no host leads to it", () => {
    const one = declare({ replica: { address: "replica-1", user: "root", password: "pw" } });
    expect(idOf("ReplicationChannel", one)).toBe("orders@replica-1");
  });
});

describe("what errors call an object", () => {
  test.each(rooms.map((room) => [room.kind, room] as const))("of %s is the resource's name", (_kind, room) => {
    const { replica } = declare();
    const known = { ...declare(), host: replica.host, port: 3307, directory: "/srv/mysql/01" };
    expect(room.object(known, "shop")).toMatch(/^(staging database|channel) shop@stage-1:3307$/);
  });

  test("is said as well where a preview knows nothing of the replica", () => {
    const room = rooms.find(({ kind }) => kind === "ReplicationChannel");
    expect(room?.object({ ...declare(), replica: "unknown" }, "shop")).toBe("channel shop@unknown");
  });
});

/** Runs of an earlier version look for these locks, beside runs of this one. */
describe("the locks", () => {
  const locksOf = (kind: string, declaration: object) =>
    rooms
      .find((room) => room.kind === kind)
      ?.locks(declaration)
      .map((lock) => ["host" in lock ? "host" : "server", lock.name, lock.mode]);
  const host = hostAt("stage-1");
  const into = (replica: object) => locksOf("ReplicationChannel", declare({ replica: { user: "sluice", ...replica } }));

  test("of a staging database are its directory's, on the host", () => {
    const locks = locksOf("StagingDatabase", { host, directory: "/srv/mysql/orders" });
    expect(locks).toEqual([["host", "staging-database:/srv/mysql/orders", "exclusive"]]);
  });

  test("of a channel are its place's on the replica's host, and its own in the replica", () => {
    const inReplica = ["server", "channel:orders", "exclusive"];
    const placed = (place: string) => [["host", `channel:orders@${place}`, "exclusive"], inReplica];
    expect(into({ host, socket: "/srv/a/s.sock" })).toEqual(placed("/srv/a/s.sock"));
    expect(into({ host, address: "127.0.0.1", port: 3307 })).toEqual(placed("stage-1:3307"));
    expect(into({ host, address: "2001:db8::1" })).toEqual(placed("2001:db8::1:3306"));
    expect(into({ address: "replica-1" })).toEqual([inReplica]);
  });
});
