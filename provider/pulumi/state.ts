import { SluiceError } from "../errors";
import { isUnknown } from "../schema/unknown";
import { withoutNulls } from "../schema/check";
import type { Identity } from "../mark/mark";
import type { AnyRoom, Before, Urn } from "../room";
import { nameInMarks, parseUrn } from "./urn";
import { unwrapSecrets } from "./wire";

/** What every resource keeps in addition to its inputs and outputs, under a key that Pulumi hides from displays. */
export interface Remembered {
  readonly stateVersion: number;
  /** As the object's mark says it. A state of version 1 has name and seal side by side, and no kind. */
  readonly identity: Identity;
  readonly settled: object | null;
  /** The declared values that a refresh replaced by the observed ones; absent if nothing differs. */
  readonly written?: Readonly<Record<string, unknown>>;
}

export const rememberedKey = "__sluice";
/** Only the class knows whether this is a preview. `check` removes this input, so state never holds it. */
export const previewKey = "__preview";
/** Next to `__urn`, of a resource whose name has changed since it was created. */
const nameKey = "__name";
export const stateVersion = 2;

/** Inputs or outputs as the engine sends them, taken apart. */
export interface Bag {
  readonly provider: unknown;
  readonly urn: string;
  /** The resource's name when it was made: values derived from it stay when `aliases` rename the resource. */
  readonly name: string;
  /** Only the properties of the declaration. */
  readonly declared: Record<string, unknown>;
  readonly remembered: Remembered | null;
}

export function takeApart(room: AnyRoom, bag: unknown): Bag {
  const all = withoutNulls(unwrapSecrets(bag ?? {})) as Record<string, unknown>;
  const keys = Object.keys(room.schema.declaration.shape);
  const declared = Object.fromEntries(keys.filter((key) => key in all).map((key) => [key, all[key]]));
  const urn = text(all["__urn"]);
  return {
    provider: all["__provider"],
    urn,
    name: text(all[nameKey]) || parseUrn(urn).name,
    declared,
    remembered: readRemembered(room, all[rememberedKey]),
  };
}

/** A resource in state keeps the name it was created with; one that is created or replaced has the program's. */
export const withNameOf = (olds: Bag, news: Bag): Bag => (olds.urn === "" ? news : { ...news, name: olds.name });

/** What the resource is called, as the room receives it. */
export const urnIn = ({ urn, name }: Pick<Bag, "urn" | "name">): Urn => ({ ...parseUrn(urn), name });

/** How Pulumi stores what the resource is called. */
export const namesOf = ({ urn, name }: Pick<Bag, "urn" | "name">): Record<string, string> => ({
  __urn: urn,
  ...(name !== parseUrn(urn).name && { [nameKey]: name }),
});

/** A rename of the resource, its stack or its project leaves the marks as they were when the object was made. */
export const identityIn = (room: AnyRoom, { remembered, urn }: Pick<Bag, "remembered" | "urn">): Identity =>
  remembered === null || remembered.identity.name === ""
    ? { kind: room.kind, name: nameInMarks(parseUrn(urn)), seal: null }
    : remembered.identity;

/** What a room may know about the last operation. */
export const beforeOf = ({ declared, remembered }: Pick<Bag, "declared" | "remembered">): Before<object, object> => ({
  declared,
  settled: remembered?.settled ?? null,
});

/** What a program wrote that is not a property: for "did you mean". */
export function strangers(room: AnyRoom, bag: unknown): Record<string, unknown> {
  const all = withoutNulls(unwrapSecrets(bag ?? {})) as Record<string, unknown>;
  const known = Object.keys(room.schema.declaration.shape);
  return Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith("__") && !known.includes(key)));
}

/** Its form in the state: `settled` and `written` each as one JSON text. */
type Stored = Omit<Remembered, "settled" | "written"> & { readonly settled: string | null; readonly written?: string };

/** A state of version 1: `identity` was two properties. */
interface Former {
  readonly owner: string;
  readonly seal: string | null;
}

function readRemembered(room: AnyRoom, value: unknown): Remembered | null {
  if (value === null || typeof value !== "object") return null;
  const {
    stateVersion: version,
    owner = "",
    seal = null,
    settled,
    written,
    ...rest
  } = value as Partial<Stored & Former>;
  if (typeof version !== "number") return null;
  if (version > stateVersion)
    throw new SluiceError({
      code: "STATE_TOO_NEW",
      object: "sluice",
      what: "cannot read the stack's state, a newer pulumi-sluice wrote it",
      found: `state version ${String(version)}`,
      needs: `state version ${String(stateVersion)} or older`,
      fix: "install the version of pulumi-sluice that the stack was last changed with, or a newer one",
    });
  const { identity = { kind: room.kind, name: owner, seal } } = rest;
  return {
    stateVersion: version,
    identity: { ...identity, seal: identity.seal ?? null },
    settled: typeof settled === "string" ? readSettled(room, settled, version) : null,
    ...(typeof written === "string" && { written: JSON.parse(written) as Record<string, unknown> }),
  };
}

/** Older forms become today's when they are read; the next write stores them so. */
function readSettled(room: AnyRoom, stored: string, version: number): object {
  const settled = JSON.parse(stored) as Record<string, unknown>;
  return version < stateVersion && room.migrate !== undefined ? (room.migrate(settled) as object) : settled;
}

const text = (value: unknown): string => (typeof value === "string" && !isUnknown(value) ? value : "");
