import { basename } from "node:path";
import type { Test } from "@jest/test-result";

/**
 * The files of the live and e2e floors that take longest, in their order (seconds of a run of everything on two busy cores). They
 * start first: a long one that starts last keeps all other cores waiting. jest's own order is by size on a fresh checkout.
 */
export const slowest: readonly string[] = [
  "scenarios-of-examples.test.ts", // 426
  "scenarios.test.ts", // 374
  "adapter.test.ts", // 237
  "seed-busy-source.test.ts", // 190
  "staging-database.test.ts", // 187
  "bad-days-host.test.ts", // 182
  "seed-trial.test.ts", // 163
  "bad-days-cli.test.ts", // 154
  "service.test.ts", // 137
  "seed-dump.test.ts", // 129
  "accounts.test.ts", // 123
  "seed-clone.test.ts", // 116
  "seed-resumed.test.ts", // 116
  "directories.test.ts", // 104
  "lab-crash.test.ts", // 103
  "instance.test.ts", // 102
  "private-boot.test.ts", // 94
  "seed-file.test.ts", // 82
  "packed.test.ts", // 79
  "durability.test.ts", // 76
  "host.test.ts", // 71
  "neighbours.test.ts", // 70
  "local.test.ts", // 67
  "inherited.test.ts", // 67
  "copied-server.test.ts", // 51
];

const rankOf = ({ path }: Pick<Test, "path">): number => {
  const at = slowest.indexOf(basename(path));
  return at < 0 ? slowest.length : at;
};

/** A sequencer of jest that keeps nothing from run to run. */
export class SlowestFirst {
  sort(tests: readonly Test[]): Test[] {
    return [...tests].sort((a, b) => rankOf(a) - rankOf(b) || a.path.localeCompare(b.path));
  }

  cacheResults(): void {
    // The order is written above.
  }
}

// jest wants a module whose default is the class.
export { SlowestFirst as default };
