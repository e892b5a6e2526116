import {
  containsGtidSet,
  countGtids,
  type GtidSet,
  isEmptyGtidSet,
  isGtidSet,
  noGtids,
  parseGtidSet,
  renderGtidSet,
  subtractGtidSet,
  uniteGtidSets,
} from "../../../../provider/mysql/gtid";

const a = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const b = "5f22fa47-71ca-11e1-9e33-c80aa9429562";
const canonical = (text: string) => renderGtidSet(parseGtidSet(text));

describe("reading and writing", () => {
  it.each([
    ["nothing", "", ""],
    ["only white space", " \n\t ", ""],
    ["one transaction", `${a}:23`, `${a}:23`],
    ["several ranges, out of order, touching and overlapping", `${a}:8-9:1-3:4:2-5:7`, `${a}:1-5:7-9`],
    ["upper case", `${a.toUpperCase()}:1-5`, `${a}:1-5`],
    ["line breaks as @@gtid_executed has them", `${a}:1-5,\n${b}:1-7`, `${a}:1-5,${b}:1-7`],
    ["carriage returns and spaces", ` ${b} : 1 - 7 ,\r\n ${a}:3 `, `${a}:3,${b}:1-7`],
    ["a uuid twice", `${a}:1-3,${a}:5`, `${a}:1-3:5`],
    ["commas at the ends", `,${a}:1,,`, `${a}:1`],
    ["tags", `${a}:1-5:blue:1-3:7:green_2:9`, `${a}:1-5:blue:1-3:7:green_2:9`],
    ["a tag alone", `${a}:blue:1`, `${a}:blue:1`],
    ["tags in upper case and out of order", `${a}:Red:1:blue:2,${a}:4`, `${a}:4:blue:2:red:1`],
    ["a tag twice", `${a}:blue:1-2,${a}:blue:3`, `${a}:blue:1-3`],
    ["an empty range, which the server takes too", `${a}:5-3:9`, `${a}:9`],
    ["a uuid without dashes", `${a.replaceAll("-", "")}:1`, `${a}:1`],
    ["the largest number", `${a}:9223372036854775806`, `${a}:9223372036854775806`],
  ])("reads %s", (_, text, rendered) => {
    expect(canonical(text)).toBe(rendered);
  });

  it.each([
    ["no uuid", "1-5"],
    ["a short uuid", "3e11fa47-71ca-11e1-9e33:1"],
    ["a uuid alone", a],
    ["number zero", `${a}:0`],
    ["a negative number", `${a}:-1`],
    ["too large a number", `${a}:9223372036854775807`],
    ["words", `${a}:one two`],
    ["a tag that begins with a digit", `${a}:1blue:1`],
    ["a tag of 33 characters", `${a}:${"t".repeat(33)}:1`],
    ["a MariaDB GTID", "0-1-100"],
    ["a half-open range", `${a}:1-`],
  ])("refuses %s", (_, text) => {
    expect(isGtidSet(text)).toBe(false);
    expect(() => parseGtidSet(text)).toThrow("GTID_UNREADABLE");
  });

  it("shows only the beginning of a long text it cannot read", () => {
    const message = wordsOf(() => parseGtidSet(`${a}:1,`.repeat(1000) + "x"));
    expect(message.length).toBeLessThan(700);
    expect(message.split("\n")[0]).toBe('GTID set: cannot be read: "x" is not a server uuid (GTID_UNREADABLE)');
  });
});

describe("counting", () => {
  it("counts beyond 2^53", () => {
    expect(countGtids(parseGtidSet(`${a}:1-9007199254740993,${b}:5:blue:1-2`))).toBe(9007199254740996n);
    expect(countGtids(noGtids)).toBe(0n);
  });
});

describe("algebra", () => {
  it("treats each tag as a sequence of its own", () => {
    const left = parseGtidSet(`${a}:1-10:blue:1-10`);
    expect(renderGtidSet(subtractGtidSet(left, parseGtidSet(`${a}:3-4:blue:9`)))).toBe(`${a}:1-2:5-10:blue:1-8:10`);
    expect(containsGtidSet(left, parseGtidSet(`${a}:red:1`))).toBe(false);
  });

  it("cuts one range by several holes, and several ranges by one hole", () => {
    expect(renderGtidSet(subtractGtidSet(parseGtidSet(`${a}:1-20`), parseGtidSet(`${a}:1:5-7:20-30`)))).toBe(
      `${a}:2-4:8-19`,
    );
    expect(renderGtidSet(subtractGtidSet(parseGtidSet(`${a}:1-3:5-7:9-11`), parseGtidSet(`${a}:2-10`)))).toBe(
      `${a}:1:11`,
    );
  });

  describe("agrees with sets of single transactions, for random sets", () => {
    const random = seededRandom(20261120);
    const cases = Array.from({ length: 400 }, () => [randomModel(random), randomModel(random)] as const);

    it.each([
      ["union", uniteGtidSets, (x: Model, y: Model) => new Set([...x, ...y])],
      ["difference", subtractGtidSet, (x: Model, y: Model) => new Set([...x].filter((one) => !y.has(one)))],
    ])("%s", (_, ours, model) => {
      for (const [x, y] of cases) expect(modelOf(ours(setOf(x), setOf(y)))).toEqual([...model(x, y)].sort());
    });

    it("containment, emptiness and count", () => {
      for (const [x, y] of cases) {
        expect(containsGtidSet(setOf(x), setOf(y))).toBe([...y].every((one) => x.has(one)));
        expect(isEmptyGtidSet(setOf(x))).toBe(x.size === 0);
        expect(countGtids(setOf(x))).toBe(BigInt(x.size));
      }
    });

    it("laws: what is rendered is read as the same; parts make the whole", () => {
      for (const [x, y] of cases) {
        const [left, right] = [setOf(x), setOf(y)];
        expect(canonical(renderGtidSet(left))).toBe(renderGtidSet(left));
        const rest = subtractGtidSet(left, right);
        expect(renderGtidSet(uniteGtidSets(rest, subtractGtidSet(left, rest)))).toBe(renderGtidSet(left));
        expect(renderGtidSet(uniteGtidSets(left, right))).toBe(renderGtidSet(uniteGtidSets(right, left)));
      }
    });
  });
});

/** Single transactions as text, over few keys and small numbers, so that sets meet often. */
type Model = ReadonlySet<string>;

function randomModel(random: () => number): Model {
  const model = new Set<string>();
  const ranges = Math.floor(random() * 6);
  for (let i = 0; i < ranges; i += 1) {
    const key = [a, b, `${a}:blue`][Math.floor(random() * 3)] ?? a;
    const first = 1 + Math.floor(random() * 25);
    const length = Math.floor(random() * 8);
    for (let number = first; number <= first + length; number += 1) model.add(`${key}:${number}`);
  }
  return model;
}

const setOf = (model: Model): GtidSet => parseGtidSet([...model].join(","));

function modelOf(set: GtidSet): readonly string[] {
  const all: string[] = [];
  for (const [key, intervals] of set.intervals) {
    for (const { first, last } of intervals) for (let at = first; at <= last; at += 1n) all.push(`${key}:${at}`);
  }
  return all.sort();
}

/** The same sets in every run: a linear congruential generator (Numerical Recipes). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
}

function wordsOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}
