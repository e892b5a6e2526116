/** Text for a POSIX shell in which every value is quoted. Made only by the tag `sh`. */
export class Command {
  constructor(readonly text: string) {}
}

/** One word, safe in a POSIX shell whatever it holds. */
export function quoteWord(word: string): string {
  if (word.includes("\0")) throw new RangeError("a shell word cannot hold a NUL byte");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

type Part = string | number | readonly string[] | Command;

const render = (part: Part): string => {
  if (part instanceof Command) return part.text;
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return quoteWord(part);
  return part.map(quoteWord).join(" ");
};

/**
 * Builds a shell command. A string becomes one quoted word, an array becomes several, a number is kept as it is,
 * a Command is put in as it is.
 *
 * @example sh`mkdir -p ${directory}`
 */
export function sh(parts: TemplateStringsArray, ...values: readonly Part[]): Command {
  return new Command(String.raw({ raw: parts.raw }, ...values.map(render)));
}

/** Commands one after another; the first that fails ends it. */
export const allOf = (...commands: readonly Command[]): Command =>
  new Command(commands.map((command) => command.text).join(" && "));

/** For a shell of root: `asUser WORDS` runs them as another user. */
export const asUserFunction = (user: string): Command =>
  sh`asUser() { if command -v runuser >/dev/null; then runuser -u ${user} -- "$@"; else sudo -n -u ${user} -- "$@"; fi; }`;

/** For a shell of root: the command as another user. A directory of root's may be closed to that user. */
export const asUserCommand = (user: string, command: Command): Command =>
  sh`cd /; if command -v runuser >/dev/null; then exec runuser -u ${user} -- sh -c ${command.text}; else exec sudo -n -u ${user} -- sh -c ${command.text}; fi`;
