/** What the work so far cost. Read by the benchmark and by tests; only ever grows. */
export interface HostCounters {
  /** ssh connections that were made, jump hosts included. */
  readonly connections: number;
  /** Processes started on hosts, one session channel each; each is one round trip or more. */
  readonly sessions: number;
  /** Byte streams opened from hosts to sockets and addresses. */
  readonly forwards: number;
}

const counts = { connections: 0, sessions: 0, forwards: 0 };

export const readCounters = (): HostCounters => ({ ...counts });

export const count = (what: keyof HostCounters): void => {
  counts[what] += 1;
};
