import { SluiceError } from "./errors";

/** Whose an object is: what a marker says, and what we say to it. */
export interface Owner {
  /** `project/stack/name`. */
  readonly owner: string;
  /**
   * Random text, given to an object when it is complete and kept by Pulumi's state: it tells apart two people whose stacks have
   * the same names. Null on what was never complete, and in a state that does not know the object.
   */
  readonly seal: string | null;
}

/** A run that was killed before state knew of it left no seal: whoever has the same name goes on with its work. */
export const isOurs = (found: Owner, { owner, seal }: Owner): boolean =>
  found.owner === owner && (found.seal === null || found.seal === seal);

export interface Claim {
  readonly object: string;
  readonly owner: Owner;
  /** What the marker says; null where there is none. */
  readonly found: Owner | null;
  readonly adopt: boolean;
  /** What the marker would be on: `directory /srv/mysql/orders`. */
  readonly thing: string;
}

/**
 * Before a removal: what carries our name and a seal that our state does not know may be ours all the same (a run that was killed
 * in its last moment), and is not left behind in silence.
 */
export function requireKnown(claim: Omit<Claim, "adopt">): void {
  const { found, owner } = claim;
  if (found !== null && found.owner === owner.owner && owner.seal === null) requireOurs({ ...claim, adopt: false });
}

/** Refuses what exists and is not ours: somebody else's always, what no state knows to be ours unless `adopt` is set. */
export function requireOurs({ object, owner, found, adopt, thing }: Claim): void {
  if (found !== null && isOurs(found, owner)) return;
  if (found !== null && found.owner !== owner.owner)
    throw new SluiceError({
      code: "OWNERSHIP_FOREIGN",
      object,
      what: `cannot use ${thing}, it belongs to another resource`,
      found: `owner ${found.owner}`,
      needs: `owner ${owner.owner}`,
      fix: 'choose another place; is it the same resource under a new name: `aliases: [{ name: "<old name>" }]` keeps what it holds, while removing the other resource removes it',
    });
  if (found !== null && owner.seal !== null)
    throw new SluiceError({
      code: "OWNERSHIP_OTHER_STATE",
      object,
      what: `cannot use ${thing} any more, another state of the same name has taken it over`,
      found: `owner ${found.owner}, seal ${String(found.seal)}`,
      needs: `seal ${owner.seal}`,
      fix: "give the two stacks different names or one backend; here, `pulumi state delete` forgets it and removes nothing",
    });
  if (adopt) return;
  if (found !== null)
    throw new SluiceError({
      code: "OWNERSHIP_OTHER_STATE",
      object,
      what: `cannot use ${thing}, it belongs to a resource of this name that this stack's state does not know`,
      found: `owner ${found.owner}, seal ${String(found.seal)}`,
      needs: "a state that knows it, or nothing there",
      fix: "is it somebody else's: use one backend together, or another stack name and place; was your state lost, or a run killed in its last moment: set `adopt: true` once",
    });
  throw new SluiceError({
    code: "OWNERSHIP_UNMARKED",
    object,
    what: `cannot use ${thing}, it exists and nobody's marker is on it`,
    found: "no owner",
    needs: `owner ${owner.owner}`,
    fix: "choose another place, or set `adopt: true` to take it over",
  });
}
