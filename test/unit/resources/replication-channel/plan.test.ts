import { markOf } from "../../../../provider/mark/mark";
import { SluiceError } from "../../../../provider/errors";
import { absent } from "../../../../provider/plan/plan";
import { renderPlan } from "../../../../provider/plan/render";
import { unknownValue } from "../../../../provider/schema/unknown";
import { blank } from "../../../../resources/replication-channel/facts";
import { plan, say } from "../../../../resources/replication-channel/plan";
import type { Declaration, Written } from "../../../../resources/replication-channel/schema";
import type { Settled, SettledChannel } from "../../../../resources/replication-channel/facts";
import { expectGolden, expectGoldenError } from "../../../harness/golden";
import {
  channelFacts,
  context,
  declare,
  identity,
  live,
  record,
  seen,
  settled,
  settledChannel,
  source,
} from "../../../samples/replication-channel";
import { otherUuid, replicaUuid, sourceUuid } from "../../../samples/server";

const render = (wanted: Declaration, observed: ReturnType<typeof seen>, before: Declaration | null = null): string =>
  renderPlan(context().object, plan(wanted, observed, context(before)), say);

const kinds = (wanted: Declaration, observed: ReturnType<typeof seen>): string[] =>
  plan(wanted, observed, context()).steps.map(({ kind }) => kind);

/** The channel runs as it was declared; what would `up` do for another declaration? */
function changeTo(change: Partial<Written>, was: Partial<SettledChannel> = {}): string {
  const before = declare();
  return render(declare(change), seen(settled(settledChannel(before, was))), before);
}

describe("a new channel", () => {
  test("is claimed before anything else, pointed, started and waited for", () => {
    expectGolden("plans/channel-new.txt", render(declare(), seen(blank)));
  });

  test("gets filters that follow from what the replica holds, before it starts", () => {
    const wanted = declare({
      replica: { ...declare().replica, holds: { databases: ["shop", "my_db"], accounts: false } },
    });
    expectGolden("plans/channel-new-with-filters.txt", render(wanted, seen(blank)));
  });

  test("that is declared stopped is made and not started", () => {
    expect(kinds(declare({ state: "stopped" }), seen(blank))).toEqual(["claim-channel", "point-channel"]);
  });

  test("is not waited for with catchUpSeconds 0", () => {
    expect(kinds(declare({ catchUpSeconds: 0 }), seen(blank))).toEqual([
      "claim-channel",
      "point-channel",
      "start-channel",
    ]);
  });

  test("goes on after a crash behind the claim", () => {
    expect(kinds(declare(), seen(settled(null)))).toEqual(["point-channel", "start-channel", "await-applied"]);
  });

  test.each([
    ["auto", "auto" as const, "ON", "by GTID"],
    ["a seed with a GTID set", { gtidSet: "", file: "binlog.000002", position: "157" }, "ON", "by GTID"],
    [
      "a seed of a source without GTIDs",
      { gtidSet: "", file: "binlog.000002", position: "157" },
      "OFF",
      "at binlog.000002:157",
    ],
    ["a file and a position", { file: "binlog.000002", position: 157 }, "ON", "at binlog.000002:157"],
  ])("begins where %s says", (_what, start, gtidMode, words) => {
    const grants = ["GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `repl`@`%`"];
    const now = live({ source: source({ gtidMode, grants }) });
    expect(render(declare({ start }), seen(blank, now))).toContain(`point the channel at db-1:3306, ${words}`);
  });

  test("begins by file where an earlier one ended that began there, and says so", () => {
    const trace = {
      start: null,
      ended: {
        at: { by: "file", file: "binlog.000007", position: "900" },
        sourceUuid,
        start: "at binlog.000002:157",
      } as const,
    };
    const before = settled(null, { mark: markOf(null, { caughtUp: false, ...trace }) });
    const wanted = declare({ start: { file: "binlog.000002", position: 157 } });
    expectGolden("plans/channel-begins-where-the-earlier-ended.txt", render(wanted, seen(before)));
    const earlier = declare({ start: { file: "binlog.000002", position: 4 } });
    expect(() => render(earlier, seen(before))).toThrow(/CHANNEL_BEGINS_TOO_EARLY/);
    expect(render(declare(), seen(before))).toContain("by GTID");
  });

  test("can be previewed with nothing known", () => {
    const wanted = {
      ...declare(),
      replica: unknownValue,
      source: unknownValue,
      start: unknownValue,
      filters: unknownValue,
    };
    expectGolden("plans/channel-of-a-first-preview.txt", render(wanted as unknown as Declaration, seen(blank)));
  });
});

