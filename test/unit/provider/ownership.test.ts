import { isOurs, requireOurs } from "../../../provider/ownership";

const owner = { owner: "shop/dev/orders", seal: "one" };
const unknown = { ...owner, seal: null };
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
  owner,
  thing: "directory /srv/orders",
  another: "another `directory`",
};

describe("an object with a marker", () => {
  test("is ours when the marker says so, or when nobody was there yet to seal it", () => {
    expect(() => requireOurs({ ...claim, found: owner, adopt: false })).not.toThrow();
    expect(() => requireOurs({ ...claim, found: unknown, adopt: false })).not.toThrow();
    expect(() => requireOurs({ ...claim, owner: unknown, found: unknown, adopt: false })).not.toThrow();
  });

  test("of another owner is refused, adopt or not, and a renamed resource is told how to keep its data", () => {
    for (const adopt of [false, true])
      expect(() => requireOurs({ ...claim, found: { ...owner, owner: "shop/dev/old/one" }, adopt })).toThrow(
        /OWNERSHIP_FOREIGN[^]*aliases: \[\{ name: "old\/one" \}\]/,
      );
  });

  test.each(["billing/dev/orders", "shop/prod/orders"])("of %s, another stack, is no renamed resource", (other) => {
    const refused = problemOf(() => requireOurs({ ...claim, found: { ...owner, owner: other }, adopt: false }));
    expect(refused).toMatch(/OWNERSHIP_FOREIGN/);
    expect(refused).toMatch(/fix +declare another `directory`/);
    expect(refused).not.toMatch(/aliases/);
  });

  test("that another state of the same name holds is refused, and with adopt taken over by a state that knows nothing", () => {
    const found = { ...owner, seal: "two" };
    expect(isOurs(found, owner)).toBe(false);
    expect(isOurs(found, unknown)).toBe(false);
    expect(() => requireOurs({ ...claim, owner: unknown, found, adopt: false })).toThrow(
      /not in this stack's state \(OWNERSHIP_OTHER_STATE\)[^]*adopt: true/,
    );
    expect(() => requireOurs({ ...claim, owner: unknown, found, adopt: true })).not.toThrow();
    for (const adopt of [false, true])
      expect(() => requireOurs({ ...claim, found, adopt })).toThrow(/taken it over \(OWNERSHIP_OTHER_STATE\)/);
  });

  test("of nobody is refused, and taken over with adopt", () => {
    expect(() => requireOurs({ ...claim, found: null, adopt: false })).toThrow(/OWNERSHIP_UNMARKED/);
    expect(() => requireOurs({ ...claim, found: null, adopt: true })).not.toThrow();
  });
});
