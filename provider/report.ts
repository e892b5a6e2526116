/** Where lines go: the resource's own row and its diagnostics. Every text is scrubbed of secrets before it leaves. */
export interface Report {
  /** A line that stays. */
  say(text: string): void;
  /** A line that stays, counted and coloured as a warning. */
  warn(text: string): void;
  /** A line that stays, shown only at debug level. */
  debug(text: string): void;
  /** Replaces the row's last progress text: `[3/6] seeding 1.6 of 2.6 GB, 120 MB/s`. */
  progress(text: string): void;
}

export const silent: Report = {
  say: () => undefined,
  warn: () => undefined,
  debug: () => undefined,
  progress: () => undefined,
};

const hidden = "«secret»";
const shortCharacters = 4; // a shorter secret is part of ordinary words: it is hidden only if it is a word alone
const lineCharacters = 16; // a line of a private key that a program quotes alone has 64

/** Replaces every secret value in a text, in the forms that shells, JSON and URLs give it. */
export function scrub(text: string, secrets: readonly string[]): string {
  // Longest first, so that one secret inside another leaves nothing behind.
  const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  return forms.length === 0 ? text : text.replaceAll(new RegExp(forms.map(patternOf).join("|"), "gu"), hidden);
}

function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= lineCharacters && !line.startsWith("-----"));
  return [secret, ...lines]
    .filter((part) => part !== "")
    .flatMap((part) => [part, jsonForm(part), shellForm(part), urlForm(part)])
    .filter((form) => form !== "");
}

const jsonForm = (text: string): string => JSON.stringify(text).slice(1, -1);
const shellForm = (text: string): string => text.replaceAll("'", `'\\''`);
const urlForm = (text: string): string => (/\p{Surrogate}/u.test(text) ? "" : encodeURIComponent(text)); // a lone one has none

function patternOf(form: string): string {
  const literal = form.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return form.length < shortCharacters ? `(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])` : literal;
}

export const scrubbing = (report: Report, secrets: readonly string[]): Report => ({
  say: (text) => report.say(scrub(text, secrets)),
  warn: (text) => report.warn(scrub(text, secrets)),
  debug: (text) => report.debug(scrub(text, secrets)),
  progress: (text) => report.progress(scrub(text, secrets)),
});
