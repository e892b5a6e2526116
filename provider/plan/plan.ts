/**
 * A plan is data: what has to change, in order, and why. The same plan is printed by preview, run by create and update,
 * compared by tests. Nothing here acts.
 */

/** One change. Rooms add their own fields; every field is plain data without secrets. */
export interface Step {
  readonly kind: string;
}

/**
 * The reason for a step: one property, as it is and as it is declared, in words. Secrets say "changed" and nothing
 * else.
 */
export interface Difference {
  readonly property: string;
  readonly from: string;
  readonly to: string;
}

export interface Plan<S extends Step = Step> {
  readonly steps: readonly S[];
}

export const nothing: Plan<never> = { steps: [] };

/** Steps in order; what is false or undefined is left out, so that conditions read as a list. */
export function inOrder<S extends Step>(...steps: readonly (S | false | undefined | null)[]): Plan<S> {
  return { steps: steps.filter((step): step is S => step !== false && step !== undefined && step !== null) };
}

/** The words of a step for a DBA. */
export interface Words {
  /** An imperative: `stop the channel`. */
  readonly what: string;
  readonly because?: readonly Difference[];
  /** What users of the data notice, and until when: `rows stop arriving until step 3`. */
  readonly interrupts?: string;
  /** The statements, secrets masked; printed at debug level. */
  readonly sql?: readonly string[];
}

/** A table with one entry for each kind of step: the compiler asks for a missing one. */
export type Sayings<S extends Step> = {
  readonly [K in S["kind"]]: (step: Extract<S, { readonly kind: K }>) => Words;
};

export const saying = <S extends Step>(sayings: Sayings<S>, step: S): Words =>
  (sayings as unknown as Readonly<Record<string, (step: S) => Words>>)[step.kind]?.(step) ?? { what: step.kind };

/** The value `absent` as a declaration: plan the removal. */
export const absent = Symbol("absent");
export type Absent = typeof absent;

/** Properties that differ, in words. `null` and a missing value are the same; secrets are compared but not shown. */
export function compare(
  wanted: Readonly<Record<string, unknown>>,
  seen: Readonly<Record<string, unknown>>,
  secrets: readonly string[] = [],
): Difference[] {
  const differences: Difference[] = [];
  for (const [property, to] of Object.entries(wanted)) {
    if (to === undefined) continue;
    const from = seen[property];
    if (isSame(from, to)) continue;
    const hidden = secrets.includes(property);
    differences.push({ property, from: hidden ? "" : inWords(from), to: hidden ? "changed" : inWords(to) });
  }
  return differences;
}

/** Equal as data: order of keys does not count, null equals absent. */
export const isSame = (a: unknown, b: unknown): boolean => canonicalText(a) === canonicalText(b);

/** One text for equal data, whatever the order of its keys. */
export const canonicalText = (value: unknown): string => JSON.stringify(canonical(value));

function canonical(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object") return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, canonical(inner)]),
  );
}

export function inWords(value: unknown): string {
  if (value === undefined || value === null || value === "") return "nothing";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? "nothing" : value.map(inWords).join(", ");
  return JSON.stringify(value);
}
