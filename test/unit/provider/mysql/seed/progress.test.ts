import { parseProgress, ProgressMeter, renderBytes, renderSeconds } from "../../../../../provider/mysql/seed/progress";

test.each([
  ["", null],
  ["123\n", { doneBytes: 123, totalBytes: 1000 }],
  ["123 456", { doneBytes: 123, totalBytes: 456 }],
  ["NULL\tNULL", null],
  ["123\t0", { doneBytes: 123, totalBytes: 1000 }],
])("a script's progress %j", (progressText, progress) => {
  expect(parseProgress({ progressText }, 1000)).toEqual(progress);
});

test("progress says how much of what, how fast, and how long still", () => {
  const meter = new ProgressMeter();
  expect(meter.render({ doneBytes: 0, totalBytes: 2.6e9 }, 0)).toBe("0 bytes of 2.6 GB");
  expect(meter.render({ doneBytes: 1.6e9, totalBytes: 2.6e9 }, 10)).toBe("1.6 GB of 2.6 GB, 160 MB/s, 7 s left");
  expect(meter.render({ doneBytes: 2.6e9, totalBytes: 2.6e9 }, 20)).toBe("2.6 GB of 2.6 GB, 100 MB/s");
});

test("an estimate is called so, and a passed one is not shown", () => {
  const meter = new ProgressMeter(true);
  meter.render({ doneBytes: 0, totalBytes: 100 }, 0);
  expect(meter.render({ doneBytes: 50, totalBytes: 100 }, 1)).toBe("50 bytes of about 100 bytes, 50 bytes/s, 1 s left");
  expect(meter.render({ doneBytes: 150, totalBytes: 100 }, 2)).toBe("150 bytes, 75 bytes/s");
  expect(new ProgressMeter().render({ doneBytes: 5, totalBytes: null }, 0)).toBe("5 bytes");
});

test("the rate is that of the last seconds, and a stall is counted from the last byte", () => {
  const meter = new ProgressMeter();
  for (let second = 0; second <= 100; second++) meter.render({ doneBytes: second * 1000, totalBytes: null }, second);
  for (let second = 101; second <= 130; second++) meter.render({ doneBytes: 100_000, totalBytes: null }, second);
  expect(meter.render({ doneBytes: 100_000, totalBytes: null }, 131)).toBe("100 kB");
  expect(meter.stalledSeconds(131)).toBe(31);
});

test("sizes and times are short", () => {
  expect([0, 999, 1000, 9999, 123_456, 1.5e12].map(renderBytes)).toEqual([
    "0 bytes",
    "999 bytes",
    "1.0 kB",
    "10.0 kB",
    "123 kB",
    "1.5 TB",
  ]);
  expect([0.2, 119, 121, 7000, 7300].map(renderSeconds)).toEqual(["1 s", "119 s", "2 min", "117 min", "2 h"]);
});
