import { periodOf, renderCalendar, type Timer } from "../../../../../provider/host/service/timer";

test.each<[Timer, readonly string[]]>([
  [{ everyMinutes: 15 }, ["*-*-* *:00/15:00 UTC"]],
  [{ everyMinutes: 60 }, ["*-*-* 00/1:00:00 UTC"]],
  [{ everyMinutes: 720 }, ["*-*-* 00/12:00:00 UTC"]],
  [{ at: ["02:30", "14:00"] }, ["*-*-* 02:30:00 UTC", "*-*-* 14:00:00 UTC"]],
  [{ at: ["02:30"], on: ["Sat", "Sun"] }, ["Sat,Sun *-*-* 02:30:00 UTC"]],
])("%j for systemd", (timer, lines) => {
  expect(renderCalendar(timer)).toEqual(lines);
});

/** The next moments after a Saturday noon. */
function nextOf(timer: Timer, count: number): string[] {
  const from = Date.parse("2026-11-21T12:00:00Z") / 1000;
  const { periodSeconds, offsetSeconds } = periodOf(timer);
  const moments = offsetSeconds.flatMap((offset) => {
    const first = Math.ceil((from + 1 - offset) / periodSeconds) * periodSeconds + offset;
    return Array.from({ length: count }, (_, at) => first + at * periodSeconds);
  });
  return moments
    .sort((one, other) => one - other)
    .slice(0, count)
    .map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 16));
}

test.each<[Timer, readonly string[]]>([
  [{ everyMinutes: 30 }, ["2026-11-21T12:30", "2026-11-21T13:00"]],
  [{ everyMinutes: 360 }, ["2026-11-21T18:00", "2026-11-22T00:00"]],
  [{ at: ["02:30", "14:00"] }, ["2026-11-21T14:00", "2026-11-22T02:30"]],
  [{ at: ["11:00"], on: ["Mon", "Sat"] }, ["2026-11-23T11:00", "2026-11-28T11:00"]],
])("%j as arithmetic", (timer, moments) => {
  expect(nextOf(timer, 2)).toEqual(moments);
});

test.each([0, 7, 90, 300, 1440, 2880, 0.5])(
  "every %d minutes is refused: no time of day would repeat",
  (everyMinutes) => {
    expect(() => renderCalendar({ everyMinutes })).toThrow(/a day does not divide by it/);
    expect(() => periodOf({ everyMinutes })).toThrow(RangeError);
  },
);

test.each(["24:00", "2:30", "02:30:00", "2026"])("%s is not a time of day", (time) => {
  expect(() => periodOf({ at: [time] })).toThrow(/written like 02:30/);
});
