import { isPassing, lastFailure, threadFailure } from "../../../../../../provider/mysql/channel/errors/errors";
import type { ReplicaThread } from "../../../../../../provider/mysql/terms";
import { expectGolden } from "../../../../../harness/golden";
import { channelFacts, names } from "../../../../../samples/replication-channel";

const connecting =
  "Error connecting to source 'repl@db-1:3306'. This was attempt 1/10, with a delay of 60 seconds between attempts. Message: ";
const fatal = "Got fatal error 1236 from source when reading data from binary log: ";
const worker =
  "Worker 2 failed executing transaction '11111111-1111-1111-1111-111111111111:9' at source log binlog.000001, end_log_pos 2165; ";

/** Texts and numbers as 9.7.4 gave them. */
test.each<[ReplicaThread, number, string, string]>([
  [
    "receiver",
    1045,
    `${connecting}Access denied for user 'repl'@'localhost' (using password: YES)`,
    "SOURCE_LOGIN_REFUSED",
  ],
  [
    "receiver",
    3118,
    `${connecting}Access denied for user 'repl'@'localhost'. Account is locked.`,
    "SOURCE_LOGIN_REFUSED",
  ],
  [
    "receiver",
    2061,
    `${connecting}Authentication plugin 'caching_sha2_password' reported error`,
    "SOURCE_LOGIN_REFUSED",
  ],
  ["receiver", 2003, `${connecting}Can't connect to MySQL server on '127.0.0.1:23399' (111)`, "SOURCE_UNREACHABLE"],
  ["receiver", 2005, `${connecting}Unknown MySQL server host 'nosuch.invalid' (-2)`, "SOURCE_UNREACHABLE"],
  ["receiver", 1226, `${connecting}User 'repl' has exceeded the 'max_user_connections' resource`, "SOURCE_UNREACHABLE"],
  [
    "receiver",
    2026,
    `${connecting}SSL connection error: error:0A000086:SSL routines::certificate verify failed`,
    "SOURCE_TLS_FAILED",
  ],
  [
    "receiver",
    13120,
    "Source command COM_REGISTER_REPLICA failed: Access denied for user 'repl'@'%' (Errno: 1045)",
    "SERVER_PRIVILEGE_MISSING",
  ],
  [
    "receiver",
    13117,
    "Fatal error: The replica I/O thread stops because source and replica have equal MySQL server ids; these",
    "CHANNEL_SERVER_ID_EQUAL",
  ],
  [
    "receiver",
    13117,
    "Fatal error: The replica I/O thread stops because source and replica have equal MySQL server UUIDs; these",
    "CHANNEL_SERVER_UUID_EQUAL",
  ],
  ["receiver", 13114, `${fatal}'Misconfigured source - source server_id is 0'`, "SOURCE_SERVER_ID_ZERO"],
  ["receiver", 13114, `${fatal}'Cannot replicate because the source purged required binary logs.'`, "GTID_PURGED"],
  [
    "receiver",
    13114,
    `${fatal}'Replica has more GTIDs than the source has, using the source's SERVER_UUID.'`,
    "GTID_DIVERGED",
  ],
  [
    "receiver",
    13114,
    `${fatal}'Could not find first log file name in binary log index file'`,
    "CHANNEL_SOURCE_LOG_MISSING",
  ],
  [
    "receiver",
    13114,
    `${fatal}'Client requested source to start replication from position > file size'`,
    "CHANNEL_SOURCE_LOG_MISSING",
  ],
  [
    "receiver",
    13114,
    `${fatal}'binlog truncated in the middle of event; consider out of disk space on source'`,
    "CHANNEL_SOURCE_LOG_MISSING",
  ],
  [
    "receiver",
    13114,
    `${fatal}'A replica with the same server_uuid/server_id as this replica has connected to the source'`,
    "CHANNEL_SERVER_ID_EQUAL",
  ],
  ["receiver", 9999, "something new", "CHANNEL_RECEIVER_FAILED"],
  [
    "applier",
    1062,
    `${worker}Could not execute Write_rows event on table shop.t; Duplicate entry`,
    "CHANNEL_APPLIER_FAILED",
  ],
  ["applier", 9999, "something new", "CHANNEL_APPLIER_FAILED"],
])("the %s's error %i, %s is %s", (thread, errno, message, code) => {
  const failure = threadFailure(thread, { errno, message, transaction: "" }, names);
  expect(failure.code).toBe(code);
  expect(failure.problem.fix).toBeTruthy();
  expect(failure.message.split("\n")[0]?.length).toBeLessThan(160);
});

