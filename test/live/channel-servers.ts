import type { MysqlClient } from "../../provider/mysql/reader";
import { ensureDirectories, ensureOsUser } from "../../provider/mysql/instance/prepare";
import { secret, sql } from "../../provider/mysql/sql";
import type { AnyRoom } from "../../provider/room";
import { rooms } from "../../resources/rooms";
import type { Live, Settled } from "../../resources/replication-channel/facts";
import { declaration, type Declaration, type Written } from "../../resources/replication-channel/schema";
import { copyInitialisedData } from "./copied-data";
import { addressOf, makeServer, requireLab, type ManagedServer } from "./managed-server";
import { Stack as StackOf } from "./stack";

export const room = rooms.find(({ kind }) => kind === "ReplicationChannel") as AnyRoom;

/** Quotes, `$`, backslash, space and unicode: 32 characters are all that a channel holds. */
export const password = `p'w"$\\ ü%;\`--`;

/** Three servers of one staging host: two write, one follows. Small, because they run side by side. */
export interface Servers {
  readonly source: ServerUnderTest;
  readonly other: ServerUnderTest;
  readonly replica: ServerUnderTest;
  /** A declaration of a channel from `source` into `replica`. */
  declare(change?: Partial<Written>): Declaration;
  remove(): Promise<void>;
}

export interface ServerUnderTest extends ManagedServer {
  readonly port: number;
  /** Runs statements with the management account, one after another. */
  run(...statements: readonly string[]): Promise<void>;
  /** The first column of the first row. */
  ask(query: string): Promise<unknown>;
}

export async function startServers(folder: string, firstPort: number): Promise<Servers> {
  const staging = (await requireLab()).host("staging");
  const host = await addressOf(staging);
  const make = async (name: string, port: number): Promise<ServerUnderTest> => {
    const server = await makeServer(staging, { directory: `/srv/${folder}/${name}`, port });
    return { ...server, port, ...speaking(server) };
  };
  const source = await make("source", firstPort);
  const other = await make("other", firstPort + 1);
  const replica = await make("replica", firstPort + 2);
  for (const server of [source, other, replica]) {
    await prepare(server);
    await copyInitialisedData(server.host, server.instance);
  }
  await Promise.all([source, other, replica].map((server) => server.start(120)));
  for (const server of [source, other]) {
    const mysql = await server.connect();
    await mysql.execute(sql`CREATE USER repl@${"%"} IDENTIFIED BY ${secret(password)}`);
    await mysql.execute(sql`GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@${"%"}`);
  }
  return {
    source,
    other,
    replica,
    declare: (change = {}) =>
      declaration.parse({
        replica: {
          host,
          socket: replica.instance.layout.socket,
          port: replica.port,
          user: "sluice",
          ...change.replica,
        },
        channel: "orders",
        source: { address: "127.0.0.1", port: source.port, user: "repl", password, ...change.source },
        connectRetrySeconds: 1,
        catchUpSeconds: 60,
        ...without(change, "replica", "source"),
      }),
    remove: async () => {
      await Promise.all([replica, other, source].map((server) => server.remove()));
    },
  };
}

async function prepare(server: ServerUnderTest): Promise<void> {
  const { host, instance, report } = server;
  await ensureOsUser(host, instance, report);
  await ensureDirectories(host, instance);
  const config = {
    innodb_buffer_pool_size: "32M",
    innodb_redo_log_capacity: "16M",
    binlog_expire_logs_seconds: 86_400,
  };
  await server.configure({ readOnly: instance.layout.directory.endsWith("/replica"), config });
}

const without = (change: Partial<Written>, ...keys: readonly (keyof Written)[]): Partial<Written> =>
  Object.fromEntries(Object.entries(change).filter(([key]) => !keys.includes(key as keyof Written)));

function speaking(server: ManagedServer): Pick<ServerUnderTest, "run" | "ask"> {
  const text = (statement: string) => sql([statement] as unknown as TemplateStringsArray);
  let open: Promise<MysqlClient> | undefined;
  const client = async (): Promise<MysqlClient> => {
    open ??= server.connect();
    try {
      await (await open).query(text("SELECT 1"));
    } catch {
      open = server.connect();
    }
    return open;
  };
  return {
    run: async (...statements) => {
      const mysql = await client();
      for (const statement of statements) await mysql.execute(text(statement));
    },
    ask: async (query) => Object.values((await (await client()).queryRow(text(query))) ?? {})[0],
  };
}

/** One stack's view of one channel. */
export class Stack extends StackOf<Declaration, Settled, Live> {
  constructor(owner?: string) {
    super(room, owner);
  }
}
