import { z } from "zod";
import { checkInputs } from "../../../../provider/schema/check";
import { databaseName, port, seconds } from "../../../../provider/schema/fields";
import { host, tls } from "../../../../provider/schema/connection";
import { unknownValue } from "../../../../provider/schema/unknown";
import { nearest } from "../../../../provider/schema/words";

const declaration = z.strictObject({
  host,
  port: port.default(3306),
  databases: z.union([z.literal("ALL"), z.array(databaseName).min(1)]).default("ALL"),
  mode: z.enum(["replication", "manual"]).default("replication"),
  source: z.strictObject({ address: z.string(), port: port.default(3306), tls: tls.default("required") }).optional(),
  config: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  replicas: z.array(z.strictObject({ name: z.string(), port: port.default(3306) })).optional(),
  stopSeconds: seconds({ min: 10, max: 600 }).default(60),
});
const schema = { declaration, outputs: {} };
const machine = { address: "stage-1" };
const check = (raw: Record<string, unknown>) => checkInputs(schema, raw);
const problemsOf = (raw: Record<string, unknown>) => check({ host: machine, ...raw }).problems;

describe("defaults", () => {
  test("are filled in at every depth", () => {
    expect(check({ host: machine, source: { address: "db-1" } })).toEqual({
      problems: [],
      inputs: {
        host: { address: "stage-1", port: 22, user: "root" },
        port: 3306,
        databases: "ALL",
        mode: "replication",
        source: { address: "db-1", port: 3306, tls: "required" },
        config: {},
        stopSeconds: 60,
      },
    });
  });

  test("are filled in beside what is unknown, in objects, lists and options of a union", () => {
    const { inputs, problems } = check({
      host: { address: "stage-1", port: unknownValue },
      port: unknownValue,
      source: { address: unknownValue, tls: { ca: "PEM" } },
      replicas: [{ name: "a" }, unknownValue, { name: "b", port: unknownValue }],
    });
    expect(problems).toEqual([]);
    expect(inputs).toEqual({
      host: { address: "stage-1", port: unknownValue, user: "root" },
      port: unknownValue,
      databases: "ALL",
      mode: "replication",
      source: { address: unknownValue, port: 3306, tls: { ca: "PEM", verifyIdentity: false } },
      config: {},
      replicas: [{ name: "a", port: 3306 }, unknownValue, { name: "b", port: unknownValue }],
      stopSeconds: 60,
    });
  });
});

describe("what is absent", () => {
  test("null is the same as absent, at every depth", () => {
    const withNulls = check({ host: { ...machine, user: null, proxy: null }, port: null, source: null, mode: null });
    expect(withNulls).toEqual(check({ host: machine }));
  });

  test("a required property that is missing is named", () => {
    expect(check({}).problems).toEqual(["host: is missing"]);
    expect(problemsOf({ source: {} })).toEqual(["source.address: is missing"]);
  });

  test("null inside a list is not absent", () => {
    expect(problemsOf({ databases: ["orders", null] })).toEqual(["databases.1: must be a text"]);
  });
});

describe("what is unknown", () => {
  const full = {
    host: { address: "stage-1", port: 22, user: "root", proxy: { address: "jump", port: 22, user: "x" } },
    port: 3306,
    databases: ["orders"],
    mode: "manual",
    source: { address: "db-1", port: 3306, tls: { ca: "PEM", verifyIdentity: true } },
    config: { max_connections: 5 },
    replicas: [{ name: "a", port: 1 }],
    stopSeconds: 60,
  };
  const paths = (value: unknown, path: string[] = []): string[][] =>
    value !== null && typeof value === "object"
      ? Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...paths(inner, [...path, key])])
      : [];
  const put = (value: unknown, [head, ...rest]: string[], leaf: unknown): unknown => {
    if (head === undefined) return leaf;
    const inner = put((value as Record<string, unknown>)[head], rest, leaf);
    return Array.isArray(value)
      ? value.map((old, index) => (String(index) === head ? inner : old))
      : { ...(value as object), [head]: inner };
  };

  test("is the whole declaration valid when everything is known", () => {
    expect(check(full)).toEqual({ inputs: full, problems: [] });
  });

  test.each(paths(full).map((path) => path.join(".")))("is tolerated at %s", (path) => {
    const raw = put(full, path.split("."), unknownValue) as Record<string, unknown>;
    expect(check(raw)).toEqual({ inputs: raw, problems: [] });
  });

  test("does not hide what is wrong beside it", () => {
    expect(problemsOf({ host: { address: "a", port: unknownValue, adress: 1 } })).toEqual([
      "host: has no property adress; did you mean address?",
    ]);
    expect(problemsOf({ databases: [unknownValue, 5] })).toEqual(["databases.1: must be a text"]);
    expect(problemsOf({ port: 0, stopSeconds: unknownValue })).toEqual(["port: is out of range (1-65535)"]);
  });
});

