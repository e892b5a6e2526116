import type { Duplex } from "node:stream";
import { createConnection, type Connection, type QueryError } from "mysql2";
import { isProblem, SluiceError } from "../errors";
import type { HostReader } from "../host/host";
import { defaultPort } from "../endpoint";
import { renderServerAddress, type ServerAddress } from "./address";
import { parseServerFacts, type ServerFacts } from "./capabilities";
import { Deadline, DeadlineReached } from "./deadline";
import { driverOptions } from "./driver-options";
import {
  connectError,
  overdueError,
  silenceError,
  statementError,
  type FaultContext,
  type ServerRole,
} from "./fault/fault";
import type { ExecuteResult, MysqlClient, Row, StatementLimit } from "./reader";
import { secret, sql, type Statement } from "./sql";
import { certificateProblem } from "./tls";

export interface ConnectOptions {
  /** Seconds for everything until the session is ready. Default 10: mysqld's own connect_timeout. */
  readonly withinSeconds?: number | undefined;
  /** What errors call the server. Default `server user@address:port`. */
  readonly object?: string | undefined;
  /** "source" makes errors carry SOURCE_ codes. Default "server". */
  readonly role?: ServerRole | undefined;
  /** Ends the connecting and every statement. */
  readonly signal?: AbortSignal | undefined;
}

/** How often the network was used, since this process began; for the benchmark. */
export interface MysqlCounters {
  readonly connections: number;
  /** Statements sent; the handshake of a connection is not counted. */
  readonly roundTrips: number;
}

const counted = { connections: 0, roundTrips: 0 };
export const readMysqlCounters = (): MysqlCounters => ({ ...counted });

const connectWithinSeconds = 10; // mysqld's connect_timeout
const statementWithinSeconds = 60; // provider/host/host.ts, RunOptions: longer work is a detached job
const killWithinSeconds = 5; // half of connectWithinSeconds: what a second connection may add to a statement's own limit
const goodbyeWithinMillis = 1000; // COM_QUIT needs one packet; a server that does not read it is left alone

/** Connects through `via`, logs in and prepares the session. The caller closes; `withMysql` closes automatically. */
export async function connectMysql(
  server: ServerAddress,
  via: Pick<HostReader, "name" | "dial">,
  options: ConnectOptions = {},
): Promise<MysqlClient> {
  const withinSeconds = options.withinSeconds ?? connectWithinSeconds;
  const name = renderServerAddress(server);
  const context: FaultContext = {
    object: options.object ?? `server ${name}`,
    user: server.user,
    role: options.role ?? "server",
    secrets: server.password ? [secret(server.password, "password")] : [],
  };
  const deadline = new Deadline(withinSeconds, options.signal);
  try {
    const unreadable = certificateProblem(server);
    if (unreadable !== undefined) throw connectError(unreadable, context);
    const stream = await deadline.guard(dial(server, via, context), (late) => late.destroy());
    // A stream over ssh stays half open when the server has ended its side: end our side too, or the loss would not show.
    stream.once("end", () => stream.end());
    const connection = createConnection(driverOptions(server, stream));
    // Without a listener a connection that breaks while idle would end the process; the next statement reports it.
    connection.on("error", ignore);
    counted.connections += 1;
    const session = new Session(name, server, via, context, connection, stream, options);
    try {
      await deadline.guard(session.prepare());
      return session;
    } catch (error) {
      session.drop();
      throw error;
    }
  } catch (error) {
    if (error instanceof DeadlineReached)
      throw silenceError(context, { withinSeconds, through: via.name, signal: options.signal });
    if (error instanceof SluiceError) throw error;
    throw connectError(error, context);
  } finally {
    deadline.end();
  }
}

