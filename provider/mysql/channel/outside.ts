import type { ThreadError } from "./facts";
import { hasRules, type FilterRules } from "./filters";

/**
 * Routines and events of databases that the filters keep out. MySQL's table rules do not look at them, and its database rules
 * look at the session's default database: no combination lets all statements on the chosen databases through and stops these
 * (docs/decisions/0017-filters-and-routines.md). So the applier stops on them: 1049, 1305, 1539.
 */
export function outsideStatement({ errno, message }: Failed, rules: FilterRules): string | null {
  const failed = [1049, 1305, 1539].includes(errno) ? parseFailedStatement(message) : null;
  if (failed === null || !hasRules(rules)) return null;
  const found = parseRoutineStatement(failed.query);
  if (found === null || (found.mayRename && !failed.isWhole)) return null;
  const database = found.database ?? failed.defaultDatabase;
  if (database === "" || !keepsOut(rules, database)) return null;
  return `${found.verb} ${found.object} ${database}.${found.name}`;
}

type Failed = Pick<ThreadError, "errno" | "message">;

interface FailedStatement {
  readonly defaultDatabase: string;
  readonly query: string;
  /** False if the end of the query may be missing. */
  readonly isWhole: boolean;
}

const longestMessageBytes = 1024; // as mysqld cuts the error of a thread, and as wide as performance_schema's column

/** As a worker reports it. */
function parseFailedStatement(message: string): FailedStatement | null {
  const match = /on query\. Default database: '([^]*?)'\. Query: '([^]*)$/.exec(message);
  if (match === null) return null;
  const isWhole = Buffer.byteLength(message) < longestMessageBytes - 1;
  return { defaultDatabase: match[1] ?? "", query: match[2] ?? "", isWhole };
}

interface RoutineStatement {
  readonly verb: string;
  readonly object: string;
  readonly database: string | null;
  readonly name: string;
  /** True for ALTER EVENT: behind what can be seen it may give the event another name, in another database. */
  readonly mayRename: boolean;
}

const name = '(`(?:[^`]|``)+`|"(?:[^"]|"")+"|[\\w$\\u0080-\\uffff]+)';
const account = "(?:`(?:[^`]|``)*`|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[\\w$.%-]+)";
const definer = `DEFINER\\s*=\\s*(?:CURRENT_USER(?:\\(\\))?|${account}(?:\\s*@\\s*${account})?)\\s+`;
const head = new RegExp(
  `^(CREATE|ALTER|DROP)\\s+(?:${definer})?(PROCEDURE|FUNCTION|EVENT)\\s+(?:IF\\s+(?:NOT\\s+)?EXISTS\\s+)?${name}(?:\\s*\\.\\s*${name})?`,
  "i",
);

/**
 * Null for every other statement, and for an event that is renamed: the new name may be in a database that the channel
 * brings.
 */
function parseRoutineStatement(query: string): RoutineStatement | null {
  const text = query.replace(/^(?:\s+|\/\*(?![!+])[^]*?\*\/|(?:--\s|#)[^\n]*\n)+/, "");
  const match = head.exec(text);
  if (match === null) return null;
  const [, verb = "", object = "", first = "", second] = match;
  const mayRename = /^alter$/i.test(verb) && /^event$/i.test(object);
  if (mayRename && /\bRENAME\b/i.test(text)) return null;
  return {
    verb: verb.toUpperCase(),
    object: object.toUpperCase(),
    database: second === undefined ? null : unquoted(first),
    name: unquoted(second ?? first),
    mayRename,
  };
}

const unquoted = (text: string): string => {
  const quote = /^[`"]/.exec(text)?.[0];
  return quote === undefined ? text : text.slice(1, -1).replaceAll(quote + quote, quote);
};

const ofTheServer = new Set(["mysql", "sys", "information_schema", "performance_schema"]);

/** True if no rule lets anything of the database through; in doubt false. */
export function keepsOut(rules: FilterRules, database: string): boolean {
  const wanted = database.toLowerCase();
  if (ofTheServer.has(wanted)) return false;
  const { doDatabases, doTables, wildDoTables, rewriteDatabases } = rules;
  if (rewriteDatabases.some((rule) => rule.toLowerCase().startsWith(`${wanted}->`))) return false;
  if (doDatabases.length + doTables.length + wildDoTables.length === 0)
    return (
      rules.ignoreDatabases.includes(database) ||
      rules.wildIgnoreTables.some((rule) => rule.endsWith(".%") && isLike(database, rule.slice(0, -2)))
    );
  const tables = [...doTables, ...wildDoTables];
  // The server prints names with commas in pieces.
  if (tables.some((rule) => !rule.includes("."))) return false;
  const isTable = (rule: string) => databaseOf(rule).toLowerCase() === wanted;
  const isWild = (rule: string) => isLike(wanted, databaseOf(rule).toLowerCase());
  return (
    !doDatabases.some((one) => one.toLowerCase() === wanted) && !doTables.some(isTable) && !wildDoTables.some(isWild)
  );
}

const databaseOf = (rule: string): string => rule.slice(0, rule.indexOf("."));

/** SQL's LIKE: `%` is any text, `_` any character, a backslash takes the next as it is. */
function isLike(text: string, pattern: string): boolean {
  const expression = pattern.replace(/\\?[^]/g, (part) => {
    if (part === "%") return "[^]*";
    if (part === "_") return "[^]";
    return part.replace(/^\\(?=[^])/, "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${expression}$`).test(text);
}
