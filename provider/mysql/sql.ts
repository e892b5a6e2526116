/**
 * SQL text in which every value is quoted and every name is backticked; made only by the tag `sql`.
 *
 * Values are put into the text because the statements we need most (CHANGE REPLICATION SOURCE, CREATE USER, CLONE)
 * cannot be prepared, and their grammar takes no hexadecimal literals. Backslash is an escape: `client.ts` fixes the
 * session's sql_mode without NO_BACKSLASH_ESCAPES before the first statement. A file of statements must do the same in
 * its first line.
 */
export class Statement {
  /** @internal Use the tag `sql`. */
  constructor(
    /** The text for the server; holds secrets as they are. */
    readonly text: string,
    /** The text for people: each secret is its label in «». */
    readonly display: string,
    readonly secrets: readonly Secret[],
  ) {}

  /** What is sent: a DBA sees in the process list that the statement is Sluice's. */
  get tagged(): string {
    return `/* sluice */ ${this.text}`;
  }

  toString(): string {
    return this.display;
  }
}

/** A value that is shown only by its label. */
export class Secret {
  /** Not enumerable, so that no dump of an object shows it. */
  readonly #value: string;
  constructor(
    value: string,
    readonly label: string,
  ) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return `«${this.label}»`;
  }

  toJSON(): string {
    return this.toString();
  }
}

export const secret = (value: string, label = "secret"): Secret => new Secret(value, label);

type Scalar = string | number | bigint | boolean | null | Buffer | Secret | Statement;
/** What `${}` accepts. An array becomes a comma-separated list. */
export type SqlValue = Scalar | readonly Scalar[];

/**
 * Builds a statement. Strings, numbers, booleans (1 or 0), null and buffers become literals; a Statement is put in as it is.
 *
 * @example sql`SELECT ${1} FROM ${id("shop", "order`s")} WHERE name IN (${["a", "b"]})`
 * @example sql`ALTER USER root@localhost IDENTIFIED BY ${secret(password, "rootPassword")}`
 */
export function sql(parts: TemplateStringsArray, ...values: readonly SqlValue[]): Statement {
  return concatenate(parts, values.map(renderValue));
}

/** A quoted name: `id("shop")`, `id("shop", "orders")`. */
export function id(...names: readonly [string, ...string[]]): Statement {
  return plain(names.map(quoteName).join("."));
}

/** A word of the language whose choice is computed: an option's name in CHANGE REPLICATION SOURCE, a privilege. */
export function keyword(words: string): Statement {
  if (!/^[A-Z][A-Z0-9_]*( [A-Z][A-Z0-9_]*)*$/.test(words)) throw new RangeError(`not a keyword: ${words}`);
  return plain(words);
}

/** Statements one after another: `join(conditions, " AND ")`. At least one. */
export function join(statements: readonly Statement[], separator: ", " | " AND " | " OR " | " "): Statement {
  if (statements.length === 0) throw new RangeError("an empty list of SQL parts is a syntax error");
  return concatenate(["", ...statements.slice(1).map(() => separator), ""], statements);
}

const plain = (text: string): Statement => new Statement(text, text, []);

function concatenate(texts: readonly string[], between: readonly Statement[]): Statement {
  const weave = (pick: (statement: Statement) => string) => String.raw({ raw: texts }, ...between.map(pick));
  return new Statement(
    weave((statement) => statement.text),
    weave((statement) => statement.display),
    between.flatMap((statement) => statement.secrets),
  );
}

function renderValue(value: SqlValue): Statement {
  if (Array.isArray(value)) return join(value.map(renderValue), ", ");
  if (value instanceof Statement) return value;
  if (value instanceof Secret) return new Statement(quoteString(value.reveal()), value.toString(), [value]);
  return plain(renderLiteral(value as string | number | bigint | boolean | null | Buffer));
}

function renderLiteral(value: string | number | bigint | boolean | null | Buffer): string {
  if (value === null) return "NULL";
  if (Buffer.isBuffer(value)) return `x'${value.toString("hex")}'`;
  if (typeof value === "string") return quoteString(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${value} is not an SQL number`);
  return String(value);
}

/** One literal, safe in every connection whose character set is utf8mb4 and whose backslash is an escape. */
export function quoteString(text: string): string {
  if (loneSurrogate.test(text)) throw new RangeError("a lone surrogate cannot be sent as utf8mb4");
  return `'${text.replace(/['\\\0\n\r\x1a]/g, (character) => escapes[character] ?? character)}'`;
}

const loneSurrogate = /\p{Surrogate}/u;

/** Ctrl-Z ends a file for clients on Windows that read our statements from one. */
const escapes: Readonly<Record<string, string>> = {
  "'": "''",
  "\\": "\\\\",
  "\0": "\\0",
  "\n": "\\n",
  "\r": "\\r",
  "\x1a": "\\Z",
};

function quoteName(name: string): string {
  if (name === "") throw new RangeError("a name in SQL cannot be empty");
  // Names are stored as utf8mb3: the server turns NUL and everything above U+FFFF into something else or refuses it.
  if (/[\0\u{10000}-\u{10FFFF}]/u.test(name) || loneSurrogate.test(name)) {
    throw new RangeError(`the name ${JSON.stringify(name)} holds a character that MySQL does not allow in names`);
  }
  return `\`${name.replaceAll("`", "``")}\``;
}

/**
 * The text without any of the secrets, also where the server shows them cut: error 1064 quotes the 80 characters after the
 * mistake, error 1470 the first 70 of a value that is too long.
 */
export function scrub(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((clean, hidden) => {
    const label = hidden.toString();
    const forms = [quoteString(hidden.reveal()).slice(1, -1), hidden.reveal()].filter((form) => form.length >= 3);
    const withoutWhole = forms.reduce((shown, form) => shown.replaceAll(form, label), clean);
    return forms.reduce((shown, form) => hideFragments(shown, form, label), withoutWhole);
  }, text);
}

/** Shorter fragments are words of the language and not the secret. */
const fragmentCharacters = 5;

function hideFragments(text: string, form: string, label: string): string {
  let shown = "";
  for (let at = 0; at < text.length;) {
    const length = longestFragmentAt(text, at, form);
    shown += length === 0 ? text.charAt(at) : label;
    at += length === 0 ? 1 : length;
  }
  return shown;
}

function longestFragmentAt(text: string, at: number, form: string): number {
  let length = 0;
  for (let next = fragmentCharacters; at + next <= text.length; next += 1) {
    if (!form.includes(text.slice(at, at + next))) break;
    length = next;
  }
  return length;
}
