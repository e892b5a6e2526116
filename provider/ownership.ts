import { SluiceError } from "./errors";

export interface Claim {
  readonly object: string;
  /** Who we are: `project/stack/name`. */
  readonly owner: string;
  /** Whose marker was found; null where there is none. */
  readonly found: string | null;
  readonly adopt: boolean;
  /** What the marker would be on: `directory /srv/mysql/orders`. */
  readonly thing: string;
}

/** Refuses what exists and is not ours: somebody else's always, nobody's unless `adopt` is set. */
export function requireOurs({ object, owner, found, adopt, thing }: Claim): void {
  if (found === owner) return;
  if (found !== null)
    throw new SluiceError({
      code: "OWNERSHIP_FOREIGN",
      object,
      what: `cannot use ${thing}, it belongs to another resource`,
      found: `owner ${found}`,
      needs: `owner ${owner}`,
      fix: 'choose another place; is it the same resource under a new name: `aliases: [{ name: "<old name>" }]` keeps what it holds, while removing the other resource removes it',
    });
  if (adopt) return;
  throw new SluiceError({
    code: "OWNERSHIP_UNMARKED",
    object,
    what: `cannot use ${thing}, it exists and nobody's marker is on it`,
    found: "no owner",
    needs: `owner ${owner}`,
    fix: "choose another place, or set `adopt: true` to take it over",
  });
}
