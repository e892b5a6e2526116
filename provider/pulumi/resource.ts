import * as pulumi from "@pulumi/pulumi";
import { pathsWith, type Schema } from "../schema/schema";
import { shell, typeToken } from "./shell";
import { previewKey } from "./state";

/** A declaration as a program writes it: any value, at any depth, may come from another resource. */
export type Inputs<T> = { readonly [K in keyof T]: pulumi.Input<Nested<T[K]>> };
type Nested<T> = T extends string | number | boolean | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly pulumi.Input<Nested<E>>[]
    : T extends object
      ? Inputs<T>
      : T;

type Properties = Record<string, unknown>;

/** Every resource of Sluice, as Pulumi sees it: inputs, named outputs, a constant provider, and the hidden inputs. */
export abstract class SluiceResource extends pulumi.CustomResource {
  protected constructor(
    kind: string,
    schema: Schema<object>,
    name: string,
    args: object,
    opts: pulumi.CustomResourceOptions | undefined,
  ) {
    const type = typeToken(kind);
    // A property that is not passed would not become an output (pulumi/pulumi 13983).
    const keys = [...Object.keys(schema.declaration.shape), ...Object.keys(schema.outputs)];
    const blank = Object.fromEntries(keys.map((key) => [key, undefined]));
    const inputs = withSecrets(args as Properties, pathsWith(schema.declaration, "secret"));
    const known = {
      __urn: urnAlone(name, type, opts?.parent),
      [previewKey]: pulumi.runtime.isDryRun(),
      __provider: shell(kind),
    };
    super(type, name, { ...blank, ...inputs, ...known }, opts);
  }
}

/**
 * The resource's name, without the dependency on its parent that an Output of it carries: Pulumi waits for a dependency on a
 * component until all the component's children exist, this resource among them.
 */
const urnAlone = (name: string, type: string, parent: pulumi.Resource | undefined): Promise<string> =>
  new Promise((resolve) => {
    pulumi.createUrn(name, type, parent).apply(resolve);
  });

const places = new WeakMap<object, pulumi.Resource>();

/**
 * Marks `value` as contained in `resource`: objects made with it are removed with that resource (sets their default
 * `deletedWith`).
 */
export function placeIn<T extends object>(resource: pulumi.Resource, value: T): T {
  places.set(value, resource);
  return value;
}

/**
 * The default of `deletedWith`: if the container is deleted in the same run, Pulumi removes the resource from state
 * without a call.
 */
export function goingWith(
  place: unknown,
  opts: pulumi.CustomResourceOptions | undefined,
): pulumi.CustomResourceOptions | undefined {
  const resource = typeof place === "object" && place !== null ? places.get(place) : undefined;
  return resource === undefined ? opts : { deletedWith: resource, ...opts };
}

/** Marks the leaves that the schema calls secret, one by one: a dependant's diff then hides only those. */
export function withSecrets(args: Properties, paths: readonly string[]): Properties {
  const marked = { ...args };
  for (const [head, rests] of byHead(paths)) {
    const value = marked[head];
    if (value === undefined || value === null) continue;
    marked[head] = rests.includes("") ? pulumi.secret(value) : marking(value, rests);
  }
  return marked;
}

const everyEntry = "*."; // of a list, in a path

function marking(value: unknown, paths: readonly string[]): unknown {
  if (pulumi.Output.isInstance(value) || value instanceof Promise)
    return pulumi.output(value).apply((known: unknown) => marking(known, paths));
  if (value === null || typeof value !== "object") return value;
  if (!Array.isArray(value)) return withSecrets(value as Properties, paths);
  const inside = paths.filter((path) => path.startsWith(everyEntry)).map((path) => path.slice(everyEntry.length));
  return inside.length === 0 ? value : value.map((entry: unknown) => marking(entry, inside));
}

/** `host.key`, `host.proxy.key` -> host: [key, proxy.key]; a path that ends at its head gives "". */
function byHead(paths: readonly string[]): Map<string, string[]> {
  const heads = new Map<string, string[]>();
  for (const path of paths) {
    const [head = "", ...rest] = path.split(".");
    heads.set(head, [...(heads.get(head) ?? []), rest.join(".")]);
  }
  return heads;
}
