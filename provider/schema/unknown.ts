/** Represents any value that only `up` will know: what a room derives from an unknown value is unknown too. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * A value that an earlier resource will only produce during `up` arrives in check and diff as one of these strings,
 * at any depth, in place of a value of any type (pulumi/pulumi pkg/resource/plugin/rpc.go).
 */
const sentinels: ReadonlySet<unknown> = new Set([
  unknownValue,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export const isUnknown = (value: unknown): boolean => sentinels.has(value);

export function hasUnknown(value: unknown): boolean {
  if (isUnknown(value)) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return value !== null && typeof value === "object" && Object.values(value).some(hasUnknown);
}

/** Dotted paths of what is unknown. */
export function unknownPaths(value: unknown, path = ""): string[] {
  if (isUnknown(value)) return [path];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => unknownPaths(inner, path === "" ? key : `${path}.${key}`));
}

/** Text with every unknown said in words. */
export function sayUnknowns(text: string): string {
  let said = text;
  for (const sentinel of sentinels) said = said.replaceAll(String(sentinel), "(known during up)");
  return said;
}
