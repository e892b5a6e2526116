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

/** A run that was killed before state knew the object left no seal: a resource of the same name continues its work. */
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
  /** What a program declares to stay out of its way: `another directory`, `another channel name`. */
  readonly another: string;
}

/**
 * Before a removal: an object with our name and a seal that our state does not know may be ours all the same (a run that was
 * killed at its very end). Delete says so instead of leaving the object behind in silence.
 */
export function requireKnown(claim: Omit<Claim, "adopt">): void {
  const { found, owner } = claim;
  if (found !== null && found.owner === owner.owner && owner.seal === null) requireOurs({ ...claim, adopt: false });
}

/** Refuses an object that exists and is not ours: another owner's always, one that no state knows to be ours unless `adopt` is set. */
export function requireOurs(claim: Claim): void {
  const { found, owner, adopt } = claim;
  if (found !== null && isOurs(found, owner)) return;
  if (found !== null && found.owner !== owner.owner) throw foreign(claim, found);
  if (found !== null && owner.seal !== null) throw takenOver(claim, found, owner.seal);
  if (adopt) return;
  throw found === null ? unmarked(claim) : unknownToState(claim, found);
}

function foreign({ object, owner, thing, another }: Claim, found: Owner): SluiceError {
  const isSameStack = stackOf(found.owner) === stackOf(owner.owner);
  const renamed = `If this is that resource under a new name, set \`aliases: [{ name: "${nameOf(found.owner)}" }]\`: its data stays. If not, declare ${another}`;
  return new SluiceError({
    code: "OWNERSHIP_FOREIGN",
    object,
    what: `cannot use ${thing}, another resource owns it`,
    found: `owner ${found.owner}`,
    needs: `owner ${owner.owner}`,
    fix: isSameStack ? renamed : `declare ${another}, or destroy the resource that owns it in its own stack first`,
  });
}

const takenOver = ({ object, thing }: Claim, found: Owner, seal: string): SluiceError =>
  new SluiceError({
    code: "OWNERSHIP_OTHER_STATE",
    object,
    what: `cannot use ${thing}, a stack of the same name with another state has taken it over`,
    found: `owner ${found.owner}, seal ${String(found.seal)}`,
    needs: `seal ${seal}`,
    fix: "let both stacks use one backend, or rename one of them; to give the object up here, run `pulumi state delete` with its URN: that removes nothing from the host",
  });

const unknownToState = ({ object, thing, another }: Claim, found: Owner): SluiceError =>
  new SluiceError({
    code: "OWNERSHIP_OTHER_STATE",
    object,
    what: `cannot use ${thing}, it is marked with this resource's name but is not in this stack's state`,
    found: `owner ${found.owner}, seal ${String(found.seal)}`,
    needs: "a state that knows the object, or no object",
    fix: `If the state was lost or a run was killed at its very end, set \`adopt: true\` once. If another team owns it, use another stack name or declare ${another}`,
  });

const unmarked = ({ object, owner, thing, another }: Claim): SluiceError =>
  new SluiceError({
    code: "OWNERSHIP_UNMARKED",
    object,
    what: `cannot use ${thing}, it exists and carries no marker of Sluice`,
    found: "no owner",
    needs: `owner ${owner.owner}`,
    fix: `declare ${another}, or set \`adopt: true\` to take it over`,
  });

/** `project/stack/name`; the name may hold slashes, project and stack do not. */
const stackOf = (owner: string): string => owner.split("/").slice(0, 2).join("/");
const nameOf = (owner: string): string => owner.split("/").slice(2).join("/");
