import { z } from "zod";
import { unwrap, wrappedBy, type FieldMeta } from "./schema";

/** Everything a field says about itself, in words: what the reference pages print. */
export interface FieldFacts {
  /** `source.port`; entries of a list end in `[]`. */
  readonly path: string;
  readonly type: string;
  /** The page that describes its parts; null if they are described here, or there are none. */
  readonly page: string | null;
  readonly mayBeLeftOut: boolean;
  readonly default: string | null;
  readonly range: string | null;
  readonly unit: string | null;
  /** Where the default or the range comes from. */
  readonly source: string | null;
  readonly meaning: string;
  readonly change: string;
  /** The neighbouring field that, while it stays, keeps the object the same one. */
  readonly unlessSame: string | null;
  readonly isSecret: boolean;
  readonly isNumber: boolean;
}

/** The fields of an object in their order, parts after the whole. Parts of what has a page of its own are left to it. */
export function describeFields(schema: z.ZodType, prefix = ""): FieldFacts[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion)
    return (inner.options as readonly z.ZodType[]).flatMap((option) => describeFields(option, prefix));
  if (inner instanceof z.ZodArray) return describeFields(inner.element as z.ZodType, `${prefix}[]`);
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, field]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const facts = describeField(path, field);
    return facts.page === null ? [facts, ...describeFields(field, path)] : [facts];
  });
}

function describeField(path: string, schema: z.ZodType): FieldFacts {
  const inner = unwrap(schema);
  const meta = metaOf(schema);
  return {
    path,
    type: typeWords(schema),
    page: meta.page ?? null,
    mayBeLeftOut: schema.safeParse(undefined).success,
    default: defaultOf(schema),
    range: rangeOf(inner),
    unit: meta.unit ?? null,
    source: meta.source ?? null,
    meaning: meta.description ?? "",
    change: meta.replaces === true ? "new object" : (meta.change ?? "in place"),
    unlessSame: meta.unlessSame ?? null,
    isSecret: meta.secret === true,
    isNumber: inner instanceof z.ZodNumber && meta.type === undefined,
  };
}

interface Words extends FieldMeta {
  readonly description?: string;
}

/** What the wrappers and the type inside say together; the outermost word counts. */
function metaOf(schema: z.ZodType): Words {
  const inner = wrappedBy(schema);
  return { ...(inner === undefined ? {} : metaOf(inner)), ...(schema.meta() as Words | undefined) };
}

function typeWords(schema: z.ZodType): string {
  const { type } = metaOf(schema);
  if (type !== undefined) return type;
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return oneOf((inner.options as readonly z.ZodType[]).map(typeWords));
  if (inner instanceof z.ZodEnum) return oneOf(inner.options.map((value) => JSON.stringify(value)));
  if (inner instanceof z.ZodLiteral) return oneOf([...inner.values].map((value) => JSON.stringify(value)));
  if (inner instanceof z.ZodArray) return `list of: ${typeWords(inner.element as z.ZodType)}`;
  if (inner instanceof z.ZodRecord) return `map of: ${typeWords(inner.valueType as z.ZodType)}`;
  if (inner instanceof z.ZodObject) return `{ ${Object.keys(inner.shape).join(", ")} }`;
  if (inner instanceof z.ZodNumber) return inner.format === "safeint" ? "whole number" : "number";
  return wordsOfType[inner.type] ?? inner.type;
}

const wordsOfType: Readonly<Record<string, string>> = { string: "text", boolean: "true or false" };

const oneOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;

/** As a program would write it; null if there is none, or only that of the parts. */
function defaultOf(schema: z.ZodType): string | null {
  if (schema instanceof z.ZodDefault) return JSON.stringify(schema.def.defaultValue);
  const inner = wrappedBy(schema);
  return inner === undefined ? null : defaultOf(inner);
}

function rangeOf(inner: z.ZodType): string | null {
  if (!(inner instanceof z.ZodNumber)) return null;
  const [least, most] = [boundOf(inner.minValue), boundOf(inner.maxValue)];
  if (least !== null && most !== null) return `${least}-${most}`;
  if (least !== null) return `at least ${least}`;
  return most === null ? null : `at most ${most}`;
}

/** Every whole number has the bounds of a double. */
const boundOf = (bound: number | null): string | null =>
  bound === null || Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? null : String(bound);

/** What an honest reference page cannot do without and the field does not say. */
export function problemsOf(field: FieldFacts): string[] {
  const { path, meaning, isNumber, unit, source, change } = field;
  const costs = /restarts the server/.test(meaning) ? "restarts" : /rows stop/.test(meaning) ? "interrupts" : undefined;
  return [
    ...(meaning === "" ? [`${path}: has no description`] : []),
    ...(meaning !== "" && !/[.)]$/.test(meaning) ? [`${path}: its description is not a sentence`] : []),
    ...(isNumber && unit === null ? [`${path}: is a number without a unit`] : []),
    ...(isNumber && field.default !== null && source === null ? [`${path}: its default names no source`] : []),
    ...(isNumber && field.default === null && !field.mayBeLeftOut && source === null && field.range === null
      ? [`${path}: has no range`]
      : []),
    ...(/default (is )?\d/i.test(meaning) && source === null ? [`${path}: its default names no source`] : []),
    ...(costs !== undefined && change !== costs && change !== "new object"
      ? [`${path}: its description says what a change costs (${costs}), its meta does not`]
      : []),
  ];
}
