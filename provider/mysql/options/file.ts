/**
 * MySQL's option files as values: read as mysys/my_default.cc reads them, written back line by line. Unknown settings,
 * other programs' groups and comments stay as they are.
 */
export interface OptionFile {
  readonly lines: readonly Line[];
}

export type Line = GroupLine | OptionLine | IncludeLine | TextLine;

interface GroupLine {
  readonly kind: "group";
  readonly name: string;
  readonly text: string;
}

export interface OptionLine {
  readonly kind: "option";
  /** Undefined before the first `[group]`, which mysqld refuses. */
  readonly group: string | undefined;
  /** As in SHOW VARIABLES: lower case, `_`, without loose-, skip-, disable- and enable-. */
  readonly name: string;
  /** Undefined if there is no `=`; OFF for skip-, ON for enable-. */
  readonly value: string | undefined;
  /** True if an unknown name is only a warning. */
  readonly loose: boolean;
  readonly text: string;
}

/** `!include FILE` or `!includedir DIRECTORY`: settings in other files, with groups of their own. */
interface IncludeLine {
  readonly kind: "include";
  readonly text: string;
}

/** Comments, empty lines, and what mysqld would not understand. */
interface TextLine {
  readonly kind: "text";
  readonly text: string;
}

/** What a setting is wanted to be; `true` is a name without a value. */
export type OptionValue = string | number | boolean;

export function parseOptionFile(text: string): OptionFile {
  let group: string | undefined;
  const lines = text
    .replace(/\r?\n$/, "")
    .split("\n")
    .map((raw): Line => {
      const line = parseLine(raw.replace(/\r$/, ""), group);
      if (line.kind === "group") group = line.name;
      return line;
    });
  return { lines: text === "" ? [] : lines };
}

export const renderOptionFile = (file: OptionFile): string => file.lines.map((line) => `${line.text}\n`).join("");

function parseLine(raw: string, group: string | undefined): Line {
  const text = raw.trim();
  if (text === "" || text.startsWith("#") || text.startsWith(";")) return { kind: "text", text: raw };
  if (/^!include(dir)?\s+./.test(text)) return { kind: "include", text: raw };
  if (text.startsWith("!")) return { kind: "text", text: raw };
  if (text.startsWith("[")) {
    const end = text.indexOf("]");
    return end < 0 ? { kind: "text", text: raw } : { kind: "group", name: text.slice(1, end).trimEnd(), text: raw };
  }
  return parseOption(text, raw, group);
}

function parseOption(text: string, raw: string, group: string | undefined): OptionLine {
  const shown = withoutEndComment(text).trimEnd();
  const at = shown.indexOf("=");
  const written = (at < 0 ? shown : shown.slice(0, at)).trim();
  const value = at < 0 ? undefined : unquote(shown.slice(at + 1).trim());
  return { kind: "option", group, ...normaliseOption(written, value), text: raw };
}

/** `#` ends the line outside quotes; `;` does not. */
function withoutEndComment(text: string): string {
  let quote = "";
  let escaped = false;
  for (const [at, character] of [...text].entries()) {
    if ((character === "'" || character === '"') && !escaped) {
      if (quote === "") quote = character;
      else if (quote === character) quote = "";
    }
    if (quote === "" && character === "#") return [...text].slice(0, at).join("");
    escaped = quote !== "" && character === "\\" && !escaped;
  }
  return text;
}

const escapedCharacters: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  s: " ",
  '"': '"',
  "'": "'",
  "\\": "\\",
};

function unquote(value: string): string {
  const first = value.charAt(0);
  const quoted = value.length >= 2 && (first === "'" || first === '"') && value.endsWith(first);
  return (quoted ? value.slice(1, -1) : value).replace(
    /\\(.)/gs,
    (both, after: string) => escapedCharacters[after] ?? both,
  );
}

/** Variables whose own name begins with skip_: `skip-name-resolve` is one, `skip-log-bin` is log_bin=OFF. */
const namedSkip = new Set([
  "skip_character_set_client_handshake",
  "skip_external_locking",
  "skip_grant_tables",
  "skip_host_cache",
  "skip_name_resolve",
  "skip_networking",
  "skip_new",
  "skip_replica_start",
  "skip_show_database",
  "skip_slave_start",
  "skip_stack_trace",
  "skip_symbolic_links",
]);

