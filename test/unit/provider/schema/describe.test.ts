import { z } from "zod";
import { describeFields, problemsOf } from "../../../../provider/schema/describe";
import { absolutePath, port, seconds, secretText } from "../../../../provider/schema/fields";

const only = (field: z.ZodType) => {
  const [facts] = describeFields(z.strictObject({ field }));
  if (facts === undefined) throw new Error("no field");
  return facts;
};

describe("a field", () => {
  test("says its type, unit, range, default, where that comes from and what a change does", () => {
    const limit = seconds({ min: 1, max: 600 })
      .default(20)
      .describe("Longest wait.")
      .meta({ source: "a manual", change: "restarts" });
    expect(only(limit)).toEqual({
      path: "field",
      type: "whole number",
      page: null,
      mayBeLeftOut: true,
      default: "20",
      range: "1-600",
      unit: "seconds",
      source: "a manual",
      meaning: "Longest wait.",
      change: "restarts",
      unlessSame: null,
      isSecret: false,
      isNumber: true,
    });
  });

  test("keeps what its type said when it gets words of its own", () => {
    expect(only(absolutePath.max(80).describe("Where.")).type).toBe("absolute path");
    expect(only(port.default(22).describe("Port."))).toMatchObject({ type: "port", range: "1-65535", default: "22" });
    expect(only(secretText.optional().describe("Secret."))).toMatchObject({ isSecret: true, mayBeLeftOut: true });
  });

  test("that is part of the identity replaces, unless it says that it does not", () => {
    const address = z.string().describe("Address.").meta({ replaces: true });
    expect(only(address).change).toBe("new object");
    expect(only(address.meta({ replaces: false })).change).toBe("in place");
  });

  test.each([
    [z.enum(["a", "b"]), '"a" or "b"'],
    [z.union([z.literal("ALL"), z.array(z.string())]), '"ALL" or list of: text'],
    [z.record(z.string(), z.boolean()), "map of: true or false"],
    [z.strictObject({ file: z.string(), position: z.int() }), "{ file, position }"],
    [z.number().min(0), "number"],
  ])("of a composed type says it in words: %#", (field, words) => {
    expect(only(field).type).toBe(words);
  });
});

describe("the fields of an object", () => {
  const inner = z.strictObject({ file: z.string().describe("File.") });

  test("come in their order, parts after the whole, through unions, lists and defaults", () => {
    const schema = z.strictObject({
      seed: z.union([z.literal("dump"), inner]).default("dump"),
      list: z.array(inner).default([]),
      nested: inner.prefault({ file: "x" }),
    });
    expect(describeFields(schema).map(({ path }) => path)).toEqual([
      "seed",
      "seed.file",
      "list",
      "list[].file",
      "nested",
      "nested.file",
    ]);
  });

  test("leave the parts of what has a page to that page", () => {
    const schema = z.strictObject({ host: inner.meta({ type: "host", page: "connection.md#host" }).optional() });
    expect(describeFields(schema).map(({ path, type, page }) => [path, type, page])).toEqual([
      ["host", "host", "connection.md#host"],
    ]);
  });
});

describe("a field that does not say what it must", () => {
  test.each([
    [z.string(), "has no description"],
    [z.string().describe("not a sentence"), "is not a sentence"],
    [z.int().describe("How many."), "a number without a unit"],
    [z.int().default(3).describe("How many.").meta({ unit: "rows" }), "names no source"],
    [z.int().optional().describe("How many. Default 3.").meta({ unit: "rows" }), "names no source"],
    [z.string().describe("A change restarts the server."), "what a change costs (restarts)"],
    [z.string().describe("In place; rows stop arriving."), "what a change costs (interrupts)"],
  ])("is a problem: %#", (field, words) => {
    expect(problemsOf(only(field)).join("\n")).toContain(words);
  });

  test("and one that says all of it is none", () => {
    const field = z.int().min(1).default(3).describe("How many. A change restarts the server.");
    expect(problemsOf(only(field.meta({ unit: "rows", source: "a manual", change: "restarts" })))).toEqual([]);
  });
});
