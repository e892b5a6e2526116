import { complete, outs, valid, writtenBefore } from "../../../../provider/pulumi/border";
import { replacedBy } from "../../../../provider/pulumi/preview";
import { strangers, takeApart } from "../../../../provider/pulumi/state";
import type { AnyRoom } from "../../../../provider/room";
import { unknownValue } from "../../../../provider/schema/unknown";
import { fileRoom } from "../../../harness/file-room";

const room = fileRoom as AnyRoom;
const urn = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/sluice:FileRoom::one";
const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value });
const seen = { seal: null, owner: "shop/dev/one", parts: 2, text: null, passwordMatches: true };

describe("what the engine sends", () => {
  test("is taken apart: declaration, URN, provider, what was seen", () => {
    const bag = takeApart(room, {
      host: "local",
      text: null,
      password: secret("P"),
      count: "2",
      __provider: "code",
      __urn: urn,
      __sluice: { stateVersion: 1, owner: "shop/dev/one", seal: "a", settled: JSON.stringify(seen) },
    });
    expect(bag).toEqual({
      declared: { host: "local", password: "P" },
      urn,
      name: "one",
      provider: "code",
      remembered: { stateVersion: 1, identity: { kind: "FileRoom", name: "shop/dev/one", seal: "a" }, settled: seen },
    });
  });

  test("may be empty, or without values of Sluice", () => {
    const empty = { declared: {}, urn: "", name: "", provider: undefined, remembered: null };
    for (const bag of [undefined, null, {}, { __urn: unknownValue }, { __sluice: "text" }, { __sluice: {} }])
      expect(takeApart(room, bag)).toEqual(empty);
  });

  test("an unknown property is a stranger; an output is one too, where a program sets it", () => {
    expect(strangers(room, { host: "local", prats: 1, count: "3", text64: null, __urn: urn })).toEqual({
      prats: 1,
      count: "3",
    });
  });
});

describe("what is sent back", () => {
  const bag = { declared: {}, urn, name: "one", provider: "code", remembered: null };

  test("keeps what the program had declared where a refresh laid something else over it, again and again", () => {
    const written = writtenBefore(
      room,
      { ...bag, declared: { text: "hello", parts: 2 } },
      { text: "changed", parts: 2 },
    );
    expect(written).toEqual({ text: "hello" });
    const sent = outs(room, bag, { host: "local", directory: "/a", text: "changed" }, { settled: seen, written });
    const next = takeApart(room, sent);
    expect(next.remembered).toMatchObject({ written });
    expect(writtenBefore(room, next, { text: "changed again" })).toEqual({ text: "hello" });
    expect(writtenBefore(room, next, { text: "hello" })).toEqual({});
    expect(JSON.stringify(writtenBefore(room, next, { password: "P", access: {} }))).toBe("{}");
  });

  test("holds declaration, outputs and what was seen, and can be taken apart again", () => {
    const sent = outs(room, bag, { host: "local", directory: "/a", password: "P" }, { seal: "a", settled: seen });
    expect(sent).toEqual({
      host: "local",
      directory: "/a",
      password: secret("P"),
      count: "2",
      text64: "",
      __urn: urn,
      __sluice: {
        stateVersion: 2,
        identity: { kind: "FileRoom", name: "shop/dev/one", seal: "a" },
        settled: JSON.stringify(seen),
      },
    });
    expect(takeApart(room, sent).remembered?.settled).toEqual(seen);
  });

  test("holds the name it was made with where that is another one now", () => {
    const sent = outs(room, { ...bag, name: "old" }, { host: "local" }, { settled: null });
    expect(sent).toMatchObject({ __urn: urn, __name: "old" });
    expect(takeApart(room, sent)).toMatchObject({ urn, name: "old" });
  });

  test("has no outputs where nothing could be seen", () => {
    expect(outs(room, bag, { host: "local" }, { settled: null })).toEqual({
      host: "local",
      __urn: urn,
      __sluice: { stateVersion: 2, identity: { kind: "FileRoom", name: "shop/dev/one", seal: null }, settled: null },
    });
  });
});

describe("a declaration from the state", () => {
  const stored = (declared: Record<string, unknown>) => ({
    declared,
    urn,
    name: "one",
    provider: "",
    remembered: null,
  });

  test("gets what has a default today, and what is filled in", () => {
    expect(complete(room, stored({ host: "local", directory: "/srv/a" })).inputs).toMatchObject({
      parts: 2,
      label: "a",
    });
  });

  test("that is no longer valid is refused for work, with every problem", () => {
    expect(() => valid(room, stored({ host: "local", directory: "a", parts: 99 }))).toThrow(
      "files a@local: its declaration is not valid (DECLARATION_INVALID)\n" +
        "  found   directory: must be an absolute path\n" +
        "          parts: must be at most 20\n" +
        "  fix     correct the properties in the program",
    );
  });
});

describe("replacedBy", () => {
  const machine = { address: "stage-1", port: 22, user: "root" };
  const before = { host: machine, directory: "/a" };

  test.each([
    [{ host: machine, directory: "/a" }, []],
    [{ host: { ...machine, user: "admin", privateKey: "KEY" }, directory: "/a" }, []],
    [{ host: { ...machine, address: "stage-2" }, directory: "/b" }, ["host.address", "directory"]],
    [{ host: { ...machine, address: "stage-2", hostKey: "SHA256:x" }, directory: "/a" }, ["host.address"]],
    [{ host: machine, directory: unknownValue }, ["directory"]],
    [{ host: { ...machine, address: unknownValue }, directory: "/a" }, ["host.address"]],
    [{ host: "local", directory: "/a" }, expect.arrayContaining(["host"])],
    [{ host: unknownValue, directory: "/a" }, expect.arrayContaining(["host"])],
  ])("%j: %j", (after, paths) => {
    expect(replacedBy(room, before, after)).toEqual(paths);
  });

  test("a machine that is known by its pinned key stays the same one under another address", () => {
    const pinned = { host: { ...machine, hostKey: "SHA256:x" }, directory: "/a" };
    const at = (change: object) => ({ ...pinned, host: { ...pinned.host, address: "stage-2", ...change } });
    expect(replacedBy(room, pinned, at({}))).toEqual([]);
    expect(replacedBy(room, pinned, at({ hostKey: "SHA256:y" }))).toEqual(["host.address"]);
    expect(replacedBy(room, pinned, at({ hostKey: undefined }))).toEqual(["host.address"]);
    expect(replacedBy(room, pinned, at({ hostKey: unknownValue }))).toEqual(["host.address"]);
  });
});