describe("a running channel", () => {
  test("that is as declared needs nothing", () => {
    expect(kinds(declare(), seen(settled(settledChannel(declare())), live({ channel: channelFacts() })))).toEqual([]);
  });

  test("is re-pointed with both threads stopped", () => {
    expectGolden(
      "plans/channel-other-source.txt",
      changeTo({ source: { address: "db-2", user: "repl", password: "pw" } }),
    );
  });

  test("is delayed with only the applier stopped", () => {
    expectGolden("plans/channel-delay.txt", changeTo({ delaySeconds: 3600 }));
  });

  test("gets another password with only the receiver stopped, and the password is not shown", () => {
    const text = changeTo({ source: { address: "db-1", user: "repl", password: "other" } });
    expect(text).toContain("1. stop the receiver");
    expect(text).toContain("source.password changed");
    expect(text).not.toContain("other");
  });

  test("gets other filters with only the applier stopped", () => {
    expectGolden("plans/channel-other-filters.txt", changeTo({ filters: { ignoreTables: ["shop.log"] } }));
  });

  test("stops both threads for changes of both", () => {
    expect(changeTo({ delaySeconds: 60, retryCount: 5 })).toContain("1. stop the channel");
  });

  test("is stopped for good by its state", () => {
    expect(changeTo({ state: "stopped" })).toMatchInlineSnapshot(`
      "channel orders@stage-1:3307: 1 step
        1. stop the channel                         ! rows stop arriving for good"
    `);
  });

  test("is started with the declared workers, and not touched where the number fits", () => {
    expect(changeTo({ workers: 8 })).toMatch(/start the channel with 8 workers +workers 4 → 8/);
    expect(changeTo({ workers: 4 })).toBe("channel orders@stage-1:3307: 0 steps");
  });

  test("is moved from a file to GTIDs by start auto", () => {
    expect(changeTo({}, { autoPosition: false })).toContain("point the channel at db-1:3306, by GTID");
  });

  test("stays at its file while start names one", () => {
    const start = { file: "binlog.000002", position: 157 };
    expect(changeTo({ start }, { autoPosition: false })).toBe("channel orders@stage-1:3307: 0 steps");
  });

  test("is waited for when an earlier up ended before it had caught up", () => {
    const of = settled(settledChannel(declare()), { mark: markOf(identity, { ...record, caughtUp: false }) });
    expect(kinds(declare(), seen(of, live({ channel: channelFacts() })))).toEqual(["await-applied"]);
  });

  test("keeps running with a source that is down when only the delay changes", () => {
    const now = live({ source: null, sourceProblem: null, channel: channelFacts() });
    const of = settled(settledChannel(declare()));
    expect(kinds(declare({ delaySeconds: 5 }), seen(of, now))).toEqual([
      "stop-channel",
      "change-channel",
      "start-channel",
    ]);
  });

  test("whose option file lacks the filters gets it written without an interruption", () => {
    const wanted = declare({ filters: { ignoreTables: ["shop.log"] } });
    const of = settled(settledChannel(wanted, { filterFile: { isPossible: true, text: null } }));
    expect(render(wanted, seen(of))).toMatchInlineSnapshot(`
      "channel orders@stage-1:3307: 1 step
        1. write the channel's filters into its option file"
    `);
  });
});

describe("a channel whose applier stopped on an error", () => {
  const failure = { thread: "applier", errno: 1062, text: "stopped applying, a row is already there" } as const;
  const failed = { applies: false, workers: null, failure };

  test("is started again, and the preview names the error that may come back", () => {
    expectGolden("plans/channel-restart-after-an-error.txt", changeTo({}, failed));
  });

  test("is left alone where it is declared stopped, and names nothing once it runs", () => {
    expect(changeTo({ state: "stopped" }, { ...failed, receives: false })).toBe("channel orders@stage-1:3307: 0 steps");
    expect(changeTo({ workers: 8 }, { failure: null })).not.toContain("last error");
  });
});

describe("a channel that somebody changed by hand", () => {
  test.each<[string, Partial<SettledChannel>, string[]]>([
    ["the delay", { delaySeconds: 9 }, ["stop-channel", "change-channel", "start-channel", "await-applied"]],
    ["the user", { user: "root" }, ["stop-channel", "change-channel", "start-channel", "await-applied"]],
    ["the password", { passwordMatches: false }, ["stop-channel", "change-channel", "start-channel", "await-applied"]],
    ["TLS", { tls: "off" }, ["stop-channel", "change-channel", "start-channel", "await-applied"]],
    ["the source", { port: 3309 }, ["stop-channel", "point-channel", "start-channel", "await-applied"]],
    ["the applier, stopped", { applies: false, workers: null }, ["start-channel", "await-applied"]],
    ["both threads, stopped", { applies: false, receives: false, workers: null }, ["start-channel", "await-applied"]],
  ])("is put right: %s", (_what, was, steps) => {
    expect(kinds(declare(), seen(settled(settledChannel(declare(), was))))).toEqual(steps);
  });
});

