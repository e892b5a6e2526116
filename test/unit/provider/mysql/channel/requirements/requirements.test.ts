import { parseGtidSet } from "../../../../../../provider/mysql/gtid";
import {
  assignedUuid,
  assignedUuids,
  planPosition,
  type Position,
} from "../../../../../../provider/mysql/channel/settings";
import type { OtherChannel } from "../../../../../../provider/mysql/channel/facts";
import { requireReady } from "../../../../../../provider/mysql/channel/requirements/requirements";
import type { Situation } from "../../../../../../provider/mysql/channel/situation";
import { expectGoldenError } from "../../../../../harness/golden";
import { channelFacts, names, replica, source } from "../../../../../samples/replication-channel";
import { otherUuid, replicaUuid, sourceUuid } from "../../../../../samples/server";

const file: Position = { by: "file", file: "binlog.000002", position: "157" };

const other = (change: Partial<OtherChannel>): OtherChannel => ({
  channel: "stock",
  sourceUuid: "",
  address: "db-2",
  port: 3306,
  ...change,
});

const situation = (change: Partial<Situation> = {}): Situation => ({
  names: { ...names, object: "channel orders@stage-1:3307", channel: "orders" },
  replica: replica(),
  source: source(),
  channel: null,
  points: true,
  position: { by: "gtid" },
  hasTrace: false,
  seedGtids: null,
  hasFilters: false,
  ...change,
});

const executed = (...sets: string[]) => replica({ executed: parseGtidSet(sets.join(",")) });

test("two servers that fit are ready", () => {
  expect(() => requireReady(situation())).not.toThrow();
  expect(() => requireReady(situation({ seedGtids: `${sourceUuid}:1-50` }))).not.toThrow();
});

test.each<[string, Partial<Situation>, string]>([
  [
    "a MariaDB source",
    { source: source({ server: { flavour: "mariadb", version: "10.11.6" } }) },
    "SOURCE_NOT_SUPPORTED",
  ],
  [
    "a replica older than its source",
    { replica: replica({ server: { flavour: "mysql", version: "8.0.36" } }) },
    "SOURCE_NOT_SUPPORTED",
  ],
  [
    "a MariaDB replica",
    { replica: replica({ server: { flavour: "mariadb", version: "10.11.6" } }) },
    "CHANNEL_REPLICA_NOT_READY",
  ],
  [
    "a replica before 8.0.23",
    { replica: replica({ server: { flavour: "mysql", version: "8.0.22" } }) },
    "CHANNEL_REPLICA_NOT_READY",
  ],
  ["no binary log", { source: source({ logsBinary: false }) }, "SOURCE_BINLOG_OFF"],
  ["server_id 0 on the source", { source: source({ serverId: 0 }) }, "SOURCE_SERVER_ID_ZERO"],
  ["server_id 0 on the replica", { replica: replica({ serverId: 0 }) }, "CHANNEL_REPLICA_NOT_READY"],
  ["equal server ids", { replica: replica({ serverId: 1 }) }, "CHANNEL_SERVER_ID_EQUAL"],
  ["equal server uuids", { replica: replica({ uuid: sourceUuid }) }, "CHANNEL_SERVER_UUID_EQUAL"],
  [
    "no privilege to follow",
    { source: source({ grants: ["GRANT SELECT ON *.* TO `repl`@`%`"] }) },
    "SERVER_PRIVILEGE_MISSING",
  ],
  ["no privilege to see the log's end", { position: file }, "SERVER_PRIVILEGE_MISSING"],
  ["a source without GTIDs", { source: source({ gtidMode: "OFF" }) }, "SOURCE_GTID_OFF"],
  ["a replica without GTIDs", { replica: replica({ gtidMode: "OFF" }) }, "CHANNEL_REPLICA_NOT_READY"],
  ["a seed that is not there", { seedGtids: `${sourceUuid}:1-51` }, "CHANNEL_REPLICA_NOT_READY"],
  ["purged transactions", { replica: executed(`${sourceUuid}:1-9`) }, "GTID_PURGED"],
  ["a source that was set back", { replica: executed(`${sourceUuid}:1-101`) }, "GTID_DIVERGED"],
  ["writes on the replica", { replica: executed(`${sourceUuid}:1-50`, `${replicaUuid}:1-3`) }, "GTID_DIVERGED"],
  ["a third server's transactions", { replica: executed(`${sourceUuid}:1-50`, `${otherUuid}:1-3`) }, "GTID_DIVERGED"],
  ["statements under filters", { source: source({ binlogFormat: "MIXED" }), hasFilters: true }, "SOURCE_BINLOG_FORMAT"],
])("%s is refused", (_what, change, code) => {
  expect(() => requireReady(situation(change))).toThrow(expect.objectContaining({ code }));
});

test.each([
  ["is known by its uuid, whatever its address is", other({ sourceUuid, address: "10.0.0.7" })],
  ["has not connected yet, and has the same address", other({ sourceUuid: "", address: "db-1" })],
])("a second channel from one source is refused where the first one %s", (_what, first) => {
  expect(() => requireReady(situation({ replica: replica({ otherChannels: [first] }) }))).toThrow(
    "cannot follow db-1:3306, this server already follows db-1:3306 through channel stock (CHANNEL_SOURCE_TAKEN)",
  );
});

