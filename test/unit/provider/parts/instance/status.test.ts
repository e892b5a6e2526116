import { seedingHealth } from "../../../../../provider/mysql/seed/words";
import { instanceHealth, type InstanceSight } from "../../../../../provider/parts/instance/status";

const sight = (change: Partial<InstanceSight> = {}): InstanceSight => ({
  isThere: true,
  unfinished: null,
  isRunning: true,
  answers: true,
  wanted: "running",
  isReadOnly: true,
  wantsReadOnly: true,
  errorLog: "/srv/mysql/orders/log/mysqld.err",
  ...change,
});

describe("the health of a managed server", () => {
  test("is good if it runs or is stopped as declared, and then has nothing to fix", () => {
    expect(instanceHealth(sight())).toEqual({ isWell: true, words: "running" });
    expect(instanceHealth(sight({ wanted: "stopped", isRunning: false, answers: false }))).toEqual({
      isWell: true,
      words: "stopped, as declared",
    });
    expect(instanceHealth(sight({ isReadOnly: false, wantsReadOnly: false })).isWell).toBe(true);
  });

  test.each<[string, Partial<InstanceSight>]>([
    ["does not exist", { isThere: false, unfinished: seedingHealth.none }],
    ["claimed, not seeded yet", { unfinished: seedingHealth.none }],
    ["being seeded", { unfinished: seedingHealth.running }],
    ["seeding failed", { unfinished: seedingHealth.failed }],
    ["seeded, not finished yet", { unfinished: seedingHealth.finished }],
    ["stopped, declared running", { isRunning: false, answers: false }],
    ["running, declared stopped", { wanted: "stopped" }],
    ["running, does not answer", { answers: false, isReadOnly: null }],
    ["running, writable, declared read-only", { isReadOnly: false }],
  ])("says `%s` and what to do", (words, change) => {
    const health = instanceHealth(sight(change));
    expect(health).toMatchObject({ isWell: false, words });
    expect(health.fix).toMatch(/pulumi up|mysqld\.err/);
  });
});
