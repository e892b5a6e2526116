import { identityIn } from "../../../../provider/pulumi/state";
import type { AnyRoom } from "../../../../provider/room";
import { fileRoom } from "../../../harness/file-room";
import { nameInMarks, parseUrn } from "../../../../provider/pulumi/urn";

const text = "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/sluice:StagingDatabase::orders";

const room = fileRoom as AnyRoom;

describe("a URN", () => {
  test("gives stack, project and name", () => {
    expect(parseUrn(text)).toEqual({ text, stack: "prod", project: "shop", name: "orders" });
  });

  test("of a child has the name of the child", () => {
    const child = "urn:pulumi:prod::shop::my:Component$pulumi-nodejs:dynamic/sluice:StagingDatabase::orders";
    expect(nameInMarks(parseUrn(child))).toBe("shop/prod/orders");
  });

  test("may hold a name with colons", () => {
    expect(parseUrn(`${text}::eu`).name).toBe("orders::eu");
  });

  test("that is not known has no parts", () => {
    expect(parseUrn("")).toEqual({ text: "", stack: "", project: "", name: "" });
  });
});

describe("the identity", () => {
  test("of a new object is named by its URN", () => {
    expect(identityIn(room, { urn: text, remembered: null })).toEqual({
      kind: "FileRoom",
      name: "shop/prod/orders",
      seal: null,
    });
  });

  test("stays what it was when resource, stack or project are renamed", () => {
    const identity = { kind: "FileRoom", name: "shop/dev/old", seal: "one" };
    const remembered = { stateVersion: 2, identity, settled: null };
    expect(identityIn(room, { urn: text, remembered })).toEqual(identity);
  });
});