/** The name and value as mysqld reads them from the file. */
export function normaliseOption(
  written: string,
  value?: string,
): { readonly name: string; readonly value: string | undefined; readonly loose: boolean } {
  const plain = written.trim().replace(/^--/, "").replaceAll("-", "_").toLowerCase();
  const loose = plain.startsWith("loose_");
  const name = loose ? plain.slice("loose_".length) : plain;
  const prefix = /^(skip|disable|enable)_/.exec(name);
  if (prefix === null || namedSkip.has(name)) return { name, value, loose };
  return { name: name.slice(prefix[0].length), value: prefix[1] === "enable" ? "ON" : "OFF", loose };
}

/** The groups a mysqld of this flavour and series ("9.7") reads. */
export function serverGroups(flavour: "mysql" | "percona" | "mariadb", series: string): readonly string[] {
  const groups = ["mysqld", "server", `mysqld-${series}`];
  return flavour === "mariadb" ? [...groups, "mariadb", `mariadb-${series}`, "mariadbd", `mariadbd-${series}`] : groups;
}

/** Options that may occur several times and add up: the last does not win. */
const additive = new Set([
  "plugin_load_add",
  "replicate_do_db",
  "replicate_do_table",
  "replicate_ignore_db",
  "replicate_ignore_table",
  "replicate_rewrite_db",
  "replicate_wild_do_table",
  "replicate_wild_ignore_table",
  "binlog_do_db",
  "binlog_ignore_db",
  "early_plugin_load",
]);

/** What mysqld takes from the file: by name, the last wins; options that add up keep all their values, in order. */
export function readSettings(
  file: OptionFile,
  groups: readonly string[],
): ReadonlyMap<string, readonly (string | undefined)[]> {
  const settings = new Map<string, readonly (string | undefined)[]>();
  for (const line of optionsOf(file, groups)) {
    const before = additive.has(line.name) ? (settings.get(line.name) ?? []) : [];
    settings.set(line.name, [...before, line.value]);
  }
  return settings;
}

const optionsOf = (file: OptionFile, groups: readonly string[]): readonly OptionLine[] =>
  file.lines.filter((line): line is OptionLine => line.kind === "option" && groups.includes(line.group ?? ""));

/** Every option that the file names, for whatever program. */
export const optionNames = (file: OptionFile): string[] =>
  file.lines.filter((line): line is OptionLine => line.kind === "option").map(({ name }) => name);

/** Options that mysqld ignores if it does not know them. */
export const looseNames = (file: OptionFile, groups: readonly string[]): ReadonlySet<string> =>
  new Set(
    optionsOf(file, groups)
      .filter(({ loose }) => loose)
      .map(({ name }) => name),
  );

/**
 * The file with our settings in place of its own, at its end, where they win. Only exactly these names are replaced (also
 * written with `-`, loose- or skip-): an abbreviation, which mysqld would take, and what the file includes are left alone.
 */
export function overrideOptions(
  file: OptionFile,
  ours: Readonly<Record<string, OptionValue | readonly string[]>>,
  options: { readonly groups: readonly string[]; readonly group?: string; readonly comment?: string },
): OptionFile {
  const names = new Set(Object.keys(ours).map((name) => normaliseOption(name).name));
  const kept = file.lines.filter(
    (line) => !(line.kind === "option" && options.groups.includes(line.group ?? "") && names.has(line.name)),
  );
  const header = [`[${options.group ?? "mysqld"}]`, ...(options.comment === undefined ? [] : [`# ${options.comment}`])];
  const settings = Object.entries(ours).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one: OptionValue) => renderOption(name, one)),
  );
  const added = parseOptionFile([...header, ...settings].join("\n"));
  return { lines: [...kept, ...added.lines] };
}

/** One line: the value is quoted and escaped where mysqld would read something else. */
export function renderOption(name: string, value: OptionValue): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) throw new RangeError(`not an option's name: ${JSON.stringify(name)}`);
  // `log_bin = OFF` is a log by the name of OFF (tried: 9.7); only skip_log_bin turns it off.
  if (name === "log_bin" && (value === false || value === "OFF")) return "skip_log_bin";
  if (value === true) return `${name} = ON`;
  if (value === false) return `${name} = OFF`;
  return `${name} = ${renderValue(String(value))}`;
}

function renderValue(value: string): string {
  if (value.includes("\0")) throw new RangeError("an option's value cannot hold a NUL byte");
  const escaped = value.replace(/[\\\n\r\t\b"]/g, (character) => writtenEscapes[character] ?? character);
  const simple = escaped === value && !/^\s|\s$|[#']/.test(value) && value !== "";
  return simple ? value : `"${escaped}"`;
}

const writtenEscapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  '"': '\\"',
};
