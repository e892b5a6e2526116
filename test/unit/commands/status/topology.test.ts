import type { Sight } from "../../../../commands/status/look";
import { renderTopology, wrapWords } from "../../../../commands/status/render";
import { planTopology } from "../../../../commands/status/topology";
import { SluiceError } from "../../../../provider/errors";
import { unseen, type Health, type ServerSeen } from "../../../../provider/status";
import { expectGolden } from "../../../harness/golden";
import { badDay, quickstart } from "./observed-sights";

const well = (words = "running"): Health => ({ isWell: true, words });
const seen = (endpoint: string, isReadOnly = true, version = "9.7.4"): ServerSeen => ({
  endpoint,
  version,
  isReadOnly,
  binlogFormat: "ROW",
  hasGtids: true,
  health: null,
});

const staging = (name: string, endpoint: string, health = well(), problem: SluiceError | null = null): Sight => ({
  name,
  kind: "StagingDatabase",
  object: `staging database ${name}@${endpoint}`,
  status: { shows: { server: problem === null ? seen(endpoint) : unseen(endpoint) }, health, json: {} },
  steps: [],
  problem,
});

const channel = (
  name: string,
  from: ServerSeen,
  into: string,
  {
    lagSeconds = 0,
    health = well(`running, lag ${String(lagSeconds)} s`),
    problem = null,
  }: { lagSeconds?: number | null; health?: Health; problem?: SluiceError | null } = {},
): Sight => ({
  name,
  kind: "ReplicationChannel",
  object: `channel ${name}@${into}`,
  status: {
    shows: {
      noun: "channel",
      name,
      below: problem === null ? seen(into) : unseen(into),
      flow: { from, lagSeconds },
    },
    health,
    json: {},
  },
  steps: [],
  problem,
});

const production = seen("db-prod-1:3306", false);
const unreachable = (object: string) =>
  new SluiceError({
    code: "HOST_UNREACHABLE",
    object: "host stage-2.example.net",
    what: "no connection within 20 s",
    found: `looking at ${object}`,
    fix: "check whether the machine runs and its port 22 is open",
  });

const silent = (endpoint: string) =>
  unseen(endpoint, {
    isWell: false,
    words: "the source does not answer",
    code: "SOURCE_UNREACHABLE",
    fix: "check whether it runs",
  });

