import { sayDuration } from "../../../provider/duration";

test.each([
  [0, "0s"],
  [0.2, "1s"],
  [59.1, "1m00s"],
  [80, "1m20s"],
  [3599, "59m59s"],
  [3600, "1h00m"],
  [7500, "2h05m"],
  [86_400, "24h00m"],
])("%d s are %s", (seconds, words) => {
  expect(sayDuration(seconds)).toBe(words);
});