test.each<[string, Partial<Situation>]>([
  [
    "another channel whose address is the source's, and whose source is another",
    { replica: replica({ otherChannels: [other({ sourceUuid: otherUuid, address: "db-1" })] }) },
  ],
  [
    "transactions of another channel's source",
    {
      replica: replica({
        executed: parseGtidSet(`${sourceUuid}:1-50,${otherUuid}:1-3`),
        otherChannels: [other({ sourceUuid: otherUuid })],
      }),
    },
  ],
  [
    "transactions that got their GTIDs on the replica",
    { replica: executed(`${sourceUuid}:1-50`, `${assignedUuid("orders", replicaUuid)}:1-9`) },
  ],
  [
    "writes on the replica of a channel that goes on where it is",
    { replica: executed(`${sourceUuid}:1-50`, `${replicaUuid}:1`), points: false },
  ],
  [
    "purged transactions that are received and kept",
    {
      replica: executed(`${sourceUuid}:1-5`),
      points: false,
      channel: channelFacts({
        receiver: { state: "stopped", error: null, received: parseGtidSet(`${sourceUuid}:6-12`) },
      }),
    },
  ],
  ["statements without filters", { source: source({ binlogFormat: "STATEMENT" }) }],
])("%s are not an obstacle", (_what, change) => {
  expect(() => requireReady(situation(change))).not.toThrow();
});

describe("a place in the source's log", () => {
  const grants = ["GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `repl`@`%`"];
  const logs = [
    { name: "binlog.000002", sizeBytes: 200n },
    { name: "binlog.000003", sizeBytes: 99n },
  ];
  const at = (position: Position, change: Partial<Situation> = {}) =>
    situation({ position, source: source({ gtidMode: "OFF", grants, logs }), ...change });

  test("that exists is fine", () => {
    expect(() => requireReady(at(file))).not.toThrow();
  });

  test.each<[string, Position]>([
    ["a file that is gone", { by: "file", file: "binlog.000001", position: "4" }],
    ["a place behind the end", { by: "file", file: "binlog.000002", position: "201" }],
  ])("%s is refused, with the files that there are", (_what, position) => {
    expect(() => requireReady(at(position))).toThrow(/binlog.000002 to binlog.000003; binlog.000003 ends at 99/);
  });

  test("is refused where an earlier channel of this name has been applied from, unless its end is known", () => {
    const after = { replica: executed(`${assignedUuid("orders", replicaUuid)}:1-9`) };
    expect(() => requireReady(at(file, after))).toThrow(
      `cannot begin at binlog.000002:157, the replica has applied transactions of an earlier channel of this name (CHANNEL_BEGINS_TOO_EARLY)\n` +
        `  found   executed on the replica: ${assignedUuid("orders", replicaUuid)}:1-9`,
    );
    for (const uuid of assignedUuids("orders", replicaUuid))
      expect(() => requireReady(at(file, { replica: executed(`${uuid}:1-9`) }))).toThrow(/CHANNEL_BEGINS_TOO_EARLY/);
    expect(() =>
      requireReady(at(file, { replica: executed(`${assignedUuid("orders", otherUuid)}:1-9`) })),
    ).not.toThrow();
    expect(() => requireReady(at(file, { ...after, hasTrace: true }))).not.toThrow();
    expect(() => requireReady(at(file, { ...after, channel: channelFacts() }))).not.toThrow();
    expect(() =>
      requireReady(at(file, { replica: executed(`${assignedUuid("stock", replicaUuid)}:1-9`) })),
    ).not.toThrow();
  });

  test("of a source with GTIDs is refused by a replica without", () => {
    const change = { source: source({ grants, logs }), replica: replica({ gtidMode: "OFF" }) };
    expect(() => requireReady(at(file, change))).toThrow(
      expect.objectContaining({ code: "CHANNEL_REPLICA_NOT_READY" }),
    );
  });

  test("of a source without GTIDs is refused by a replica that cannot make them up", () => {
    const old = { flavour: "mysql", version: "8.0.22" } as const;
    const change = {
      source: source({ gtidMode: "OFF", grants, logs, server: old }),
      replica: replica({ server: old }),
    };
    expect(() => requireReady(at(file, change))).toThrow(
      expect.objectContaining({ code: "CHANNEL_REPLICA_NOT_READY" }),
    );
  });
});

test("divergence says what, whose and the way out", () => {
  const change = { replica: executed(`${sourceUuid}:1-50`, `${replicaUuid}:1-2`) };
  expectGoldenError("channel-replica-diverged", () => requireReady(situation(change)));
});

test.each([
  ["auto", "auto" as const, null, "gtid"],
  ["nothing known", {}, null, "gtid"],
  ["a GTID set alone", { gtidSet: "x" }, null, "gtid"],
  ["both, in a preview", { gtidSet: "x", file: "b.1", position: 4 }, null, "gtid"],
  ["both, with GTIDs", { gtidSet: "x", file: "b.1", position: 4 }, { source: "ON", replica: "ON" }, "gtid"],
  [
    "both, without GTIDs on the source",
    { gtidSet: "x", file: "b.1", position: 4 },
    { source: "OFF", replica: "ON" },
    "file",
  ],
  ["a file alone", { file: "b.1", position: "4" }, { source: "ON", replica: "ON" }, "file"],
])("start %s", (_what, start, modes, by) => {
  expect(planPosition(start, modes).by).toBe(by);
});
