import { openDrivers } from "./drivers";
import type { HostAddress, HostReader } from "./host/host";
import type { MysqlReader, Row } from "./mysql/reader";
import type { ServerRole } from "./mysql/fault/fault";
import { canonicalText } from "./plan/plan";
import { silent } from "./report";
import type { Readers, Subject } from "./room";
import type { ServerReach } from "./schema/connection";

/** Readers for several objects at once: one session for each server and user, and the same question asked once. */
export interface SharedReaders {
  for(subject: Subject): Readers;
  /** Ends the sessions. May be called while a query runs, which then fails. */
  close(): Promise<void>;
}

/**
 * How long an answer is shared with readers that ask the same. "while asked": until it has arrived, so that no reader gets
 * an answer from before its question. "until closed": for one look at many objects, which shows all of them
 * at one moment.
 */
export type Keeping = "while asked" | "until closed";

export function openSharedReaders(keeping: Keeping): SharedReaders {
  const ended = new AbortController();
  const drivers = openDrivers({ object: "", signal: ended.signal, report: silent });
  const hosts = new Map<string, Promise<HostReader>>();
  const servers = new Map<string, Promise<MysqlReader>>();

  const host = (address: HostAddress): Promise<HostReader> =>
    once(hosts, canonicalText(address), async () => askedOnce(await drivers.host(address), keeping), "until closed");

  const mysql = (server: ServerReach, role: ServerRole = "server"): Promise<MysqlReader> =>
    once(
      servers,
      canonicalText([server, role]),
      async () => rowsOnce(await drivers.mysql(server, role), keeping),
      "until closed",
    );

  return {
    for: (subject) => ({ ...subject, host, mysql }),
    close: async () => {
      ended.abort(new Error("the look is over"));
      await drivers.close();
    },
  };
}

/** The same host for all readers. A command with input or a listener of its own is not shared. */
function askedOnce(host: HostReader, keeping: Keeping): HostReader {
  const asked = new Map<string, Promise<unknown>>();
  const ask = <T>(question: readonly unknown[], answer: () => Promise<T>): Promise<T> =>
    once(asked as Map<string, Promise<T>>, JSON.stringify(question), answer, keeping);
  return {
    name: host.name,
    facts: () => host.facts(),
    query: (command, options = {}) =>
      options.stdin !== undefined || options.onStdout !== undefined
        ? host.query(command, options)
        : ask(["query", command.text, options], () => host.query(command, options)),
    readFile: (path, options = {}) => ask(["readFile", path, options], () => host.readFile(path, options)),
    inspect: (path, options = {}) => ask(["inspect", path, options], () => host.inspect(path, options)),
    dial: (target) => host.dial(target),
  };
}

function rowsOnce(mysql: MysqlReader, keeping: Keeping): MysqlReader {
  const asked = new Map<string, Promise<Row[]>>();
  const query: MysqlReader["query"] = async (statement, limit = {}) => {
    const question = JSON.stringify([statement.text, limit]);
    return (await once(asked, question, () => mysql.query(statement, limit), keeping)) as never;
  };
  return {
    name: mysql.name,
    server: mysql.server,
    query,
    queryRow: async (statement, limit) => (await query(statement, limit))[0] as never,
  };
}

let reading: { readonly readers: SharedReaders; users: number } | undefined;

/** Work with readers that it shares with other work at the same time; the last one ends the sessions. */
export async function readTogether<T>(subject: Subject, work: (readers: Readers) => Promise<T>): Promise<T> {
  const group = (reading ??= { readers: openSharedReaders("while asked"), users: 0 });
  group.users += 1;
  const { signal } = subject;
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(group.readers.for(subject)), stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
    group.users -= 1;
    if (group.users === 0) {
      reading = undefined;
      await group.readers.close();
    }
  }
}

/** The answer that is known or under way, or a new one; an error is given to those who wait for it, and is not kept. */
function once<T>(
  answers: Map<string, Promise<T>>,
  question: string,
  answer: () => Promise<T>,
  keeping: Keeping,
): Promise<T> {
  const known = answers.get(question);
  if (known !== undefined) return known;
  const asking = answer();
  answers.set(question, asking);
  const forget = () => answers.delete(question);
  asking.then(keeping === "while asked" ? forget : undefined, forget);
  return asking;
}
