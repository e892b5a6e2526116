import { addResults, renderFloor, renderTotals } from "../../../scripts/test-totals";

test("the closing line names passed and failed, and skipped only where there are some", () => {
  expect(renderTotals({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
  expect(renderTotals({ passed: 12, failed: 1, skipped: 3 })).toBe("12 passed, 1 failed, 3 skipped");
});

test("totals count every floor", () => {
  const floors = [
    { passed: 1, failed: 0, skipped: 2 },
    { passed: 10, failed: 3, skipped: 0 },
  ];
  expect(addResults(floors)).toEqual({ passed: 11, failed: 3, skipped: 2 });
});

test("a floor that was not run says why", () => {
  const floor = { name: "live", needsLab: true };
  const line = renderFloor({ floor, passed: 0, failed: 0, skipped: 7, seconds: 1, skipReason: "the lab needs Linux" });
  expect(line).toMatch(/^live {6}0 passed, 0 failed, 7 skipped +1\.0 s {2}not run: the lab needs Linux$/);
});
