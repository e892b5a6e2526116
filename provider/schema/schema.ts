import { z } from "zod";
import { isUnknown } from "./unknown";

/**
 * What a field says about itself beyond its type. `type`: its type in words, where the zod type says too little; one with
 * `page` is described there and not here. `replaces`: another value means another object, but for `unlessSame`: while that
 * neighbouring field is given and does not change, the object stays the same. `secret`: never shown. `unit`: of a
 * number. `inert`: a change alone does nothing, it is only recorded. `change`: what a change costs; absent: it is made in place. `source`: where the default or the range comes from.
 */
export interface FieldMeta {
  readonly type?: string;
  readonly page?: string;
  readonly replaces?: boolean;
  readonly unlessSame?: string;
  readonly secret?: boolean;
  readonly unit?: string;
  readonly inert?: boolean;
  readonly change?: string;
  readonly source?: string;
}

export interface Schema<Declared> {
  /** zod object whose output is the declaration; every field carries `.describe()` and `.meta()`. */
  readonly declaration: z.ZodObject & z.ZodType<Declared>;
  /** Output-only properties with their one-line meaning. */
  readonly outputs: Readonly<Record<string, string>>;
}

type Flag = "secret" | "replaces" | "inert";

/** Dotted paths of the leaves that carry a flag; `*` means every entry of a list. */
export function pathsWith(schema: z.ZodType, flag: Flag, prefix = ""): string[] {
  const inner = unwrap(schema);
  const own = flagOf(schema, flag) ? [prefix] : [];
  if (inner instanceof z.ZodObject) {
    const shape: Record<string, z.ZodType> = inner.shape;
    const fields = Object.entries(shape);
    return [
      ...own,
      ...fields.flatMap(([key, field]) => pathsWith(field, flag, prefix === "" ? key : `${prefix}.${key}`)),
    ];
  }
  if (inner instanceof z.ZodArray) return [...own, ...pathsWith(inner.element as z.ZodType, flag, `${prefix}.*`)];
  if (inner instanceof z.ZodUnion) {
    const options = inner.options as readonly z.ZodType[];
    return [...new Set([...own, ...options.flatMap((option) => pathsWith(option, flag, prefix))])];
  }
  return own;
}

/** The type of the value at a path; of a union, the first option that has the path. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  const inner = unwrap(schema);
  const [head, ...rest] = path;
  if (head === undefined) return schema;
  if (inner instanceof z.ZodUnion)
    return (inner.options as readonly z.ZodType[])
      .map((option) => schemaAt(option, path))
      .find((found) => found !== undefined);
  if (inner instanceof z.ZodArray) return schemaAt(inner.element as z.ZodType, rest);
  if (inner instanceof z.ZodRecord) return schemaAt(inner.valueType as z.ZodType, rest);
  if (!(inner instanceof z.ZodObject)) return undefined;
  const field = (inner.shape as Record<string, z.ZodType>)[String(head)];
  return field === undefined ? undefined : schemaAt(field, rest);
}

export function unionOptions(schema: z.ZodType | undefined): readonly z.ZodType[] | undefined {
  const inner = schema === undefined ? undefined : unwrap(schema);
  return inner instanceof z.ZodUnion ? (inner.options as readonly z.ZodType[]) : undefined;
}

/** Keys that are allowed at a path; undefined if any key is (a map) or none is known. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] | undefined {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) {
    const all = (inner.options as readonly z.ZodType[]).flatMap((option) => keysAt(option, path) ?? []);
    return all.length === 0 ? undefined : [...new Set(all)];
  }
  if (inner instanceof z.ZodArray) return keysAt(inner.element as z.ZodType, path.slice(1));
  if (inner instanceof z.ZodRecord) return keysAt(inner.valueType as z.ZodType, path.slice(1));
  if (!(inner instanceof z.ZodObject)) return undefined;
  const shape = inner.shape as Record<string, z.ZodType>;
  const [head, ...rest] = path;
  if (head === undefined) return Object.keys(shape);
  const field = shape[String(head)];
  return field === undefined ? undefined : keysAt(field, rest);
}

/** The type under optional, default, nullable, lazy and pipe wrappers. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const inner = wrappedBy(schema) ?? (schema instanceof z.ZodPipe ? (schema.in as z.ZodType) : undefined);
  return inner === undefined ? schema : unwrap(inner);
}

/** The type inside one wrapper; undefined if there is none. */
export function wrappedBy(schema: z.ZodType): z.ZodType | undefined {
  const isWrapper =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault;
  return isWrapper ? (schema.unwrap() as z.ZodType) : undefined;
}

/** The path of the field that keeps an object the same one although the field at `path` changes. */
export function anchorOf(schema: z.ZodType, path: string): string | undefined {
  const keys = path.split(".");
  const meta = schemaAt(schema, keys)?.meta() as FieldMeta | undefined;
  return meta?.unlessSame === undefined ? undefined : [...keys.slice(0, -1), meta.unlessSame].join(".");
}

function flagOf(schema: z.ZodType, flag: Flag): boolean {
  const meta = schema.meta() as FieldMeta | undefined;
  if (meta?.[flag] === true) return true;
  const wrapped = wrappedBy(schema);
  return wrapped !== undefined && flagOf(wrapped, flag);
}

/** The value at a dotted path, or undefined. Below something unknown everything is unknown. */
export function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => {
    if (isUnknown(at)) return at;
    return at !== null && typeof at === "object" ? (at as Record<string, unknown>)[key] : undefined;
  }, value);
}

/** The values at a dotted path that may enter lists. */
function valuesAt(value: unknown, keys: readonly string[]): unknown[] {
  const [head, ...rest] = keys;
  if (head === undefined) return [value];
  if (value === null || typeof value !== "object") return [];
  if (head !== "*") return valuesAt((value as Record<string, unknown>)[head], rest);
  return Array.isArray(value) ? value.flatMap((entry) => valuesAt(entry, rest)) : [];
}

/** All secret strings a declaration holds, for scrubbing. */
export function secretsOf(schema: z.ZodType, declared: unknown): string[] {
  return pathsWith(schema, "secret")
    .flatMap((path) => valuesAt(declared, path.split(".")))
    .filter((value): value is string => typeof value === "string" && value !== "" && !isUnknown(value));
}
