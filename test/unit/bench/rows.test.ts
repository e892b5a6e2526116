import { readOptions } from "../../../bench/options";
import { ownRows, peers, ratiosOf, type RowName } from "../../../bench/rows";
import { renderResults, resultsOf, toJson } from "../../../bench/table";
import type { Place } from "../../../bench/place";

const machine = {
  cores: 2,
  processor: "one",
  memoryGigabytes: 24,
  load: "0.1 before, 1.0 after",
  fileSystems: "ext4",
  settings: "none",
  versions: "mysqld 9.7.4",
};
const place = { dataMegabytes: 20 } as Place;
const samples = [
  { row: "up-clone", seconds: 9 },
  { row: "up-clone", seconds: 12 },
  { row: "up-clone", seconds: 10 },
  { row: "clone-instance", seconds: 8 },
] as const;

describe("the rows of the benchmark", () => {
  test("have the names that are published; new ones are added, none is changed or taken away", () => {
    expect([...ownRows, ...peers]).toEqual(
      expect.arrayContaining([
        "up-dump",
        "up-clone",
        "up-nothing",
        "status-100-channels",
        "refresh-100-channels",
        "mysqldump-mysql",
        "mydumper-myloader",
        "clone-instance",
        "pulumi-plain-resources",
        "pulumi-empty-program",
        "pulumi-stack-export",
        "pulumi-refresh-plain-resources",
      ]),
    );
  });

  test("in JSON are the machine and, of each row, name, runs, spread and ratios, and nothing else", () => {
    expect(toJson(resultsOf(place, machine, { samples, costs: {}, failed: {} }))).toEqual({
      machine,
      rows: [
        {
          name: "up-clone",
          runs: 3,
          min: 9,
          median: 10,
          max: 12,
          ratios: [{ against: "clone-instance", ratio: 1.25 }],
        },
        { name: "clone-instance", runs: 1, min: 8, median: 8, max: 8, ratios: [] },
      ],
    });
  });

  test("as text say the same ratio", () => {
    const text = renderResults(resultsOf(place, machine, { samples, costs: {}, failed: {} }));
    expect(text).toMatch(/^up-clone .* 1\.25 x clone-instance$/m);
  });

  test("have a ratio below 1 if Sluice is faster, and none against a peer that was not measured", () => {
    const medians = new Map<RowName, number>([
      ["up-dump", 20],
      ["mysqldump-mysql", 25],
    ]);
    expect(ratiosOf("up-dump", medians)).toEqual([{ against: "mysqldump-mysql", ratio: 0.8 }]);
    expect(ratiosOf("mysqldump-mysql", medians)).toEqual([]);
  });
});

describe("--only", () => {
  const only = (...beginnings: string[]) => readOptions(beginnings.flatMap((text) => ["--only", text]))?.only;

  test("takes the beginning of row names, several of them, and means all rows without one", () => {
    expect(only("up-c")).toEqual(["up-clone"]);
    expect(only("up")).toEqual(["up-dump", "up-clone", "up-nothing"]);
    expect(only("status", "up-dump")).toEqual(["up-dump", "status-100-channels"]);
    expect(only()).toEqual(ownRows);
  });

  test("refuses what no row of Sluice begins with, and names them", () => {
    expect(() => only("mysqldump")).toThrow(/up-dump, up-clone.*and not "mysqldump"/);
  });
});
