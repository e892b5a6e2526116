export interface Floor {
  readonly name: string;
  readonly needsLab: boolean;
  readonly needsPulumi?: boolean;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface FloorResult extends Counts {
  readonly floor: Floor;
  readonly seconds: number;
  /** Why the floor was not run. */
  readonly skipReason: string | undefined;
}

export function addResults(results: readonly Counts[]): Counts {
  const sum = (count: (result: Counts) => number) => results.reduce((total, result) => total + count(result), 0);
  return { passed: sum((one) => one.passed), failed: sum((one) => one.failed), skipped: sum((one) => one.skipped) };
}

export function renderFloor(result: FloorResult): string {
  const line = `${result.floor.name.padEnd(9)} ${renderTotals(result).padEnd(32)} ${result.seconds.toFixed(1)} s`;
  return result.skipReason === undefined ? line : `${line}  not run: ${result.skipReason}`;
}

/** The closing line of `npm test`; machines read it, so its form does not change. */
export function renderTotals({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
