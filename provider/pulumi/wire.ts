/** Values at the border to the engine: google.protobuf.Struct knows null, boolean, number, string, list and object, nothing else. */

/** The key that tells Pulumi's own values (secrets, assets) from objects of a program. */
export const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Drops absent values and converts values that Struct refuses (undefined, bigint, bytes) or silently empties (Date,
 * Map, Set) into values that it knows. Throws nothing: the work has already been done.
 */
export function toWire(value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "bigint":
      return value.toString();
    case "object":
      return value === null ? null : objectToWire(value);
    default:
      return null;
  }
}

function objectToWire(value: object): Json {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Set || Array.isArray(value)) return [...(value as Iterable<unknown>)].map(toWire);
  const entries: [string, unknown][] =
    value instanceof Map ? [...value].map(([key, inner]) => [String(key), inner]) : Object.entries(value);
  return Object.fromEntries(entries.filter(([, inner]) => isSent(inner)).map(([key, inner]) => [key, toWire(inner)]));
}

const isSent = (value: unknown): boolean => !["undefined", "function", "symbol"].includes(typeof value);

/** A dynamic provider gets secrets plain; other callers of the same process may send them wrapped. */
export function unwrapSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (value === null || typeof value !== "object") return value;
  const object = value as Record<string, unknown>;
  if (object[signature] === secretSignature) return unwrapSecrets(object["value"]);
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, unwrapSecrets(inner)]));
}

/** Marks the values at dotted paths as secrets, in the form the engine understands in any response; `*` is every entry of a list. */
export function markSecrets(value: Record<string, Json>, paths: readonly string[]): Record<string, Json> {
  return paths.reduce<Json>((marked, path) => markedAt(marked, path.split(".")), value) as Record<string, Json>;
}

function markedAt(value: Json, keys: readonly string[]): Json {
  const [head, ...rest] = keys;
  if (head === undefined) return value === null ? value : { [signature]: secretSignature, value };
  if (head === "*") return Array.isArray(value) ? value.map((entry) => markedAt(entry, rest)) : value;
  const inner = isObject(value) ? value[head] : undefined;
  return inner === undefined ? value : { ...(value as { [key: string]: Json }), [head]: markedAt(inner, rest) };
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  value !== null && typeof value === "object" && !Array.isArray(value);