describe("ownership", () => {
  const there = settledChannel(declare());
  test("refuses the channel of another state of the same name, and does not remove it", () => {
    const of = settled(there, { mark: markOf({ ...identity, seal: "x" }, record) });
    expect(() => plan(declare(), seen(of, live()), context())).toThrow(/OWNERSHIP_OTHER_STATE/);
    expect(() => plan(absent, seen(of, live()), context(declare()))).toThrow(/OWNERSHIP_OTHER_STATE/);
    expect(plan(absent, seen(of, live()), context(declare(), { identity: { ...identity, seal: "y" } })).steps).toEqual(
      [],
    );
    expect(plan(declare(), seen(of, live()), context(null, { identity: { ...identity, seal: "x" } })).steps).toEqual(
      [],
    );
    const taken = plan(declare({ adopt: true }), seen(of, live()), context()).steps;
    expect(taken).toEqual([{ kind: "claim-channel", channel: "orders", adopts: true }]);
  });

  test.each([
    ["somebody else's channel", "other/dev/x", false, "OWNERSHIP_FOREIGN"],
    ["somebody else's channel, adopt or not", "other/dev/x", true, "OWNERSHIP_FOREIGN"],
    ["a channel without a mark", null, false, "OWNERSHIP_UNMARKED"],
  ])("refuses %s", (_what, found, adopt, code) => {
    const of = settled(there, { mark: markOf(found === null ? null : { ...identity, name: found }, record) });
    expect(() => plan(declare({ adopt }), seen(of, live()), context())).toThrow(expect.objectContaining({ code }));
  });

  test("says in the preview of a new channel what `adopt` does to one that exists", () => {
    const words = (change: object) =>
      say["claim-channel"](plan(declare(change), { settled: blank, live: null }, context()).steps[0] as never).what;
    expect(words({ adopt: true })).toBe(
      "take over channel orders if it exists: stops it, removes settings and filters that are not declared",
    );
    expect(words({})).toBe("claim channel orders");
  });

  test("takes over an unmarked channel with adopt, and changes only what differs", () => {
    const of = settled({ ...there, delaySeconds: 7 }, { mark: markOf(null, record) });
    expect(kinds(declare({ adopt: true }), seen(of))).toEqual([
      "claim-channel",
      "stop-channel",
      "change-channel",
      "start-channel",
      "await-applied",
    ]);
  });
});

describe("the replica's server", () => {
  const before = declare();
  const elsewhere = declare({ replica: { ...before.replica, socket: "/srv/stock/run/mysqld.sock" } });
  const byPort = (port: number) => declare({ replica: { address: "db-2", user: "admin", port } });
  const other = { version: "9.7.4", uuid: otherUuid, serverId: 3 };
  const up = (was: Declaration, wanted: Declaration, server: Settled["server"], state?: Settled | null) =>
    plan(
      wanted,
      seen(settled(null, { mark: markOf(null, record), server }), live()),
      context(null, {
        before: { declared: was, settled: state === undefined ? settled(settledChannel(was)) : state },
      }),
    );

  test("that is another one at another place is refused: the channel would run on at the old one", () => {
    expectGoldenError("channel-into-another-server", () => up(before, elsewhere, other));
    expect(() => up(byPort(3306), byPort(3307), other)).toThrow(/CHANNEL_REPLICA_DIFFERS/);
  });

  test.each([
    ["the same one at another place", before, elsewhere, { ...other, uuid: replicaUuid }, undefined],
    ["another one at the same place, which was rebuilt", before, before, other, undefined],
    [
      "a managed one that is seeded anew, whose port changes",
      before,
      declare({ replica: { ...before.replica, port: 3308 } }),
      other,
      undefined,
    ],
    ["another one, where nothing was made at the old place", before, elsewhere, other, blank],
    ["another one, where state does not know the old one", before, elsewhere, other, null],
  ])("may be %s", (_what, was, wanted, server, state) => {
    expect(up(was, wanted, server, state).steps[0]).toMatchObject({ kind: "claim-channel" });
  });
});

describe("removal", () => {
  const remove = (observed: ReturnType<typeof seen>): string[] =>
    plan(absent, observed, context(declare())).steps.map(({ kind }) => kind);

  test("stops, forgets and unmarks the channel", () => {
    const removal = plan(absent, seen(settled(settledChannel(declare()))), context(declare()));
    expectGolden("plans/channel-removal.txt", renderPlan(context().object, removal, say));
  });

  test("of a channel that is gone only removes the mark", () => {
    expect(remove(seen(settled(null)))).toEqual(["release-channel"]);
  });

  test("of a channel whose server is stopped is refused: it would come back with the server", () => {
    const problem = new SluiceError({ code: "SERVER_NOT_ANSWERING", object: "server", what: "is stopped" });
    const of = seen(settled(settledChannel(declare())), { kind: "silent", problem, unmounted: null });
    expect(() => remove(of)).toThrow("cannot be removed while the replica does not answer");
    expect(() => kinds(declare(), of)).toThrow("cannot be changed while the replica does not answer");
    expect(
      remove(seen(settled(null, { mark: markOf(null, record) }), { kind: "silent", problem, unmounted: null })),
    ).toEqual([]);
  });

  test("touches nothing that is not ours", () => {
    expect(
      remove(seen(settled(settledChannel(declare()), { mark: markOf({ ...identity, name: "other/dev/x" }, record) }))),
    ).toEqual([]);
    expect(remove(seen(blank))).toEqual([]);
  });
});

test("every plan is plain data", () => {
  const { steps } = plan(declare(), seen(blank), context());
  expect(JSON.parse(JSON.stringify(steps))).toEqual(steps);
  expect(JSON.stringify(steps)).not.toContain("pw");
});
