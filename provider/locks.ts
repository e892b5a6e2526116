import { isProblem } from "./errors";
import { endpointOf, renderEndpoint } from "./endpoint";
import type { HostAddress, LockWait } from "./host/host";
import type { Drivers, HostLock, Lock, ServerLock } from "./room";

const lockSeconds = 120; // an orphaned provider stops within seconds (engine.ts); a living one is another `up`

/**
 * Holds all locks while `work` runs. They are taken in one order, the same for every operation: two operations that
 * need the same locks never wait for each other crosswise. `holder` is printed by the runs that wait. The drivers that
 * `work` gets are stopped when a lock is lost.
 */
export async function underLocks<T>(
  locks: readonly Lock[],
  holder: string,
  drivers: Drivers,
  work: (drivers: Drivers) => Promise<T>,
): Promise<T> {
  drivers.signal.throwIfAborted();
  return takeNext(sortLocks(locks), holder, drivers, work);
}

function takeNext<T>(
  locks: readonly Lock[],
  holder: string,
  drivers: Drivers,
  work: (drivers: Drivers) => Promise<T>,
): Promise<T> {
  const [lock, ...rest] = locks;
  if (lock === undefined) return work(drivers);
  const wait: LockWait = {
    withinSeconds: lockSeconds,
    holder,
    onWait: (why) => {
      drivers.report.progress(why);
    },
    signal: drivers.signal,
  };
  const goOn = (lost: AbortSignal): Promise<T> =>
    takeNext(rest, holder, { ...drivers, signal: AbortSignal.any([drivers.signal, lost]) }, work);
  return "host" in lock
    ? holdOnHost(lock, drivers, wait, goOn)
    : holdInServer(lock, drivers, wait, goOn, () => takeNext(rest, holder, drivers, work));
}

const holdOnHost = async <T>(
  { host, name, mode }: HostLock,
  drivers: Drivers,
  wait: LockWait,
  goOn: (lost: AbortSignal) => Promise<T>,
): Promise<T> => (await drivers.host(host)).withLock(name, { ...wait, mode }, goOn);

/** A server that does not answer cannot be locked, and nothing in it can be changed. */
async function holdInServer<T>(
  { server, name }: ServerLock,
  drivers: Drivers,
  wait: LockWait,
  goOn: (lost: AbortSignal) => Promise<T>,
  goOnWithout: () => Promise<T>,
): Promise<T> {
  let isHeld = false;
  try {
    return await drivers.withServerLock(server, name, wait, (lost) => {
      isHeld = true;
      return goOn(lost);
    });
  } catch (error) {
    if (isHeld || !isProblem(error, "SERVER_NOT_ANSWERING")) throw error;
    return goOnWithout();
  }
}

/** Hosts before servers, then by text; equal ones once, exclusive if one of them is. */
export function sortLocks(locks: readonly Lock[]): readonly Lock[] {
  const byText = new Map<string, Lock>();
  for (const lock of locks) {
    const text = textOf(lock);
    if (byText.get(text)?.mode !== "exclusive") byText.set(text, lock);
  }
  return [...byText].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, lock]) => lock);
}

/**
 * The name comes before the address: one host has several addresses, and the order must not depend on which one is
 * used.
 */
const textOf = (lock: Lock): string =>
  "host" in lock
    ? JSON.stringify(["1 host", lock.name, machineOf(lock.host)])
    : JSON.stringify(["2 server", lock.name, lock.server.socket ?? "", endpointOf(lock.server)]);

const machineOf = (host: HostAddress): string =>
  host === "local" ? host : renderEndpoint({ address: host.address, port: host.port ?? 22 });
