import type { ServerFacts } from "./capabilities";
import type { Statement } from "./sql";

/** Whole numbers are numbers where exact, bigints above 2^53; DECIMAL, times and JSON are text; bytes are a Buffer. */
export type Cell = string | number | bigint | Buffer | null;
export type Row = Readonly<Record<string, Cell>>;

export interface StatementLimit {
  /** Seconds until the statement is killed on the server and TIMEOUT_REACHED thrown. Default 60, as a host's commands. */
  readonly withinSeconds?: number | undefined;
}

/** The reading half: all that `observe` may use. */
export interface MysqlReader {
  /** `root@db-1:3306`; greppable, secret-free. */
  readonly name: string;
  readonly server: ServerFacts;
  /** The rows of a SELECT, SHOW or another statement that changes nothing. */
  query<T extends object = Row>(statement: Statement, limit?: StatementLimit): Promise<T[]>;
  /** The first row, or undefined. */
  queryRow<T extends object = Row>(statement: Statement, limit?: StatementLimit): Promise<T | undefined>;
}

/** One session. It is not opened again if it is lost: the caller knows what must be repeated. */
export interface MysqlClient extends MysqlReader {
  execute(statement: Statement, limit?: StatementLimit): Promise<ExecuteResult>;
  /** May be repeated; never throws. */
  close(): Promise<void>;
}

export interface ExecuteResult {
  readonly affectedRows: number;
  /** Number of warnings; SHOW WARNINGS lists them. */
  readonly warnings: number;
}
