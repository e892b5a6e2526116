import { z } from "zod";
import { unwrap } from "./schema";

type Issue = z.core.$ZodRawIssue;

const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** What is wrong, without the value: the engine would print it. For zod's `error` option; undefined leaves zod's own words. */
export function wordsOfIssue(issue: Issue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is missing" : `must be ${typeWords[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${oneOf(issue.values.map((value) => JSON.stringify(value)))}`;
    case "too_small":
      return boundWords("at least", Number(issue.minimum), issue.origin);
    case "too_big":
      return boundWords("at most", Number(issue.maximum), issue.origin);
    case "invalid_format":
      return "does not have the required form";
    default:
      return undefined;
  }
}

function boundWords(bound: string, limit: number, origin: string): string {
  if (origin === "string")
    return limit === 1 && bound === "at least" ? "must not be empty" : `must have ${bound} ${String(limit)} characters`;
  if (origin === "array") return `must have ${bound} ${String(limit)} ${limit === 1 ? "entry" : "entries"}`;
  return `must be ${bound} ${String(limit)}`;
}

/** The forms a union allows: `must be "local" or an object`. */
export const wordsOfUnion = (options: readonly z.ZodType[]): string => `must be ${oneOf(options.flatMap(formsOf))}`;

function formsOf(schema: z.ZodType): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return (inner.options as readonly z.ZodType[]).flatMap(formsOf);
  if (inner instanceof z.ZodLiteral) return [...inner.values].map((value) => JSON.stringify(value));
  if (inner instanceof z.ZodEnum) return inner.options.map((value) => JSON.stringify(value));
  return [typeWords[inner.type] ?? inner.type];
}

function oneOf(forms: readonly string[]): string {
  const last = forms.at(-1) ?? "";
  return forms.length < 2 ? last : `${forms.slice(0, -1).join(", ")} or ${last}`;
}

/** An unknown property, with the one that was probably meant. */
export function wordsOfStranger(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined ? `has no property ${key}` : `has no property ${key}; did you mean ${near}?`;
}

/** The known name with the fewest edits, where it is near enough to be meant; else the only one that begins like the word. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, edits: editDistance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const [first] = ranked;
  const allowed = Math.max(1, Math.floor(word.length / 3)); // a third of the letters mistyped is still the same word
  if (first !== undefined && first.edits <= allowed) return first.name;
  const [only, ...others] = known.filter((name) => isBeginning(word, name) || isBeginning(name, word));
  return others.length === 0 ? only : undefined;
}

const leastBeginning = 3; // letters: shorter ones begin too many words; "tls" and "url" are names

/** `baseDir` of `baseDirectory`. */
const isBeginning = (part: string, whole: string): boolean =>
  part.length >= leastBeginning && whole.toLowerCase().startsWith(part.toLowerCase());

/** Letters to add, drop, replace, or swap with their neighbour; Infinity where they are more than `most`. */
export function editDistance(a: string, b: string, most = Infinity): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    // A path through the table may skip one row, by a swap.
    if (Math.min(...row, ...above) > most) return Infinity;
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? (above[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [above, row] = [row, next];
  }
  const edits = row[b.length] ?? 0;
  return edits > most ? Infinity : edits;
}