test("an applier's error says number, transaction, the server's own words, and the statements that pass it over", () => {
  const error = {
    errno: 1396,
    message: `${worker}Operation CREATE USER failed for 'x'@'%'`,
    transaction: "11111111-1111-1111-1111-111111111111:9",
  };
  expectGolden("errors/channel-applier-account-missing.txt", threadFailure("applier", error, names).message);
});

test("a full table is not said to be a full disk: it may be a MEMORY table", () => {
  const failure = (errno: number) => threadFailure("applier", { errno, message: "", transaction: "" }, names).problem;
  expect(failure(1114).what).toContain("a table of the replica is full");
  expect(failure(1114).fix).toContain("max_heap_table_size");
  expect(failure(1021).what).toContain("the replica ran out of space or memory");
});

describe("a row that is not found", () => {
  const table = { floatColumns: ["seconds", "size"], isFoundByKey: false, engine: "InnoDB" };
  const failure = (change: Partial<typeof table> | null, errno = 1032) =>
    threadFailure(
      "applier",
      {
        errno,
        message: `${worker}Could not execute Delete_rows event on table shop.views; Can't find record in 'views'`,
        transaction: "11111111-1111-1111-1111-111111111111:9",
        ...(change !== null && { table: { ...table, ...change } }),
      },
      names,
    );

  test("in a table with FLOAT columns and no key says that a dump rounded them, and what helps", () => {
    expectGolden("errors/channel-row-rounded-by-a-dump.txt", failure({}).message);
  });

  test.each([
    ["a key finds its rows", { isFoundByKey: true }],
    ["it has no FLOAT column", { floatColumns: [] }],
    ["nothing is known of it", null],
  ])("in a table is explained without FLOAT where %s", (_why, change) => {
    const { what, fix } = failure(change).problem;
    expect(what).toContain("is missing on the replica, or has other values there");
    expect(fix).not.toMatch(/FLOAT|mysqldump/);
    expect(fix).toContain("if more rows may differ");
  });

  test.each([1032, 1062])("or is there already, %i, in a table that is not InnoDB, may be the dump's", (errno) => {
    const { fix } = failure({ isFoundByKey: true, engine: "MyISAM" }, errno).problem;
    expect(fix).toContain("(c) if the data came by mysqldump: the table's engine is MyISAM");
    expect(fix).toContain("ALTER TABLE `shop`.`views` ENGINE = InnoDB; then seed again");
    expect(failure({ isFoundByKey: true }, errno).problem.fix).not.toContain("engine");
  });
});

test("only what may go away by itself is waited for", () => {
  const passes = (thread: ReplicaThread, errno: number) =>
    isPassing(thread, { errno, message: "", transaction: "" }, names);
  expect([2003, 1040, 1045, 2026, 1236].map((errno) => passes("receiver", errno))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect([1205, 1114, 1062, 1032].map((errno) => passes("applier", errno))).toEqual([true, true, false, false]);
});

describe("the error that a thread stopped on", () => {
  const { receiver, applier } = channelFacts();
  const error = { errno: 1396, message: "CREATE USER 'x'@'%' IDENTIFIED WITH ... AS '$A$005$hash'", transaction: "" };

  test("is remembered by number and in our words, without the statement and its secrets", () => {
    const failure = lastFailure({ receiver, applier: { ...applier, state: "stopped", error } }, names);
    expect(failure).toMatchObject({ thread: "applier", errno: 1396 });
    expect(threadFailure("applier", error, names).problem.what).toBe(`${failure?.text ?? ""}, error 1396`);
    expect(JSON.stringify(failure)).not.toContain("hash");
    expect(lastFailure({ receiver: { ...receiver, state: "stopped", error }, applier }, names)?.thread).toBe(
      "receiver",
    );
  });

  test("is none while the receiver connects, whose error counts its attempts", () => {
    expect(lastFailure({ receiver: { ...receiver, state: "connecting", error }, applier }, names)).toBeNull();
    expect(lastFailure(channelFacts(), names)).toBeNull();
  });
});
