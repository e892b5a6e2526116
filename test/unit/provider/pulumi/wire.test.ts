import * as structproto from "google-protobuf/google/protobuf/struct_pb";
import { markSecrets, toWire, unwrapSecrets } from "../../../../provider/pulumi/wire";

const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value });

/** What Pulumi's provider process does with a result before it is sent. */
const sent = (value: object): unknown =>
  structproto.Struct.fromJavaScript(value as Parameters<typeof structproto.Struct.fromJavaScript>[0]).toJavaScript();

describe("toWire", () => {
  test.each([
    ["undefined in an object", { a: undefined, b: 1 }, { b: 1 }],
    ["undefined in a list", { a: [1, undefined] }, { a: [1, null] }],
    ["a bigint", { a: 18_446_744_073_709_551_615n }, { a: "18446744073709551615" }],
    ["a date", { a: new Date(0) }, { a: "1970-01-01T00:00:00.000Z" }],
    ["an impossible date", { a: new Date(NaN) }, { a: null }],
    ["a buffer", { a: Buffer.from("ä") }, { a: "w6Q=" }],
    ["bytes", { a: new Uint8Array([1, 2]) }, { a: "AQI=" }],
    ["a map", { a: new Map([["x", 1n]]) }, { a: { x: "1" } }],
    ["a set", { a: new Set(["x"]) }, { a: ["x"] }],
    ["what is no number", { a: NaN, b: Infinity }, { a: null, b: null }],
    ["functions and symbols", { a: () => 1, b: Symbol("b"), c: [() => 1] }, { c: [null] }],
    ["what Struct knows", { a: [{ b: null, c: true, d: "x", e: 1.5 }] }, { a: [{ b: null, c: true, d: "x", e: 1.5 }] }],
  ])("sends %s", (_name, value, expected) => {
    const wired = toWire(value) as object;
    expect(wired).toEqual(expected);
    expect(sent(wired)).toEqual(expected);
  });
});

describe("secrets", () => {
  const value = { password: "a", host: { key: "b", port: 22, proxy: { key: "c" } }, list: ["d"] };

  test("are marked leaf by leaf, and the value is left as it was", () => {
    const before = structuredClone(value);
    expect(markSecrets(value, ["password", "host.key", "host.proxy.key"])).toEqual({
      password: secret("a"),
      host: { key: secret("b"), port: 22, proxy: { key: secret("c") } },
      list: ["d"],
    });
    expect(value).toEqual(before);
  });

  test("are marked in every entry of a list", () => {
    const accounts = [{ name: "a", password: "x" }, { name: "b" }, { name: "c", password: "y" }];
    expect(markSecrets({ accounts, list: [] }, ["accounts.*.password", "list.*.password", "absent.*.x"])).toEqual({
      accounts: [{ name: "a", password: secret("x") }, { name: "b" }, { name: "c", password: secret("y") }],
      list: [],
    });
  });

  test("a path that leads nowhere marks nothing", () => {
    const paths = ["absent", "host.absent", "password.below", "list.0.x", "host.proxy.deep.deeper"];
    expect(markSecrets(value, paths)).toEqual(value);
    expect(markSecrets({ host: "local", gone: null }, ["host.key", "gone"])).toEqual({ host: "local", gone: null });
  });

  test("come back plain, at any depth", () => {
    const marked = markSecrets(value, ["password", "host", "list"]);
    expect(unwrapSecrets(marked)).toEqual(value);
    expect(unwrapSecrets([secret({ a: secret("x") }), null])).toEqual([{ a: "x" }, null]);
  });
});
