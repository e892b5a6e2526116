import { ownerIn } from "../../../../provider/pulumi/state";
import { ownerOf, parseUrn } from "../../../../provider/pulumi/urn";

const text = "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/sluice:StagingDatabase::orders";

describe("a URN", () => {
  test("gives stack, project and name", () => {
    expect(parseUrn(text)).toEqual({ text, stack: "prod", project: "shop", name: "orders" });
  });

  test("of a child has the name of the child", () => {
    const child = "urn:pulumi:prod::shop::my:Component$pulumi-nodejs:dynamic/sluice:StagingDatabase::orders";
    expect(ownerOf(parseUrn(child))).toBe("shop/prod/orders");
  });

  test("may hold a name with colons", () => {
    expect(parseUrn(`${text}::eu`).name).toBe("orders::eu");
  });

  test("that is not known has no parts", () => {
    expect(parseUrn("")).toEqual({ text: "", stack: "", project: "", name: "" });
  });
});

describe("the owner", () => {
  test("of a new object is named by its URN", () => {
    expect(ownerIn({ urn: text, remembered: null })).toEqual({ owner: "shop/prod/orders", seal: null });
  });

  test("stays what it was when resource, stack or project are renamed", () => {
    const remembered = { stateVersion: 1, owner: "shop/dev/old", seal: "one", settled: null };
    expect(ownerIn({ urn: text, remembered })).toEqual({ owner: "shop/dev/old", seal: "one" });
  });
});
