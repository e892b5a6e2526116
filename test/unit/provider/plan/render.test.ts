import {
  absent,
  canonicalText,
  compare,
  inOrder,
  inWords,
  isSame,
  saying,
  type Sayings,
} from "../../../../provider/plan/plan";
import { count, renderPlan, reportPlan } from "../../../../provider/plan/render";
import { silent } from "../../../../provider/report";
import { unknownValue } from "../../../../provider/schema/unknown";

type Step =
  | { readonly kind: "stop" }
  | { readonly kind: "point"; readonly from: string; readonly to: string }
  | { readonly kind: "secret" }
  | { readonly kind: "wait"; readonly seconds: number };

const say: Sayings<Step> = {
  stop: () => ({
    what: "stop the channel",
    interrupts: "rows stop arriving until step 3",
    sql: ["STOP REPLICA FOR CHANNEL 'orders'"],
  }),
  point: ({ from, to }) => ({
    what: `point it at ${to}`,
    because: [
      { property: "source.address", from, to },
      { property: "retryCount", from: "10", to: "30" },
    ],
    sql: ["CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = ***"],
  }),
  secret: () => ({ what: "change the password", because: [{ property: "password", from: "", to: "changed" }] }),
  wait: ({ seconds }) => ({
    what: `wait until everything that the source had executed is applied, at most ${String(seconds)} s`,
  }),
};

const plan = inOrder<Step>(
  { kind: "stop" },
  { kind: "point", from: "db-1", to: "db-2" },
  false,
  undefined,
  null,
  { kind: "secret" },
  { kind: "wait", seconds: 600 },
);

describe("a plan", () => {
  test("reads as numbered steps, why each is there, and what it interrupts", () => {
    expect(renderPlan("channel orders@stage-1:3307", plan, say)).toMatchInlineSnapshot(`
"channel orders@stage-1:3307: 4 steps
  1. stop the channel                         ! rows stop arriving until step 3
  2. point it at db-2                         source.address db-1 → db-2
                                              retryCount 10 → 30
  3. change the password                      password changed
  4. wait until everything that the source had executed is applied, at most 600 s"
`);
  });

  test("of ten steps keeps its numbers in line", () => {
    const ten = { steps: Array.from({ length: 10 }, () => ({ kind: "stop" }) as const) };
    const lines = renderPlan("a", ten, say).split("\n");
    expect([lines[0], lines[1]?.slice(0, 12), lines[10]?.slice(0, 12)]).toEqual([
      "a: 10 steps",
      "   1. stop t",
      "  10. stop t",
    ]);
  });

  test("says in words what only up will know", () => {
    const unknown = { steps: [{ kind: "point", from: "db-1", to: unknownValue } as const] };
    const text = renderPlan(`channel orders@${unknownValue}`, unknown, say);
    expect(text).toContain("channel orders@(known during up): 1 step\n");
    expect(text).toContain("point it at (known during up)");
    expect(text).not.toContain(unknownValue);
  });

  test("is printed with its statements at debug level; an empty one prints nothing", () => {
    const said: string[] = [];
    const debugged: string[] = [];
    const report = { ...silent, say: (text: string) => said.push(text), debug: (text: string) => debugged.push(text) };
    reportPlan(report, "a", { steps: [] }, say);
    expect([said, debugged]).toEqual([[], []]);
    reportPlan(report, "a", plan, say);
    expect(said).toEqual([renderPlan("a", plan, say)]);
    expect(debugged).toEqual([
      "a: statements\n  STOP REPLICA FOR CHANNEL 'orders'\n  CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = ***",
    ]);
  });

  test("a kind of step without words is named by its kind", () => {
    expect(saying({} as Sayings<Step>, { kind: "stop" })).toEqual({ what: "stop" });
  });
});

test("count knows one from many", () => {
  expect([count(0, "step"), count(1, "step"), count(2, "step")]).toEqual(["0 steps", "1 step", "2 steps"]);
});

describe("compare", () => {
  test("lists what differs, in words; null and absent are the same", () => {
    const wanted = { a: 1, b: "x", c: null, d: undefined, e: [], f: ["p", "q"], g: { z: 1, y: null } };
    const seen = { a: 2, b: "x", d: 5, e: ["r"], f: null, g: { z: 1 } };
    expect(compare(wanted, seen)).toEqual([
      { property: "a", from: "2", to: "1" },
      { property: "e", from: "r", to: "nothing" },
      { property: "f", from: "nothing", to: "p, q" },
    ]);
  });

  test("shows of a secret only that it changed", () => {
    expect(compare({ password: "new" }, { password: "old" }, ["password"])).toEqual([
      { property: "password", from: "", to: "changed" },
    ]);
  });
});

test("equal data has one text, whatever the order of its keys", () => {
  expect(canonicalText({ b: 1, a: { d: [1], c: undefined } })).toBe(canonicalText({ a: { d: [1] }, b: 1, e: null }));
  expect(isSame([1, 2], [2, 1])).toBe(false);
  expect(isSame("1", 1)).toBe(false);
});

test("values in words", () => {
  expect([inWords(""), inWords(0), inWords(false), inWords([]), inWords({ a: 1 })]).toEqual([
    "nothing",
    "0",
    "false",
    "nothing",
    '{"a":1}',
  ]);
  expect(typeof absent).toBe("symbol");
});
