import type { z } from "zod";
import { fillDefaults } from "./defaults";
import { keysAt, schemaAt, unionOptions, type Schema } from "./schema";
import { hasUnknown, isUnknown } from "./unknown";
import { wordsOfIssue, wordsOfStranger, wordsOfUnion } from "./words";

export interface Checked {
  /** The inputs with defaults filled in; unknown values are kept. */
  readonly inputs: Record<string, unknown>;
  /** `path: what is wrong`, without values: the engine would print them. */
  readonly problems: readonly string[];
}

/** Validates known values, fills in defaults, and keeps values that are known only during `up`. */
export function checkInputs(schema: Schema<object>, raw: Readonly<Record<string, unknown>>): Checked {
  const declaration = schema.declaration;
  const given = withoutNulls(raw) as Record<string, unknown>;
  const result = declaration.safeParse(given, { error: wordsOfIssue });
  if (result.success) return { inputs: result.data, problems: [] };
  const problems = result.error.issues
    .flatMap((issue) => leavesOf(issue, given, []))
    .filter((leaf) => !isExcused(leaf, at(given, leaf.path)))
    .flatMap((leaf) => wordsOfLeaf(leaf, given, declaration));
  return { inputs: fillDefaults(declaration, given) as Record<string, unknown>, problems: [...new Set(problems)] };
}

interface Leaf {
  readonly path: readonly PropertyKey[];
  readonly issue: z.core.$ZodIssue;
}

/** A union reports only "no option fits"; the option that matched furthest reports the real problem. */
function leavesOf(issue: z.core.$ZodIssue, given: unknown, prefix: readonly PropertyKey[]): Leaf[] {
  const path = [...prefix, ...issue.path];
  if (issue.code !== "invalid_union") return [{ path, issue }];
  const entered = issue.errors
    .map((branch) => branch.flatMap((inner) => leavesOf(inner, given, path)))
    .filter((branch) => branch.length > 0 && branch.every((leaf) => isInside(leaf, path)));
  return entered.sort((a, b) => a.length - b.length)[0] ?? [{ path, issue }];
}

/** The option was of the right type: what is wrong is a part of the value, its keys, or its size. */
const isInside = ({ path, issue }: Leaf, union: readonly PropertyKey[]): boolean =>
  path.length > union.length ||
  (issue.code !== "invalid_type" && issue.code !== "invalid_value" && issue.code !== "invalid_union");

/** Whether an unknown value fits is not known yet; a rule over several parts waits until all of them are known. */
function isExcused({ issue }: Leaf, value: unknown): boolean {
  const isWide = issue.code === "custom" || issue.code === "invalid_union";
  return isWide ? hasUnknown(value) : isUnknown(value);
}

function wordsOfLeaf({ path, issue }: Leaf, given: unknown, declaration: z.ZodType): string[] {
  const place = path.join(".");
  const say = (at: string, words: string) => (at === "" ? words : `${at}: ${words}`);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(declaration, path) ?? [];
    return issue.keys.map((key) => say(place, wordsOfStranger(key, known)));
  }
  if (issue.code !== "invalid_union") return [say(place, issue.message)];
  if (at(given, path) === undefined) return [say(place, "is missing")];
  const options = unionOptions(schemaAt(declaration, path));
  return [say(place, options === undefined ? "has none of the allowed forms" : wordsOfUnion(options))];
}

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      inner !== null && typeof inner === "object" ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );

/** Pulumi sends null for what a program left out. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null && inner !== undefined)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}