describe("words", () => {
  test.each([
    [{ port: "x" }, "port: must be a number"],
    [{ port: 1.5 }, "port: must be a whole number"],
    [{ port: 70_000 }, "port: is out of range (1-65535)"],
    [{ stopSeconds: 5 }, "stopSeconds: is out of range (10-600 seconds)"],
    [{ mode: "replica" }, 'mode: must be "replication" or "manual"'],
    [{ databases: "SOME" }, 'databases: must be "ALL" or a list'],
    [{ databases: [] }, "databases: must have at least 1 entry"],
    [{ databases: ["a/b"] }, "databases.0: is not a valid database name"],
    [{ host: 5 }, 'host: must be "local" or an object'],
    [{ host: {} }, "host.address: is missing"],
    [{ source: { address: "x", tls: "on" } }, 'source.tls: must be "required", "off" or an object'],
    [{ source: { address: "x", tls: { ca: "" } } }, "source.tls.ca: must not be empty"],
    [{ config: { a: true } }, "config.a: must be a text or a number"],
    [{ host: { ...machine, proxy: { addres: "jump" } } }, "host.proxy.address: is missing"],
    [{ prot: 3306 }, "has no property prot; did you mean port?"],
    [{ colour: "red" }, "has no property colour"],
    [{ source: { address: "x", Port: 1 } }, "source: has no property Port; did you mean port?"],
  ])("%j: %s", (raw, problem) => {
    expect(problemsOf(raw)).toContain(problem);
  });

  test("never hold the value: the engine would print it", () => {
    const value = "s3cret-value";
    const raws = [
      { port: value },
      { mode: value },
      { databases: { [value]: 1 } },
      { databases: [`${value}/`] },
      { host: value },
      { host: { address: `${value} !`, password: 5 } },
      { host: { address: "a", privateKey: { text: value } } },
      { source: { address: "x", tls: { ca: "PEM", key: [value] } } },
      { source: value },
    ];
    for (const raw of raws) {
      expect(problemsOf(raw)).not.toEqual([]);
      expect(problemsOf(raw).join("\n").replaceAll(`property ${value}`, "")).not.toContain(value);
    }
  });
});

describe("nearest", () => {
  test.each([
    ["prot", "port"],
    ["Directory", "directory"],
    ["databses", "databases"],
    ["datbases", "databases"],
  ])("%s is meant to be %s", (word, meant) => {
    expect(nearest(word, ["port", "directory", "databases", "host"])).toBe(meant);
  });

  test.each([
    ["baseDir", "baseDirectory"],
    ["BASEDIR", "baseDirectory"],
    ["hostName", "host"],
    ["data", "databases"],
  ])("%s begins as %s does, and nothing else", (word, meant) => {
    expect(nearest(word, ["port", "baseDirectory", "databases", "host"])).toBe(meant);
  });

  test.each(["stop", "po", "re"])("%s may mean several, or is too short to mean one", (word) => {
    expect(nearest(word, ["stopSeconds", "stopSignal", "portOfServer", "reseed"])).toBeUndefined();
  });

  test.each(["colour", "a", "password"])("%s is like none of them", (word) => {
    expect(nearest(word, ["port", "directory", "databases", "host"])).toBeUndefined();
  });
});
