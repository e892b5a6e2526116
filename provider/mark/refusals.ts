import { SluiceError } from "../errors";
import { isOurs, type Identity } from "./mark";

export interface Claim {
  readonly object: string;
  /** Of the resource that wants the object. */
  readonly identity: Identity;
  /** What the object's mark says; null if there is no mark. */
  readonly found: Identity | null;
  readonly adopt: boolean;
  /** What the mark would be on: `directory /srv/mysql/orders`. */
  readonly thing: string;
  /** What a program can declare instead: `another directory`, `another channel name`. */
  readonly another: string;
}

/**
 * Before a removal: an object with this resource's name and a seal that the state does not know may still belong to
 * this resource (after a run that was killed at its very end). Delete refuses instead of leaving the object behind
 * without a word.
 */
export function requireKnown(claim: Omit<Claim, "adopt">): void {
  const { found, identity } = claim;
  if (found !== null && isNamesake(found, identity) && identity.seal === null) requireOurs({ ...claim, adopt: false });
}

/**
 * Refuses an existing object that this resource does not own: with another owner always, without an owner or seal of
 * this state unless `adopt` is set.
 */
export function requireOurs(claim: Claim): void {
  const { found, identity, adopt } = claim;
  if (isOurs(found, identity)) return;
  if (found !== null && !isNamesake(found, identity)) throw foreign(claim, found);
  if (found !== null && identity.seal !== null) throw takenOver(claim, found, identity.seal);
  if (adopt) return;
  throw found === null ? unmarked(claim) : unknownToState(claim, found);
}

/** Of the same kind and name; only the seal shows whether it is the same object. */
const isNamesake = (found: Identity, { kind, name }: Identity): boolean => found.kind === kind && found.name === name;

function foreign({ object, identity, thing, another }: Claim, found: Identity): SluiceError {
  const isSameStack = stackOf(found.name) === stackOf(identity.name) && found.kind === identity.kind;
  const renamed = `If this is that resource under a new name, set \`aliases: [{ name: "${nameOf(found.name)}" }]\`: its data stays. If not, declare ${another}`;
  const kindOf = ({ kind }: Identity) => (found.kind === identity.kind ? "" : `${kind} `);
  return new SluiceError({
    code: "OWNERSHIP_FOREIGN",
    object,
    what: `cannot use ${thing}, another resource owns it`,
    found: `owner ${kindOf(found)}${found.name}`,
    needs: `owner ${kindOf(identity)}${identity.name}`,
    fix: isSameStack ? renamed : `declare ${another}, or destroy the resource that owns it in its own stack first`,
  });
}

const takenOver = ({ object, thing }: Claim, found: Identity, seal: string): SluiceError =>
  new SluiceError({
    code: "OWNERSHIP_OTHER_STATE",
    object,
    what: `cannot use ${thing}, a stack of the same name with another state has taken it over`,
    found: `owner ${found.name}, seal ${String(found.seal)}`,
    needs: `seal ${seal}`,
    fix: "let both stacks use one backend, or rename one of them; to release the object here, run `pulumi state delete` with its URN, which removes nothing from the host",
  });

const unknownToState = ({ object, thing, another }: Claim, found: Identity): SluiceError =>
  new SluiceError({
    code: "OWNERSHIP_OTHER_STATE",
    object,
    what: `cannot use ${thing}, it is marked with this resource's name but is not in this stack's state`,
    found: `owner ${found.name}, seal ${String(found.seal)}`,
    needs: "a state that contains the object, or no object",
    fix: `If the state was lost or a run was killed at its very end, set \`adopt: true\` once. If another team owns it, use another stack name or declare ${another}`,
  });

const unmarked = ({ object, identity, thing, another }: Claim): SluiceError =>
  new SluiceError({
    code: "OWNERSHIP_UNMARKED",
    object,
    what: `cannot use ${thing}, it exists and has no mark of Sluice`,
    found: "no owner",
    needs: `owner ${identity.name}`,
    fix: `declare ${another}, or set \`adopt: true\` to take it over`,
  });

/** `project/stack/name`; the name may hold slashes, project and stack do not. */
const stackOf = (owner: string): string => owner.split("/").slice(0, 2).join("/");
const nameOf = (owner: string): string => owner.split("/").slice(2).join("/");
