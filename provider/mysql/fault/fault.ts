import type { Code } from "../../error-codes";
import { isProblem, SluiceError, wordsOf } from "../../errors";
import { loginFixes, said, tlsWords, unreachableFixes, type MysqlFault } from "./words";
import { scrub, type Secret, type Statement } from "../sql";

/** MySQL's error number of one of our errors, or 0. */
export function errnoOf(error: unknown): number {
  if (!isProblem(error)) return 0;
  const cause = error.problem.cause;
  return typeof cause === "object" && cause !== null && "errno" in cause ? Number(cause.errno) : 0;
}

/** Which codes errors carry: those of any server, or those of the source of a replication. */
export type ServerRole = "server" | "source";

const codesOf: Record<ServerRole, Record<"unreachable" | "refused" | "tls", Code>> = {
  server: { unreachable: "SERVER_NOT_ANSWERING", refused: "SERVER_LOGIN_REFUSED", tls: "SERVER_TLS_FAILED" },
  source: { unreachable: "SOURCE_UNREACHABLE", refused: "SOURCE_LOGIN_REFUSED", tls: "SOURCE_TLS_FAILED" },
};

export interface FaultContext {
  readonly object: string;
  readonly user: string;
  readonly role: ServerRole;
  readonly secrets: readonly Secret[];
}

/**
 * 1045 access denied, 1698 the same without a password, 1251 and 1524 and 2059 a login method one side lacks, 1130 no account
 * for this client, 1129 client blocked, 1862 password expired, 3118 account locked, 3955 locked after too many attempts.
 */
const loginErrnos = new Set([1045, 1698, 1251, 1524, 2059, 1130, 1129, 1862, 1820, 3118, 3955]);
/** 1044 database, 1142 table, 1143 column, 1227 a global privilege, 1370 routine, 1410 create a user, 1095 kill, 1045 FILE. */
const privilegeErrnos = new Set([1044, 1045, 1095, 1142, 1143, 1227, 1370, 1410]);
/** 3159: require_secure_transport. */
const tlsErrnos = new Set([3159]);

/** The error for a connection that could not be made. */
export function connectError(thrown: unknown, context: FaultContext): SluiceError {
  const fault = readFault(thrown, context.secrets);
  const codes = codesOf[context.role];
  const base = { object: context.object, cause: fault };
  if (isTls(fault)) {
    return new SluiceError({ ...base, ...tlsWords(fault), code: codes.tls });
  }
  if (loginErrnos.has(fault.errno) || /^AUTH_SWITCH/.test(fault.name)) {
    return new SluiceError({
      ...base,
      code: codes.refused,
      what: `the server refuses the user ${context.user}`,
      found: said(fault),
      fix:
        loginFixes[fault.errno] ?? "check user and password, and that the account may come from this client's address",
    });
  }
  if (privilegeErrnos.has(fault.errno)) return privilegeError(fault, context, undefined);
  return new SluiceError({
    ...base,
    code: codes.unreachable,
    what: "the server does not answer",
    found: said(fault),
    fix: unreachableFixes[fault.errno] ?? "check that mysqld runs and listens on the declared address or socket",
  });
}

/** The error for a statement that failed. */
export function statementError(thrown: unknown, statement: Statement, context: FaultContext): SluiceError {
  const fault = readFault(thrown, context.secrets, statement.secrets);
  if (privilegeErrnos.has(fault.errno)) return privilegeError(fault, context, statement);
  const detail = `statement: ${shorten(statement.display)}`;
  if (isLost(fault)) {
    return new SluiceError({
      code: codesOf[context.role].unreachable,
      object: context.object,
      what: "the connection was lost while a statement ran",
      found: said(fault),
      detail,
      cause: fault,
    });
  }
  return new SluiceError({
    code: "SERVER_QUERY_FAILED",
    object: context.object,
    what: `a statement failed: ${said(fault)}`,
    detail,
    cause: fault,
  });
}

/** The error for a server that says nothing. */
export function silenceError(context: FaultContext, silence: Silence): SluiceError {
  const interrupted = silence.signal?.aborted === true;
  return new SluiceError({
    code: codesOf[context.role].unreachable,
    object: context.object,
    what: interrupted
      ? `no further statement was sent, the work was interrupted: ${wordsOf(silence.signal?.reason)}`
      : `the server did not answer within ${silence.withinSeconds} s, asked through ${silence.through}`,
    ...(!interrupted && { fix: "check that mysqld runs, and that no firewall drops the packets" }),
  });
}

export interface Silence {
  readonly withinSeconds: number;
  /** The host the server was dialled from. */
  readonly through: string;
  readonly signal?: AbortSignal | undefined;
}

/** The error for a statement that was ended because of its limit, or because the work was interrupted. */
export function overdueError(
  context: FaultContext,
  statement: Statement,
  withinSeconds: number,
  signal?: AbortSignal,
): SluiceError {
  const interrupted = signal?.aborted === true;
  return new SluiceError({
    code: "TIMEOUT_REACHED",
    object: context.object,
    what: interrupted
      ? `a statement was killed because the work was interrupted: ${wordsOf(signal.reason)}`
      : `a statement was killed after ${withinSeconds} s`,
    detail: `statement: ${shorten(statement.display)}`,
  });
}

/** Statements in errors are shortened; the debug log has the whole text. */
export function shorten(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}...` : text;
}

function privilegeError(fault: MysqlFault, context: FaultContext, statement: Statement | undefined): SluiceError {
  return new SluiceError({
    code: "SERVER_PRIVILEGE_MISSING",
    object: context.object,
    what: `the user ${context.user} lacks a privilege`,
    found: said(fault),
    ...(statement && { detail: `statement: ${shorten(statement.display)}` }),
    cause: fault,
  });
}

const isTls = (fault: MysqlFault): boolean => tlsErrnos.has(fault.errno) || /SSL|TLS|CERT/.test(fault.name);

/** 1927 and 4031 say why the server closes; 1053 shutdown; 2006 and 2013 are the client library's. */
const lostErrnos = new Set([1053, 1927, 2006, 2013, 4031]);
const lostNames = /^(PROTOCOL_|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_STREAM|CONNECTION_CLOSED)/;

/** Whether the connection is no longer usable. */
export const isLost = (fault: MysqlFault): boolean => lostErrnos.has(fault.errno) || lostNames.test(fault.name);

/** The driver's error without everything that may hold a secret. */
export function readFault(
  thrown: unknown,
  secrets: readonly Secret[],
  inStatement: readonly Secret[] = [],
): MysqlFault {
  const error = fieldsOf(thrown);
  const message = textOf(error.sqlMessage) ?? textOf(error.message) ?? "";
  if (message.includes("closed state"))
    return { errno: 0, name: "CONNECTION_CLOSED", message: "the connection is closed" };
  const errno = typeof error.errno === "number" && error.errno > 0 ? error.errno : 0;
  const name = textOf(error.code) ?? "";
  // 1064 quotes what follows the mistake, which may be the first characters of a secret only.
  const safe =
    errno === 1064 && inStatement.length > 0 ? message.replace(/near '.*'(?= at line)/s, "near «...»") : message;
  return { errno, name, message: scrub(safe || name || "no words given", [...secrets, ...inStatement]) };
}

interface DriverFields {
  readonly errno?: unknown;
  readonly code?: unknown;
  readonly sqlMessage?: unknown;
  readonly message?: unknown;
}

const fieldsOf = (thrown: unknown): DriverFields =>
  typeof thrown === "object" && thrown !== null ? thrown : { message: String(thrown) };

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value.trim() : undefined);
