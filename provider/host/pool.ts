import { createHash } from "node:crypto";
import { localTransport } from "./local";
import type { Host, HostAddress } from "./host";
import { ShellHost } from "./shell-host";
import { sshTransport } from "./ssh/transport";

const idleSeconds = 60; // longer than the pauses between two resources of one update; a login costs 0.1 to 0.3 s

interface Shared {
  readonly host: Host;
  users: number;
  idleTimer: NodeJS.Timeout | undefined;
  /** Gives back the jump host. */
  readonly release: () => void;
}

/** One entry a machine and way to reach it; the key is a digest, because the declaration holds secrets. */
const shared = new Map<string, Shared>();

export interface BorrowedHost {
  readonly host: Host;
  /** May be called more than once. The connection is kept for the next borrower, for a minute. */
  readonly release: () => void;
}

/**
 * The host of an address. All resources that name the same address the same way share one connection, which is made by
 * the first call that needs it.
 */
export function borrowHost(address: HostAddress): BorrowedHost {
  const key = keyOf(address);
  const entry = shared.get(key) ?? openShared(key, address);
  clearTimeout(entry.idleTimer);
  entry.users += 1;
  let isReleased = false;
  return {
    host: entry.host,
    release: () => {
      if (isReleased) return;
      isReleased = true;
      entry.users -= 1;
      if (entry.users > 0 || shared.get(key) !== entry) return;
      entry.idleTimer = setTimeout(() => void closeShared(key, entry), idleSeconds * 1000);
      entry.idleTimer.unref();
    },
  };
}

/** Borrows the host while `work` runs. */
export async function withHost<T>(address: HostAddress, work: (host: Host) => Promise<T>): Promise<T> {
  const { host, release } = borrowHost(address);
  try {
    return await work(host);
  } finally {
    release();
  }
}

/** Closes every connection, in use or not. For the end of a program. */
export async function closeHosts(): Promise<void> {
  await Promise.all([...shared].map(([key, entry]) => closeShared(key, entry)));
}

function openShared(key: string, address: HostAddress): Shared {
  const proxy = address === "local" || address.proxy === undefined ? undefined : borrowHost(address.proxy);
  const transport = address === "local" ? localTransport() : sshTransport(address, proxy?.host);
  const entry: Shared = {
    host: new ShellHost(transport),
    users: 0,
    idleTimer: undefined,
    release: () => proxy?.release(),
  };
  shared.set(key, entry);
  return entry;
}

async function closeShared(key: string, entry: Shared): Promise<void> {
  clearTimeout(entry.idleTimer);
  if (shared.get(key) === entry) shared.delete(key);
  await entry.host.close();
  entry.release();
}

/** Two declarations that differ in anything, a key or a pin too, never share a connection. */
function keyOf(address: HostAddress): string {
  if (address === "local") return "local";
  return createHash("sha256")
    .update(JSON.stringify(inOrder(address)))
    .digest("hex");
}

function inOrder(value: object): object {
  const entries = Object.entries(value).filter(([, held]) => held !== undefined);
  return entries
    .map(([name, held]: [string, unknown]) => [name, typeof held === "object" && held !== null ? inOrder(held) : held])
    .sort(([left], [right]) => String(left).localeCompare(String(right)));
}
