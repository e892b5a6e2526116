import { borrowHost, type BorrowedHost } from "./host/pool";
import type { Host, HostAddress } from "./host/host";
import { connectMysql } from "./mysql/client";
import type { MysqlClient } from "./mysql/reader";
import type { ServerRole } from "./mysql/fault/fault";
import { parseAccountFile } from "./mysql/instance/accounts/management";
import { holdSessionLock } from "./mysql/lock/session";
import { canonicalText } from "./plan/plan";
import type { Drivers, Subject } from "./room";
import type { ServerReach } from "./schema/connection";

/** Hosts and servers of one operation: opened at the first call, shared during the operation, closed at its end. */
export function openDrivers(subject: Subject): Drivers & { close(): Promise<void> } {
  const hosts: BorrowedHost[] = [];
  const clients = new Map<string, Promise<MysqlClient>>();

  const host = (address: HostAddress): Promise<Host> => {
    const borrowed = borrowHost(address);
    hosts.push(borrowed);
    return Promise.resolve(borrowed.host);
  };

  const mysql = (server: ServerReach, role: ServerRole = "server"): Promise<MysqlClient> => {
    const key = canonicalText(server);
    const open = clients.get(key);
    if (open !== undefined) return open;
    const opening = connect(server, role, host, subject.signal);
    clients.set(key, opening);
    opening.catch(() => clients.delete(key)); // the next call tries again
    return opening;
  };

  // A session of its own, which no abort ends: the lock is held until the work has stopped.
  const withServerLock: Drivers["withServerLock"] = (server, name, wait, work) =>
    holdSessionLock(() => connect(server, "server", host, undefined), name, wait, work);

  const disconnect = async (server: ServerReach): Promise<void> => {
    const open = clients.get(canonicalText(server));
    clients.delete(canonicalText(server));
    await (await open?.catch(() => undefined))?.close();
  };

  const close = async (): Promise<void> => {
    // A connection that can no longer be opened or closed must not hide the operation's own error.
    await Promise.allSettled([...clients.values()].map(async (client) => (await client).close()));
    for (const borrowed of hosts) borrowed.release();
  };

  return { ...subject, host, mysql, withServerLock, disconnect, close };
}

async function connect(
  server: ServerReach,
  role: ServerRole,
  host: (address: HostAddress) => Promise<Host>,
  signal: AbortSignal | undefined,
): Promise<MysqlClient> {
  const via = await host((server.host ?? "local") as HostAddress);
  const password = server.password ?? (await readPassword(via, server.passwordFile));
  return connectMysql({ ...server, password }, via, { role, signal });
}

/** The management account's password, where the server has no auth_socket. */
async function readPassword(via: Host, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const facts = await via.facts();
  const text = await via.readFile(path, { asRoot: facts.canBecomeRoot && facts.uid !== 0 });
  if (text === undefined) return undefined;
  return parseAccountFile(text);
}
