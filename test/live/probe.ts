import { setTimeout as pause } from "node:timers/promises";
import { withMysql } from "../../provider/mysql/client";
import type { ServerAddress } from "../../provider/mysql/address";
import type { Statement } from "../../provider/mysql/sql";
import type { Host } from "../../provider/host/host";

export interface Probe {
  /** The longest that one of the statements took, in seconds, since the last call. */
  longestSeconds(): number;
  end(): Promise<void>;
}

const everyMillis = 200; // a tenth of the 2 s that no session may wait for us

/** Sends each statement five times a second, each through a session of its own, as an application of the source would. */
export async function probe(server: ServerAddress, via: Host, statements: readonly Statement[]): Promise<Probe> {
  const over = new AbortController();
  let longest = 0;
  const begun = new Map<number, number>();
  const runs = statements.map((statement, at) =>
    withMysql(server, via, async (client) => {
      while (!over.signal.aborted) {
        const from = performance.now();
        begun.set(at, from);
        await client.execute(statement, { withinSeconds: 300 });
        begun.delete(at);
        longest = Math.max(longest, (performance.now() - from) / 1000);
        await pause(everyMillis, undefined, { signal: over.signal }).catch(() => undefined);
      }
    }),
  );
  return {
    longestSeconds: () => {
      const now = performance.now();
      const open = [...begun.values()].map((from) => (now - from) / 1000);
      const seconds = Math.max(longest, ...open);
      longest = 0;
      return seconds;
    },
    end: async () => {
      over.abort();
      await Promise.all(runs);
    },
  };
}