/** A connection for the time of `work`; closed whatever happens. */
export async function withMysql<T>(
  server: ServerAddress,
  via: Pick<HostReader, "name" | "dial">,
  work: (client: MysqlClient) => Promise<T>,
  options: ConnectOptions = {},
): Promise<T> {
  const client = await connectMysql(server, via, options);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

async function dial(
  server: ServerAddress,
  via: Pick<HostReader, "name" | "dial">,
  context: FaultContext,
): Promise<Duplex> {
  const target =
    server.socket === undefined
      ? { address: server.address ?? "localhost", port: server.port ?? defaultPort }
      : { socketPath: server.socket };
  try {
    return await via.dial(target);
  } catch (error) {
    if (!isProblem(error, "HOST_DIAL_REFUSED")) throw error;
    const { found, detail } = error.problem;
    throw connectError({ message: found ?? detail ?? error.problem.what, code: "ECONNREFUSED" }, context);
  }
}

/**
 * The session every statement may rely on.
 * - sql_mode: a backslash escapes (sql.ts), names are not quoted by ", wrong values are errors.
 * - lock_wait_timeout: the default is a year; a metadata lock held for a minute is reported as an error.
 * - wait_timeout: production often has a minute, steps wait longer for hosts; no step pauses for an hour.
 */
const prepareSession = sql`SET NAMES utf8mb4, SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', SESSION lock_wait_timeout = 60, SESSION wait_timeout = 3600, SESSION autocommit = 1`;
const readServer = sql`SELECT VERSION() AS version, @@GLOBAL.version_comment AS comment`;

class Session implements MysqlClient {
  #server: ServerFacts = { flavour: "mysql", version: "0" };
  #closing: Promise<void> | undefined;

  constructor(
    readonly name: string,
    private readonly address: ServerAddress,
    private readonly via: Pick<HostReader, "name" | "dial">,
    private readonly context: FaultContext,
    private readonly connection: Connection,
    private readonly stream: Duplex,
    private readonly options: ConnectOptions,
  ) {}

  get server(): ServerFacts {
    return this.#server;
  }

  /** Waits for the handshake, because its error is of another kind than a statement's. */
  async prepare(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.connection.connect((error: QueryError | null) => (error ? reject(error) : resolve()));
    });
    const [, rows] = await Promise.all([this.send(prepareSession), this.send(readServer)]);
    const row = (rows as readonly Row[])[0];
    this.#server = parseServerFacts(String(row?.["version"]), String(row?.["comment"]));
  }

  async query<T extends object = Row>(statement: Statement, limit: StatementLimit = {}): Promise<T[]> {
    if (!readingPattern.test(statement.text)) throw new RangeError(`not a reading statement: ${statement.display}`);
    const rows = await this.run(statement, limit);
    return Array.isArray(rows) ? (rows as T[]) : [];
  }

  async queryRow<T extends object = Row>(statement: Statement, limit: StatementLimit = {}): Promise<T | undefined> {
    return (await this.query<T>(statement, limit))[0];
  }

  async execute(statement: Statement, limit: StatementLimit = {}): Promise<ExecuteResult> {
    const result = await this.run(statement, limit);
    if (Array.isArray(result)) return { affectedRows: 0, warnings: 0 };
    const header = result as { affectedRows?: number; warningStatus?: number };
    return { affectedRows: header.affectedRows ?? 0, warnings: header.warningStatus ?? 0 };
  }

  close(): Promise<void> {
    this.#closing ??= this.sayGoodbye();
    return this.#closing;
  }

  /** Drops a session that is no longer usable. */
  drop(): void {
    this.connection.destroy();
    this.stream.destroy();
  }

  private async run(statement: Statement, limit: StatementLimit): Promise<unknown> {
    const withinSeconds = limit.withinSeconds ?? statementWithinSeconds;
    const deadline = new Deadline(withinSeconds, this.options.signal);
    const sent = this.send(statement);
    try {
      return await deadline.guard(sent);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      if (!(error instanceof DeadlineReached)) throw statementError(error, statement, this.context);
      await this.kill(sent);
      throw overdueError(this.context, statement, withinSeconds, this.options.signal);
    } finally {
      deadline.end();
    }
  }

  private send(statement: Statement): Promise<unknown> {
    counted.roundTrips += 1;
    return new Promise((resolve, reject) => {
      this.connection.query({ sql: statement.tagged }, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  /** Ends the running statement on the server; if that fails the session is dropped, so that no caller waits on it. */
  private async kill(sent: Promise<unknown>): Promise<void> {
    const deadline = new Deadline(killWithinSeconds);
    const ended = sent.then(ignore, ignore);
    const statement = sql`KILL QUERY ${this.connection.threadId}`;
    try {
      await withMysql(this.address, this.via, (second) => second.execute(statement), {
        withinSeconds: killWithinSeconds,
      });
      await deadline.guard(ended);
    } catch {
      this.drop();
    } finally {
      deadline.end();
    }
  }

  /** COM_QUIT, so that the server does not count an aborted client; it answers by closing. */
  private async sayGoodbye(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (!this.stream.writable) return resolve();
      const timer = setTimeout(resolve, goodbyeWithinMillis);
      this.stream.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.connection.end();
    });
    this.drop();
  }
}

/** A bracket may precede the verb. */
const readingPattern = /^[\s(]*(select|show|with|table|values|explain|describe|desc|check|checksum)\b/i;

function ignore(): void {
  // nothing to do
}