describe("the topology", () => {
  test.each([80, 100, 200])("of the quick start, %i columns wide, is the golden one", (columns) => {
    expectGolden(`topology-quickstart-${String(columns)}.txt`, renderTopology(planTopology(quickstart), columns));
  });

  test.each([80, 100, 200])("of a bad day, %i columns wide, is the golden one", (columns) => {
    const text = renderTopology(planTopology(badDay), columns);
    expectGolden(`topology-bad-day-${String(columns)}.txt`, text);
    const tooLong = text.split("\n").filter((line) => line.length > columns);
    expect(tooLong).toEqual([]);
  });

  test("shows a server with channels from two sources under both, each channel once", () => {
    const { roots } = planTopology([
      staging("reports", "stage-1:3307"),
      channel("shop", seen("db-1:3306", false), "stage-1:3307"),
      channel("billing", seen("db-2:3306", false), "stage-1:3307"),
    ]);
    const tree = roots.map((root) => [
      root.server.endpoint,
      root.fed.map((node) => [node.name, node.lines.map((one) => one.name)]),
    ]);
    expect(tree).toEqual([
      ["db-1:3306", [["reports", ["shop"]]]],
      ["db-2:3306", [["reports", ["billing"]]]],
    ]);
  });

  test("says once what is wrong with a server that is printed under two sources", () => {
    const health = { isWell: false, words: "stopped, declared running", fix: "start it" };
    const text = renderTopology(
      planTopology([
        staging("reports", "stage-1:3307", health),
        channel("shop", seen("db-1:3306", false), "stage-1:3307"),
        channel("billing", seen("db-2:3306", false), "stage-1:3307"),
      ]),
      100,
    );
    expect(text.match(/stopped, declared running/g)).toHaveLength(1);
    expect(text.match(/fix: start it/g)).toHaveLength(1);
    expect(text).toMatch(/^- stage-1:3307 .* as above$/m);
  });

  test("hangs a staging database that feeds another one below its own source", () => {
    const { roots } = planTopology([
      staging("near", "stage-1:3307"),
      staging("far", "stage-2:3307"),
      channel("in", production, "stage-1:3307"),
      channel("out", unseen("stage-1:3307"), "stage-2:3307"),
    ]);
    expect(roots.map(({ server }) => server.endpoint)).toEqual(["db-prod-1:3306"]);
    expect(roots[0]?.fed[0]?.fed[0]?.name).toBe("far");
  });

  test("of servers that follow each other in a ring ends, and shows every channel", () => {
    const { roots } = planTopology([
      channel("there", unseen("a:3306"), "b:3306"),
      channel("back", unseen("b:3306"), "a:3306"),
    ]);
    const text = renderTopology({ roots, strangers: [], isWell: true, summary: "" }, 100);
    expect(text).toContain("channel there");
    expect(text).toContain("channel back");
  });

  test("knows a source's facts from any of its channels, where another could not see them", () => {
    const { roots } = planTopology([
      channel("blind", unseen("db-1:3306"), "a:3306"),
      channel("seeing", seen("db-1:3306", false), "b:3306"),
    ]);
    expect(roots[0]?.server).toEqual(seen("db-1:3306", false));
  });

  test("says why a source is not known, and that a server was not queried, if none could query it", () => {
    const text = renderTopology(
      planTopology([
        channel("blind", silent("db-1:3306"), "stage-1:3307"),
        channel("cut", unseen("db-2:3306"), "stage-2:3307", { problem: unreachable("stage-2") }),
      ]),
      200,
    );
    expect(text).toMatch(/^- db-1:3306 +unknown +the source does not answer \(SOURCE_UNREACHABLE\)$/m);
    expect(text).toMatch(/^- db-2:3306 +unknown +not queried, because no channel/m);
    expect(text).toMatch(/^- stage-2:3307 +unknown +not queried/m);
  });

  test("says of a source that one channel reaches and another does not both: what it is, and what is wrong", () => {
    const topology = planTopology([
      channel("seeing", seen("db-1:3306", false), "a:3306"),
      channel("blind", silent("db-1:3306"), "b:3306", { health: { isWell: false, words: "running, lag unknown" } }),
    ]);
    expect(topology.roots[0]).toMatchObject({
      server: { version: "9.7.4" },
      health: { isWell: false, code: "SOURCE_UNREACHABLE" },
    });
    expect(topology.summary).toBe("Of 3 servers and 2 channels, 2 need attention.");
  });

  test("shows an object through which nothing flows once, below its server, and counts it by its own noun", () => {
    const line = (name: string, endpoint: string, health = well("3 kept")): Sight => ({
      name,
      kind: "Snapshot",
      object: `snapshot ${name}`,
      status: { shows: { noun: "snapshot", name, below: seen(endpoint), flow: null }, health, json: {} },
      steps: [],
      problem: null,
    });
    const into = "stage-1:3307";
    const sights = [
      line("weekly", into),
      line("daily", into),
      staging("reports", into),
      channel("shop", seen("db-1:3306", false), into),
      channel("billing", seen("db-2:3306", false), into),
    ];
    const topology = planTopology(sights);
    expect(topology.summary).toBe("All servers and snapshots and channels are as declared.");
    const labels = renderTopology(topology, 100).split("\n").slice(0, 8);
    expect(
      labels.map((text) =>
        text
          .split("  ")
          .filter((part) => part !== "")[0]
          ?.trimStart(),
      ),
    ).toEqual([
      "db-1:3306",
      "+ stage-1:3307",
      "+ channel shop",
      "+ snapshot daily",
      "+ snapshot weekly",
      "db-2:3306",
      "+ stage-1:3307",
      "+ channel billing",
    ]);
    const ill = planTopology([...sights, line("lost", "stage-2:3307", { isWell: false, words: "gone" })]);
    expect(ill.summary).toBe("Of 4 servers and 3 snapshots and 2 channels, 1 needs attention.");
    expect(renderTopology(ill, 100)).toMatch(/^stage-2:3307.*\n {2}- snapshot lost +gone$/m);
  });

  test("does not hide an object of a kind that this version does not know", () => {
    const problem = new SluiceError({ code: "STATE_TOO_NEW", object: "Snapshot daily", what: "cannot be read" });
    const topology = planTopology([
      { name: "daily", kind: "Snapshot", object: "Snapshot daily", status: null, steps: [], problem },
    ]);
    expect(topology.isWell).toBe(false);
    expect(renderTopology(topology, 100)).toContain("- Snapshot daily  cannot be read (STATE_TOO_NEW)");
  });
});

describe("the closing sentence", () => {
  const summary = (...sights: Sight[]) => planTopology(sights).summary;

  test("says what the healthy state is, with the longest lag", () => {
    const into = "stage-1:3307";
    expect(summary()).toBe("This stack has no resources of Sluice.");
    expect(summary(staging("a", into))).toBe("All servers are as declared.");
    expect(summary(staging("a", into), channel("c", production, into))).toBe("The channel is running, its lag is 0 s.");
    expect(
      summary(channel("c", production, into, { lagSeconds: 4 }), channel("d", production, into, { lagSeconds: 61 })),
    ).toBe("All channels are running, the longest lag is 61 s.");
  });

  test("does not call a channel running that is declared stopped", () => {
    const stopped = channel("c", production, "stage-1:3307", {
      lagSeconds: null,
      health: well("stopped, as declared"),
    });
    expect(summary(stopped)).toBe("All servers and channels are as declared.");
  });

  test("counts what needs attention, and the topology is then not healthy", () => {
    expect(summary(...badDay)).toBe("Of 7 servers and 4 channels, 6 need attention.");
    expect(planTopology(badDay).isWell).toBe(false);
  });
});

describe("words", () => {
  test("break at spaces, and one that is longer than a line stays whole", () => {
    expect(wrapWords("aa bb /a/very/long/path cc", 6)).toEqual(["aa bb", "/a/very/long/path", "cc"]);
  });
});
