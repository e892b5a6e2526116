import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "@jest/test-result";
import { slowest, SlowestFirst } from "../../../scripts/slowest-first";

const tests = join(__dirname, "..", "..");

test("every file that is to start first is there", () => {
  const missing = slowest.filter((name) => !["live", "e2e"].some((floor) => existsSync(join(tests, floor, name))));
  expect(missing).toEqual([]);
});

test("the slowest file starts first, and a file of unknown length last", () => {
  const names = ["unknown.test.ts", slowest[1] ?? "", slowest[0] ?? ""];
  const sorted = new SlowestFirst().sort(names.map((name) => ({ path: join(tests, "live", name) }) as Test));
  expect(sorted.map(({ path }) => path)).toEqual(
    [slowest[0], slowest[1], "unknown.test.ts"].map((name) => join(tests, "live", name ?? "")),
  );
});
