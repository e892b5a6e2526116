import { SluiceError } from "../../../../../provider/errors";
import { channelHealth, lagOf, stateOf } from "../../../../../provider/mysql/channel/status";
import { channelFacts, names } from "../../../../samples/replication-channel";

const { receiver, applier } = channelFacts();
const error = { errno: 1062, message: "Duplicate entry '1' for key 't.PRIMARY'", transaction: "" };

describe("the state of a channel", () => {
  test.each([
    ["running", {}, {}],
    ["connecting", { state: "connecting" }, {}],
    ["receiver-stopped", { state: "stopped" }, {}],
    ["applier-stopped", {}, { state: "stopped" }],
    ["receiver-failed", { state: "stopped", error }, {}],
    ["applier-failed", {}, { state: "stopped", error }],
    ["stopped", { state: "stopped" }, { state: "stopped" }],
  ] as const)("is %s", (state, ofReceiver, ofApplier) => {
    expect(stateOf({ receiver: { ...receiver, ...ofReceiver }, applier: { ...applier, ...ofApplier } })).toBe(state);
  });
});

describe("the health of a channel", () => {
  test("is good where it runs, with its lag and what of it is declared", () => {
    expect(channelHealth(channelFacts(), "running", names, null)).toEqual({ isWell: true, words: "running, lag 0 s" });
    const late = channelFacts({ delaySeconds: 3600, applier: { ...applier, lagSeconds: 3601 } });
    expect(channelHealth(late, "running", names, null).words).toBe("running, lag 3601 s, declared 3600 s behind");
    const unknown = channelFacts({ applier: { ...applier, lagSeconds: null } });
    expect(channelHealth(unknown, "running", names, null).words).toBe("running");
  });

  test("is good where it is declared stopped and is", () => {
    const stopped = channelFacts({
      receiver: { ...receiver, state: "stopped" },
      applier: { ...applier, state: "stopped" },
    });
    expect(channelHealth(stopped, "stopped", names, null)).toEqual({ isWell: true, words: "stopped, as declared" });
    expect(channelHealth(stopped, "running", names, null)).toMatchObject({
      isWell: false,
      words: "stopped, declared running",
    });
    expect(channelHealth(channelFacts(), "stopped", names, null)).toMatchObject({
      isWell: false,
      words: "running, declared stopped",
    });
  });

  test("says of a failed thread what the error of `up` says, with its code and its fix", () => {
    const failed = channelFacts({ applier: { ...applier, state: "stopped", error } });
    const health = channelHealth(failed, "running", names, null);
    expect(health.isWell).toBe(false);
    expect(health.words).toMatch(/^applier failed: .*1062/);
    expect(health.code).toBe("CHANNEL_APPLIER_FAILED");
    expect(health.fix).not.toBe("");
  });

  test("says why it still connects", () => {
    const refused = { errno: 1045, message: "Access denied for user 'repl'@'stage-1'", transaction: "" };
    const connecting = channelFacts({ receiver: { ...receiver, state: "connecting", error: refused } });
    expect(channelHealth(connecting, "running", names, null)).toMatchObject({
      words: expect.stringMatching(/^connecting: .*error 1045/) as string,
      code: "SOURCE_LOGIN_REFUSED",
    });
  });

  test("does not give the lag of a source that could not be asked: the replica repeats what it heard last", () => {
    const gone = new SluiceError({ code: "SOURCE_UNREACHABLE", object: "db-1:3306", what: "does not answer" });
    const health = channelHealth(channelFacts(), "running", names, gone);
    expect(health).toEqual({ isWell: false, words: "running, lag unknown, source unknown" });
    expect(lagOf(channelFacts(), gone)).toBeNull();
    expect(lagOf(channelFacts(), null)).toBe(0);
  });

  test("is bad where the channel is gone", () => {
    expect(channelHealth(null, "running", names, null)).toMatchObject({ isWell: false, words: "does not exist" });
  });
});
