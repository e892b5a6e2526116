import { isOurs } from "../../../../provider/mark/mark";
import { requireOurs } from "../../../../provider/mark/refusals";

const identity = { kind: "StagingDatabase", name: "shop/dev/orders", seal: "one" };
const unknown = { ...identity, seal: null };
const problemOf = (act: () => void): string => {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was not refused");
};
const claim = {
  object: "staging database orders@stage-1:3306",
  identity,
  thing: "directory /srv/orders",
  another: "another `directory`",
};

describe("an object with a mark", () => {
  test("is owned if the mark says so, or if no run has sealed it yet", () => {
    expect(() => requireOurs({ ...claim, found: identity, adopt: false })).not.toThrow();
    expect(() => requireOurs({ ...claim, found: unknown, adopt: false })).not.toThrow();
    expect(() => requireOurs({ ...claim, identity: unknown, found: unknown, adopt: false })).not.toThrow();
  });

  test("of another owner is refused, adopt or not, and a renamed resource is told how to keep its data", () => {
    for (const adopt of [false, true])
      expect(() => requireOurs({ ...claim, found: { ...identity, name: "shop/dev/old/one" }, adopt })).toThrow(
        /OWNERSHIP_FOREIGN[^]*aliases: \[\{ name: "old\/one" \}\]/,
      );
  });

  test.each(["billing/dev/orders", "shop/prod/orders"])("of %s, another stack, is not a renamed resource", (other) => {
    const refused = problemOf(() => requireOurs({ ...claim, found: { ...identity, name: other }, adopt: false }));
    expect(refused).toMatch(/OWNERSHIP_FOREIGN/);
    expect(refused).toMatch(/fix +declare another `directory`/);
    expect(refused).not.toMatch(/aliases/);
  });

  test("that another state of the same name holds is refused, and with adopt taken over by a state that knows nothing", () => {
    const found = { ...identity, seal: "two" };
    expect(isOurs(found, identity)).toBe(false);
    expect(isOurs(found, unknown)).toBe(false);
    expect(() => requireOurs({ ...claim, identity: unknown, found, adopt: false })).toThrow(
      /not in this stack's state \(OWNERSHIP_OTHER_STATE\)[^]*adopt: true/,
    );
    expect(() => requireOurs({ ...claim, identity: unknown, found, adopt: true })).not.toThrow();
    for (const adopt of [false, true])
      expect(() => requireOurs({ ...claim, found, adopt })).toThrow(/taken it over \(OWNERSHIP_OTHER_STATE\)/);
  });

  test("without an owner is refused, and taken over with adopt", () => {
    expect(() => requireOurs({ ...claim, found: null, adopt: false })).toThrow(/OWNERSHIP_UNMARKED/);
    expect(() => requireOurs({ ...claim, found: null, adopt: true })).not.toThrow();
  });

  test("of another kind of resource with the same name is refused, adopt or not, with both kinds", () => {
    const found = { ...identity, kind: "VirtualDatabase" };
    expect(isOurs(found, identity)).toBe(false);
    for (const adopt of [false, true]) {
      const refused = problemOf(() => requireOurs({ ...claim, found, adopt }));
      expect(refused).toMatch(/OWNERSHIP_FOREIGN/);
      expect(refused).toMatch(/found +owner VirtualDatabase shop\/dev\/orders/);
      expect(refused).toMatch(/needs +owner StagingDatabase shop\/dev\/orders/);
      expect(refused).not.toMatch(/aliases/);
    }
  });
});
