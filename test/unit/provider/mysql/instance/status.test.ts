import { instanceHealth, type InstanceSight } from "../../../../../provider/mysql/instance/status";

const sight = (change: Partial<InstanceSight> = {}): InstanceSight => ({
  isThere: true,
  isSeeded: true,
  seeding: "none",
  isRunning: true,
  answers: true,
  wanted: "running",
  isReadOnly: true,
  wantsReadOnly: true,
  errorLog: "/srv/mysql/orders/log/mysqld.err",
  ...change,
});

describe("the health of a managed server", () => {
  test("is good where it runs or stands still as declared, and then has nothing to fix", () => {
    expect(instanceHealth(sight())).toEqual({ isWell: true, words: "running" });
    expect(instanceHealth(sight({ wanted: "stopped", isRunning: false, answers: false }))).toEqual({
      isWell: true,
      words: "stopped, as declared",
    });
    expect(instanceHealth(sight({ isReadOnly: false, wantsReadOnly: false })).isWell).toBe(true);
  });

  test.each<[string, Partial<InstanceSight>]>([
    ["does not exist", { isThere: false, isSeeded: false }],
    ["claimed, not seeded yet", { isSeeded: false }],
    ["being seeded", { isSeeded: false, seeding: "running" }],
    ["seeding failed", { isSeeded: false, seeding: "failed" }],
    ["seeded, not finished yet", { isSeeded: false, seeding: "finished" }],
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
