/**
 * When a timed service runs. All times are UTC: the same moment on every host, and none is skipped or comes twice when clocks
 * change. A run that was missed is made up once.
 */
export type Timer =
  /** From midnight on. Divides an hour, or is a number of hours that divides a day; once a day is `at`. */
  | { readonly everyMinutes: number }
  /** Times of day, `02:30`, on these days or on every day. */
  | { readonly at: readonly string[]; readonly on?: readonly Weekday[] };

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
export type Weekday = (typeof weekdays)[number];

const minuteSeconds = 60;
const daySeconds = 86_400;
const mondaySeconds = 4 * daySeconds; // the first day of Unix time was a Thursday

/** The values of `OnCalendar=`, systemd.time(7). */
export function renderCalendar(timer: Timer): readonly string[] {
  if ("at" in timer) {
    const days = timer.on === undefined ? "" : `${timer.on.join(",")} `;
    return timer.at.map((time) => `${days}*-*-* ${time}:00 UTC`);
  }
  const { everyMinutes } = timer;
  requireEven(everyMinutes);
  return [everyMinutes < 60 ? `*-*-* *:00/${everyMinutes}:00 UTC` : `*-*-* 00/${everyMinutes / 60}:00:00 UTC`];
}

/** The same moments as arithmetic of Unix time: due at `offset + n * period` for each offset. */
export interface Period {
  readonly periodSeconds: number;
  readonly offsetSeconds: readonly number[];
}

export function periodOf(timer: Timer): Period {
  if ("everyMinutes" in timer) {
    requireEven(timer.everyMinutes);
    return { periodSeconds: timer.everyMinutes * minuteSeconds, offsetSeconds: [0] };
  }
  const times = timer.at.map(secondsOfDay);
  if (timer.on === undefined) return { periodSeconds: daySeconds, offsetSeconds: times };
  const days = timer.on.map((day) => mondaySeconds + weekdays.indexOf(day) * daySeconds);
  return { periodSeconds: 7 * daySeconds, offsetSeconds: days.flatMap((day) => times.map((time) => day + time)) };
}

function requireEven(everyMinutes: number): void {
  const hours = everyMinutes / 60;
  if (everyMinutes >= 1 && 60 % everyMinutes === 0) return;
  if (hours < 24 && Number.isInteger(hours) && 24 % hours === 0) return; // systemd refuses a repetition of 24 hours
  throw new RangeError(`a timer cannot run every ${everyMinutes} minutes: an hour or a day does not divide by it`);
}

function secondsOfDay(time: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (match === null) throw new RangeError(`a time of day is written like 02:30: ${time}`);
  return (Number(match[1]) * 60 + Number(match[2])) * minuteSeconds;
}
