import { z } from "zod";
import { isUnknown } from "./unknown";
import { unwrap } from "./schema";

/** Defaults of every object that is known to be there, whatever else in it is unknown or wrong. */
export function fillDefaults(schema: z.ZodType, value: unknown): unknown {
  if (value === undefined) {
    const parsed = schema.safeParse(undefined);
    return parsed.success ? parsed.data : undefined;
  }
  if (isUnknown(value) || value === null || typeof value !== "object") return value;
  const inner = optionFor(unwrap(schema), value);
  if (inner instanceof z.ZodArray && Array.isArray(value))
    return value.map((element) => fillDefaults(inner.element as z.ZodType, element));
  if (Array.isArray(value)) return value;
  if (inner instanceof z.ZodRecord)
    return mapValues(value, (element) => fillDefaults(inner.valueType as z.ZodType, element));
  if (!(inner instanceof z.ZodObject)) return value;
  const filled: Record<string, unknown> = { ...value };
  const shape: Record<string, z.ZodType> = inner.shape;
  for (const [key, field] of Object.entries(shape)) {
    const inside = fillDefaults(field, filled[key]);
    if (inside !== undefined) filled[key] = inside;
  }
  return filled;
}

/** Of a union: the option that fits what is known, else the first of the value's kind. */
function optionFor(schema: z.ZodType, value: object): z.ZodType {
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = (schema.options as readonly z.ZodType[]).map((option) => optionFor(unwrap(option), value));
  const ofKind = options.filter((option) =>
    Array.isArray(value)
      ? option instanceof z.ZodArray
      : option instanceof z.ZodObject || option instanceof z.ZodRecord,
  );
  const fits = ofKind.find(
    (option) => option instanceof z.ZodObject && Object.keys(value).every((key) => key in option.shape),
  );
  return fits ?? ofKind[0] ?? schema;
}

const mapValues = (value: object, change: (inner: unknown) => unknown): object =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]));
