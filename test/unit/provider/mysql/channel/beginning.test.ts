import {
  beginningOf,
  endOf,
  noTrace,
  type Ended,
  type FilePosition,
  type Trace,
} from "../../../../../provider/mysql/channel/beginning";
import { channelFacts } from "../../../../samples/replication-channel";
import { otherUuid, sourceUuid } from "../../../../samples/server";

const place = (file: string, position: string): FilePosition => ({ by: "file", file, position });
const seed = place("binlog.000002", "157");
const end = place("binlog.000010", "900");
const ended: Ended = { at: end, sourceUuid, start: "at binlog.000002:157" };

const begin = (declared: FilePosition, trace: Partial<Trace>, uuid: string | null = sourceUuid): FilePosition =>
  beginningOf({
    object: "channel orders@stage-1:3307",
    mark: "channel o'rders",
    declared,
    trace: { ...noTrace, ...trace },
    sourceUuid: uuid,
  });

test("without a trace a channel begins where it is declared", () => {
  expect(begin(seed, {})).toEqual(seed);
});

test.each<[string, FilePosition, FilePosition, string | null]>([
  ["the place it began at last time goes on where it ended", seed, end, sourceUuid],
  ["the same in a preview, which does not know the source", seed, end, null],
  ["the end itself", end, end, sourceUuid],
  ["a later place in the same file", place("binlog.000010", "1000"), place("binlog.000010", "1000"), sourceUuid],
  [
    "a later file, whose number has more digits",
    place("binlog.1000000", "4"),
    place("binlog.1000000", "4"),
    sourceUuid,
  ],
  ["a place in another source's log", place("binlog.000001", "4"), place("binlog.000001", "4"), otherUuid],
])("%s", (_what, declared, expected, uuid) => {
  expect(begin(declared, { ended }, uuid)).toEqual(expected);
});

test.each<[string, FilePosition, Partial<Trace>, string]>([
  ["an earlier place that nobody began at", place("binlog.000009", "99999"), { ended }, sourceUuid],
  ["an earlier place in the same file", place("binlog.000010", "899"), { ended }, sourceUuid],
  ["a log of another name", place("mysql-bin.000011", "4"), { ended }, sourceUuid],
  ["the old source's place in another source's log", seed, { ended }, otherUuid],
  ["the old place of a channel that somebody removed", seed, { start: "at binlog.000002:157" }, sourceUuid],
])("%s is refused", (_what, declared, trace, uuid) => {
  expect(() => begin(declared, trace, uuid)).toThrow(expect.objectContaining({ code: "CHANNEL_BEGINS_TOO_EARLY" }));
});

test("the refusal says how far the replica is, and the way out", () => {
  expect(() => begin(place("binlog.000010", "4"), { ended })).toThrowErrorMatchingInlineSnapshot(`
    "channel orders@stage-1:3307: cannot begin at binlog.000010:4, the replica has already applied the transactions after it (CHANNEL_BEGINS_TOO_EARLY)
      found   an earlier channel of this name; applied up to binlog.000010:900 of 11111111-1111-1111-1111-111111111111
      needs   \`start\` at the position of the replica's data
      fix     set \`start\` to that position, or seed the replica again (\`reseed\` of the StagingDatabase); if the replica's data was restored by hand, delete the record of the earlier channel: DELETE FROM sluice.ownership WHERE object = 'channel o''rders'"
  `);
});

describe("a channel that ends", () => {
  const applier = { ...channelFacts().applier, file: "binlog.000010", position: "900" };
  const byFile = channelFacts({ autoPosition: false, applier });
  const start = "at binlog.000002:157";

  test("by file leaves where, in whose log, and where it had begun", () => {
    expect(endOf(byFile, { start, ended: null })).toEqual(ended);
    expect(endOf(byFile, noTrace)).toEqual({ ...ended, start: null });
  });

  test("by GTID leaves nothing", () => {
    expect(endOf({ ...byFile, autoPosition: true }, { start: null, ended })).toBeNull();
  });

  test("without having ever connected leaves what the one before it left", () => {
    const silent = { ...byFile, sourceUuid: "" };
    expect(endOf(silent, { start, ended: null })).toBeNull();
    expect(endOf(silent, { start, ended })).toEqual(ended);
  });

  test("is noted once more where the removal was killed behind its note", () => {
    expect(endOf(byFile, { start: null, ended })).toEqual(ended);
  });
});
