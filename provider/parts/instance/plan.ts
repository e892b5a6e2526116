import { isOurs } from "../../mark/mark";
import { requireKnown } from "../../mark/refusals";
import { compareAccounts, knownAccounts } from "../../mysql/instance/accounts/accounts";
import { missingIn } from "../../mysql/instance/confine/confinement";
import { layoutOf } from "../../mysql/instance/layout";
import { requireOwnData } from "../../mysql/instance/refusals";
import { inOrder, type Plan, type Step } from "../../plan/plan";
import { unseenInstance, type Context, type Seen } from "./facts";
import { directoryNamed } from "./refuse";
import type { InstanceStep, Origin } from "./say";
import type { InstanceDeclaration } from "./schema";

/** What a room adds to the mark of a directory that it claims. */
export interface Claim {
  readonly origin: Origin | null;
  readonly records: object;
}

/** How a room brings the data into an instance that is not complete. */
export interface Arrival<S extends Step> {
  /** Data of an interrupted run is continued: neither deleted nor initialised. */
  readonly resumes: boolean;
  /** Why existing data or work is deleted; null if there is none. */
  readonly discards: { readonly why: string; readonly stopsBecause: string } | null;
  readonly claim: Claim;
  /** What the mark records with the new configuration. */
  readonly records: object;
  /** Before anything is deleted. Left out if the data is continued, as is `makes`. */
  readonly tries: readonly S[];
  /** Makes the data directory while the server is stopped. */
  readonly makes: readonly (S | InstanceStep)[];
  /** With the running server, until the data is complete; the last one records that. */
  readonly fills: readonly (S | InstanceStep)[];
}

/**
 * From nothing, or from what an interrupted run left, to a complete server: the room's steps are between the part's
 * own.
 */
export function planMaking<S extends Step>(
  wanted: InstanceDeclaration,
  { settled, live }: Seen,
  arrival: Arrival<S>,
): Plan<S | InstanceStep> {
  const { resumes, discards, claim } = arrival;
  const running = settled.instance?.running === true;
  const adopts = wanted.adopt && live === null ? "where data is there" : false;
  return inOrder<S | InstanceStep>(
    settled.mark === null && { kind: "claim-directory", directory: wanted.directory, adopts, ...claim },
    !resumes && confines(wanted, { settled, live }) && { kind: "confine" },
    ...(resumes ? [] : arrival.tries),
    discards !== null && running && { kind: "stop-server", why: discards.stopsBecause },
    discards !== null && { kind: "empty-data", why: discards.why },
    !resumes && { ...configureAnew(wanted), records: arrival.records },
    ...(resumes ? [] : arrival.makes),
    (!resumes || !running) && { kind: "start-server" },
    ...arrival.fills,
    wanted.rootPassword !== undefined && { kind: "set-root-password" },
    makesAccounts(wanted),
    wanted.state === "stopped" && { kind: "stop-server", why: "`state` is stopped" },
  );
}

/** Existing data is taken over as it is, and only its configuration changes. */
export const planAdoption = (wanted: InstanceDeclaration, claim: Claim): Plan<InstanceStep> =>
  inOrder<InstanceStep>(
    { kind: "claim-directory", directory: wanted.directory, adopts: true, ...claim },
    wanted.confine === "adjust" && { kind: "confine" },
    configureAnew(wanted),
    wanted.state === "running" && { kind: "start-server" },
    wanted.state === "running" && wanted.rootPassword !== undefined && { kind: "set-root-password" },
    wanted.state === "running" && makesAccounts(wanted),
  );

/** Another state of the same name owned it. Taken over as it is: all other changes are planned afterwards. */
export const planTakeOver = ({ directory }: InstanceDeclaration, records: object): Plan<InstanceStep> =>
  inOrder<InstanceStep>({ kind: "take-over", directory, records });

/** Objects owned by another resource are left alone; delete then counts as done. */
export function planRemoval(seen: Seen, { object, identity }: Context): Plan<InstanceStep> {
  const { mark, instance } = seen.settled;
  if (mark === null) return inOrder();
  const { directory } = mark.record;
  requireKnown({ object, identity, found: mark.identity, ...directoryNamed(directory) });
  if (!isOurs(mark.identity, identity)) return inOrder();
  const unseen = unseenInstance(seen, object);
  if (unseen !== undefined) throw unseen;
  if (instance !== null) requireOwnData({ object, layout: layoutOf(directory) }, instance);
  return inOrder<InstanceStep>(instance?.running === true && { kind: "stop-server", why: "it is removed" }, {
    kind: "remove-server",
    directory,
  });
}

/** A new server's step is always planned: a preview has not looked at the host. */
export function confines({ confine, directory, port }: InstanceDeclaration, { settled, live }: Seen): boolean {
  if (confine !== "adjust") return false;
  if (settled.mark === null) return true;
  return live !== null && missingIn(live.confinement, { layout: layoutOf(directory), port }) !== null;
}

/** Of a new server: accounts that the data brings along, `up` finds. */
function makesAccounts({ accounts }: InstanceDeclaration): InstanceStep | false {
  const because = compareAccounts(knownAccounts(accounts), []);
  return because.length > 0 && { kind: "change-accounts", because };
}

export const relaxes = ({ durability, config }: InstanceDeclaration): boolean =>
  durability === "relaxed" && !Object.keys(config).some((name) => name.replaceAll("-", "_") === "sync_binlog");

const configureAnew = (wanted: InstanceDeclaration): Extract<InstanceStep, { kind: "configure" }> => ({
  kind: "configure",
  because: [],
  ...(relaxes(wanted) && { relaxes: true }),
});
