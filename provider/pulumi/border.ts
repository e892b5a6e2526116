import { asProblem, SluiceError } from "../errors";
import { isSame } from "../plan/plan";
import { scrub } from "../report";
import type { AnyRoom } from "../room";
import { checkInputs, type Checked } from "../schema/check";
import { pathsWith, secretsOf } from "../schema/schema";
import { sayUnknowns } from "../schema/unknown";
import { identityIn, namesOf, rememberedKey, stateVersion, urnIn, type Bag } from "./state";
import { parseUrn } from "./urn";
import { markSecrets, toWire, unwrapSecrets, type Json } from "./wire";

export type Properties = Record<string, unknown>;

/**
 * The declaration with everything filled in that needs no network. State of an older version may lack fields that have
 * a default today.
 */
export function complete(room: AnyRoom, bag: Pick<Bag, "declared" | "urn" | "name">): Checked {
  const derived = room.derive?.(bag.declared, urnIn(bag)) ?? {};
  const { inputs, problems } = checkInputs(room.schema, { ...derived, ...bag.declared });
  // `directory: "orders"` makes a `socket` that is wrong too, although the program declares no socket.
  const written = problems.filter((problem) => {
    const [field = ""] = problem.split(/[.:]/);
    return !(field in derived) || field in bag.declared;
  });
  return { inputs, problems: written.length > 0 ? written : problems };
}

/** The object's name in errors: with the name that the program gives the resource today. */
export const objectOf = (room: AnyRoom, { urn }: Pick<Bag, "urn">, declared: object): string =>
  room.object(declared, parseUrn(urn).name);

/** The same, before work: throws if the declaration is not valid. */
export function valid(room: AnyRoom, bag: Bag): Properties {
  const { inputs, problems } = complete(room, bag);
  if (problems.length === 0) return inputs;
  throw new SluiceError({
    code: "DECLARATION_INVALID",
    object: objectOf(room, bag, inputs),
    what: "its declaration is not valid",
    found: problems.join("\n"),
    fix: "correct the properties in the program",
  });
}

interface Kept {
  readonly settled: object | null;
  readonly seal?: string | null;
  readonly written?: Properties;
}

/**
 * The declared values of the properties that are `found` to differ. Pulumi gives a refresh the outputs of the last one,
 * drift included, and not the inputs. Properties that hold secrets are left out: this is kept readable.
 */
export function writtenBefore(room: AnyRoom, bag: Bag, found: Properties): Properties {
  const secret = new Set(pathsWith(room.schema.declaration, "secret").map((path) => path.split(".")[0]));
  const before = { ...bag.declared, ...bag.remembered?.written };
  const differs = Object.keys(found).filter((key) => !secret.has(key) && !isSame(found[key], before[key]));
  return Object.fromEntries(differs.map((key) => [key, before[key] ?? null]));
}

/** What Pulumi stores: the declaration, the outputs, the owner, and the observation. */
export function outs(room: AnyRoom, bag: Bag, declared: Properties, { settled, seal, written = {} }: Kept): Properties {
  const outputs = settled === null ? {} : room.outputs(declared, settled);
  // As one text: the engine and withoutNulls drop nulls inside objects, and the observation must come back unchanged.
  const text = settled === null ? null : JSON.stringify(settled);
  const identity = identityIn(room, bag);
  const drift = Object.keys(written).length === 0 ? {} : { written: JSON.stringify(written) };
  const remembered = {
    stateVersion,
    identity: { ...identity, seal: seal ?? identity.seal },
    settled: text,
    ...drift,
  };
  return wired(room, { ...declared, ...outputs, ...namesOf(bag), [rememberedKey]: remembered });
}

/** As the engine takes it, with the secrets marked. */
export const wired = (room: AnyRoom, value: Properties): Properties =>
  markSecrets(toWire(value) as Record<string, Json>, pathsWith(room.schema.declaration, "secret"));

export const secretsIn = (room: AnyRoom, ...declarations: readonly unknown[]): string[] =>
  declarations.flatMap((declared) => secretsOf(room.schema.declaration, unwrapSecrets(declared)));

/** An error as it was sent: it no longer changes. */
export class Left extends Error {}

/**
 * An error for Pulumi, without secrets. The message is printed under the resource. Pulumi's provider process also prints
 * `${error}: ${error.stack}` for four of the six calls, on the stack: one line of it is enough there.
 */
export function leaving(object: string, thrown: unknown, secrets: readonly string[]): Left {
  if (thrown instanceof Left) return thrown;
  const text = sayUnknowns(scrub(asProblem(object, thrown).message, secrets));
  const [first = ""] = text.split("\n");
  return Object.assign(new Left(text), { toString: () => first, stack: "details are printed under the resource" });
}
