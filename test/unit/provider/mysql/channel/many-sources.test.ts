import { requireReady } from "../../../../../provider/mysql/channel/requirements/requirements";
import type { Situation } from "../../../../../provider/mysql/channel/situation";
import { parseGtidSet } from "../../../../../provider/mysql/gtid";
import { names, replica, source } from "../../../../samples/replication-channel";
import { otherUuid, replicaUuid, sourceUuid } from "../../../../samples/server";

/** A channel that is made for the first time, on a server that was seeded from two sources. */
const situation = (executed: string, seedGtids: string | null): Situation => ({
  names: { ...names, object: "channel shop@stage-1:3308", channel: "shop" },
  replica: replica({ executed: parseGtidSet(executed) }),
  source: source(),
  channel: null,
  points: true,
  position: { by: "gtid" },
  hasTrace: false,
  seedGtids,
  hasFilters: true,
});

describe("the first of two channels into a server that was seeded from two sources", () => {
  const both = `${sourceUuid}:1-50,${otherUuid}:1-70`;

  test("does not take the other source's transactions for divergence: they came with the seed", () => {
    expect(() => requireReady(situation(both, both))).not.toThrow();
  });

  test("takes them for divergence where no seed says where they come from", () => {
    expect(() => requireReady(situation(both, null))).toThrow(/GTID_DIVERGED/);
  });

  test("takes what was executed after the seed for divergence", () => {
    expect(() => requireReady(situation(`${both},${replicaUuid}:1`, both))).toThrow(
      /written by 22222222.*the replica itself/,
    );
    expect(() => requireReady(situation(`${sourceUuid}:1-50,${otherUuid}:1-71`, both))).toThrow(/GTID_DIVERGED/);
  });

  test("takes transactions that the source has lost for divergence, seeded or not", () => {
    const lost = `${sourceUuid}:1-101`; // the source has executed 1-100
    expect(() => requireReady(situation(lost, lost))).toThrow(/the source, which no longer has them/);
  });
});
