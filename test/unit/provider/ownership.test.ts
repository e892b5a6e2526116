import { requireOurs } from "../../../provider/ownership";

const claim = {
  object: "staging database orders@stage-1:3306",
  owner: "shop/dev/orders",
  thing: "directory /srv/orders",
};

describe("an object with a marker", () => {
  test("is ours when the marker says so", () => {
    expect(() => requireOurs({ ...claim, found: "shop/dev/orders", adopt: false })).not.toThrow();
  });

  test("of another owner is refused, adopt or not, and a renamed resource is told how to keep its data", () => {
    for (const adopt of [false, true])
      expect(() => requireOurs({ ...claim, found: "shop/dev/old", adopt })).toThrow(/OWNERSHIP_FOREIGN[^]*aliases/);
  });

  test("of nobody is refused, and taken over with adopt", () => {
    expect(() => requireOurs({ ...claim, found: null, adopt: false })).toThrow(/OWNERSHIP_UNMARKED/);
    expect(() => requireOurs({ ...claim, found: null, adopt: true })).not.toThrow();
  });
});
