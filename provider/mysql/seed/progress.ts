import type { JobFacts } from "../../host/job/job";

/** How far a job is: bytes by its own count. */
export interface Progress {
  readonly doneBytes: number;
  /** Null if unknown. */
  readonly totalBytes: number | null;
}

/** The script writes two numbers; the second may be missing. */
export function parseProgress(
  { progressText }: Pick<JobFacts, "progressText">,
  totalBytes: number | null,
): Progress | null {
  const [done, total] = (progressText.match(/\d+/g) ?? []).map(Number);
  if (done === undefined) return null;
  return { doneBytes: done, totalBytes: total !== undefined && total > 0 ? total : totalBytes };
}

const rateSeconds = 10; // long enough to even out bursts of a group commit, short enough to follow a change

/** Rate over the last seconds; says `1.6 of 2.6 GB, 120 MB/s, 8 s left`. */
export class ProgressMeter {
  readonly #seen: { readonly atSeconds: number; readonly bytes: number }[] = [];
  #grown = { atSeconds: 0, bytes: -1 };

  /** `isEstimate`: the total may be passed, so it is said as such and time left only while it is not. */
  constructor(private readonly isEstimate = false) {}

  render({ doneBytes, totalBytes }: Progress, atSeconds: number): string {
    this.#seen.push({ atSeconds, bytes: doneBytes });
    if (doneBytes !== this.#grown.bytes) this.#grown = { atSeconds, bytes: doneBytes };
    while (this.#seen.length > 2 && atSeconds - (this.#seen[0]?.atSeconds ?? 0) > rateSeconds) this.#seen.shift();
    const rate = this.rate();
    const left = totalBytes === null ? 0 : totalBytes - doneBytes;
    return [
      totalBytes === null || left < 0
        ? renderBytes(doneBytes)
        : `${renderBytes(doneBytes)} of ${this.isEstimate ? "about " : ""}${renderBytes(totalBytes)}`,
      ...(rate > 0 ? [`${renderBytes(rate)}/s`] : []),
      ...(rate > 0 && left > 0 ? [`${renderSeconds(left / rate)} left`] : []),
    ].join(", ");
  }

  /** Seconds since the last byte; 0 before the first look. */
  stalledSeconds(atSeconds: number): number {
    return this.#grown.bytes < 0 ? 0 : atSeconds - this.#grown.atSeconds;
  }

  private rate(): number {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (first === undefined || last === undefined || last.atSeconds <= first.atSeconds) return 0;
    return (last.bytes - first.bytes) / (last.atSeconds - first.atSeconds);
  }
}

const units = ["bytes", "kB", "MB", "GB", "TB", "PB"] as const;

/** Decimal units, as disks and networks are sold. */
export function renderBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ""}`;
}

export function renderSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
