import { renderEndpoint } from "../../provider/endpoint";
import {
  accountDifferences,
  compareAccounts,
  knownAccounts,
  requireOwnAccounts,
} from "../../provider/mysql/instance/accounts/accounts";
import {
  byDefault,
  differences,
  isStartOnly,
  runningDifferences,
  settable,
} from "../../provider/mysql/instance/differences";
import { missingIn } from "../../provider/mysql/instance/confine/confinement";
import { asUserOf, desiredInstance, type Desired } from "../../provider/mysql/instance/desired";
import { layoutOf } from "../../provider/mysql/instance/layout";
import {
  otherStorage,
  requireData,
  requireFreePort,
  requireOwnData,
  requireSameMachine,
  requireUnchangedJob,
  requireUsablePlace,
  strangeFiles,
} from "../../provider/mysql/instance/refusals";
import { compareSeeding, type SeedMethod, type SeedRequest } from "../../provider/mysql/seed/request";
import { requireSeedable } from "../../provider/mysql/seed/source/requirements";
import { saySeed, sayTrial, type SeedingSaid } from "../../provider/mysql/seed/words";
import { sayUnreached } from "../../provider/mysql/fault/unreachable";
import { isOurs } from "../../provider/mark/mark";
import { requireKnown, requireOurs } from "../../provider/mark/refusals";
import { absent, inOrder, type Absent, type Difference, type Plan, type Sayings } from "../../provider/plan/plan";
import type { PlanContext as PlanContextOf } from "../../provider/room";
import { isUnknown, unknownValue } from "../../provider/schema/unknown";
import type { Observed, Settled } from "./observe";
import { isReadOnly, isSeeded, type Declaration } from "./schema";

type PlanContext = PlanContextOf<Declaration, Settled>;

export type StagingStep =
  | { readonly kind: "claim-directory"; readonly directory: string; readonly adopts: Adopts }
  | { readonly kind: "take-over"; readonly directory: string }
  | { readonly kind: "confine" }
  /** `seeds`: data is about to be made for this request, with the settings of its source. */
  | {
      readonly kind: "configure";
      readonly because: readonly Difference[];
      readonly seeds?: SeedRequest;
      readonly relaxes?: boolean;
    }
  | { readonly kind: "try-definitions"; readonly seeds: SeedRequest }
  | { readonly kind: "stop-server"; readonly why: string }
  | { readonly kind: "empty-data"; readonly why: string }
  | { readonly kind: "initialise-data" }
  | { readonly kind: "start-server" }
  | ({ readonly kind: "seed" } & SeedingSaid)
  | { readonly kind: "set-root-password" }
  | { readonly kind: "take-root-password" }
  | { readonly kind: "change-accounts"; readonly because: readonly Difference[] }
  | { readonly kind: "set-variables"; readonly because: readonly Difference[] }
  | { readonly kind: "restart-server"; readonly because: readonly Difference[] }
  | { readonly kind: "remove-server"; readonly directory: string };

/** A preview of something new has not looked at the host: whether there is data to take over is known during `up`. */
type Adopts = boolean | "where data is there";

export function plan(wanted: Declaration | Absent, seen: Observed, context: PlanContext): Plan<StagingStep> {
  const { settled } = seen;
  if (wanted === absent) return planRemoval(settled, context);
  if (seen.live !== null && settled.mark === null && context.before?.settled?.mark)
    requireSameMachine(context.object, wanted, context.before.declared);
  refuse(wanted, seen, context);
  const steps = planPresence(wanted, seen, context);
  requireBinaries(wanted, seen, steps);
  requireSeedSource(wanted, seen, context, steps);
  return steps;
}

function planPresence(wanted: Declaration, seen: Observed, context: PlanContext): Plan<StagingStep> {
  const { unclaimedData, mark } = seen.settled;
  if (unclaimedData) return planAdoption(wanted);
  // As it is, whatever `reseed` says: what else is to change, is planned when it is ours.
  if (mark !== null && !isOurs(mark.identity, context.identity))
    return inOrder<StagingStep>({ kind: "take-over", directory: wanted.directory });
  return isSeeded(wanted, mark?.record) ? planChange(wanted, seen, context) : planSeeding(wanted, seen, context);
}

const naming = (directory: string) => ({ thing: `directory ${directory}`, another: "another `directory`" });

/** Objects owned by another resource are left alone; delete then counts as done. */
function planRemoval({ mark, instance }: Settled, context: PlanContext): Plan<StagingStep> {
  if (mark === null) return inOrder();
  const { object, identity } = context;
  const { directory } = mark.record;
  requireKnown({ object, identity, found: mark.identity, ...naming(directory) });
  if (!isOurs(mark.identity, identity)) return inOrder();
  if (instance !== null) requireOwnData({ object, layout: layoutOf(directory) }, instance);
  return inOrder(instance?.running === true && ({ kind: "stop-server", why: "it is removed" } as const), {
    kind: "remove-server",
    directory,
  });
}

/** A new server's step is always planned: a preview has not looked at the host. */
function confines(wanted: Declaration, { settled, live }: Observed): boolean {
  if (wanted.confine !== "adjust") return false;
  return settled.mark === null || (live !== null && missingIn(live.confinement, placeOf(wanted)) !== null);
}

const placeOf = ({ directory, port }: Declaration) => ({ layout: layoutOf(directory), port });

function refuse(wanted: Declaration, { settled, live }: Observed, context: PlanContext): void {
  const { directory, adopt, state, port, storage } = wanted;
  const { object, identity } = context;
  if (settled.directory === "ours")
    requireOurs({ object, identity, found: settled.mark?.identity ?? null, adopt, ...naming(directory) });
  if (settled.directory === "foreign files" && !(adopt && settled.unclaimedData))
    throw strangeFiles(object, directory, live?.strangers ?? []);
  if (live !== null)
    requireUsablePlace({ object, ...placeOf(wanted) }, live, {
      isClaimed: settled.mark !== null,
      isAdopted: settled.unclaimedData,
      runs: state === "running",
      mayAdjust: wanted.confine === "adjust",
    });
  if (live !== null && state === "running" && !listensOn(port, settled)) requireFreePort(live, object, port);
  if (settled.storageKind !== null && storage !== "auto" && storage !== settled.storageKind)
    throw otherStorage(object, directory, settled.storageKind, storage);
}

/** What runs, and is as declared, goes on without its programs on the host; so does what is only stopped. */
function requireBinaries(wanted: Declaration, { settled, live }: Observed, { steps }: Plan<StagingStep>): void {
  if (live === null || live.binariesProblem === null) return;
  const { binaries } = settled;
  const areOthers = binaries === null || binaries.baseDirectory !== (wanted.baseDirectory ?? null);
  if (areOthers || steps.some(({ kind }) => withMysqld.has(kind))) throw live.binariesProblem;
}

const withMysqld: ReadonlySet<StagingStep["kind"]> = new Set([
  "claim-directory",
  "try-definitions",
  "configure",
  "initialise-data",
  "start-server",
  "restart-server",
  "seed",
] as const);

/** Nothing is brought to data that is taken over as it is. */
function requireSeedSource(
  wanted: Declaration,
  { settled, live }: Observed,
  { object }: PlanContext,
  { steps }: Plan<StagingStep>,
): void {
  if (live === null || settled.unclaimedData || isSeeded(wanted, settled.mark?.record)) return;
  if (live.sourceProblem !== null)
    throw sayUnreached(live.sourceProblem, { object, endpoint: seedFrom(wanted), through: wanted.host });
  const begins = steps.some((step) => step.kind === "seed" && step.resumes === false);
  if (begins && live.backupProblem !== null) throw live.backupProblem;
  if (live.source !== null)
    requireSeedable(live.source, {
      method: methodOf(wanted),
      databases: wanted.databases,
      inexactRows: wanted.inexactRows,
      object,
      replica: settled.binaries?.server,
    });
}

/** Data that is there already is never seeded over: it becomes ours as it is, and only its configuration changes. */
const planAdoption = (wanted: Declaration): Plan<StagingStep> =>
  inOrder<StagingStep>(
    { kind: "claim-directory", directory: wanted.directory, adopts: true },
    wanted.confine === "adjust" && { kind: "confine" },
    configureFresh(wanted),
    wanted.state === "running" && { kind: "start-server" },
    wanted.state === "running" && wanted.rootPassword !== undefined && { kind: "set-root-password" },
    wanted.state === "running" && makesAccounts(wanted),
  );

/** Refused before the server is stopped for a port that it cannot have. */
const listensOn = (port: number, { instance, server }: Settled): boolean =>
  instance?.running === true && [undefined, String(port)].includes(server?.variables["port"]);

function planSeeding(wanted: Declaration, seen: Observed, { object, before }: PlanContext): Plan<StagingStep> {
  const { settled, live } = seen;
  const request = requestOf(wanted, live);
  const { job, whyAnew } = compareSeeding(request, settled.mark?.record, {
    isThere: live === null ? settled.hasSeedJob === true : ["running", "finished"].includes(live.seed.state),
    request: live?.seed.request,
  });
  const resumes = whyAnew === null && job;
  const layout = layoutOf(wanted.directory);
  if (whyAnew === null && settled.mark?.record.seeding) requireUnchangedJob({ object, layout }, settled.instance);
  const dirty = !resumes && (job || (settled.instance !== null && settled.instance.data !== "absent"));
  if (dirty && settled.instance !== null) requireOwnData({ object, layout }, settled.instance);
  const running = settled.instance?.running === true;
  const why = whyAnew ?? "an earlier seeding did not finish";
  const stopWhy = settled.mark?.record.phase === "complete" ? "its data is thrown away and seeded anew" : why;
  return inOrder<StagingStep>(
    settled.mark === null && {
      kind: "claim-directory",
      directory: wanted.directory,
      adopts: wanted.adopt && live === null ? "where data is there" : false,
    },
    !resumes && confines(wanted, { settled, live }) && { kind: "confine" },
    // Before anything is thrown away: one refused definition ends a dump after hours.
    !resumes && request.method === "dump" && { kind: "try-definitions", seeds: request },
    dirty && running && { kind: "stop-server", why: stopWhy },
    dirty && { kind: "empty-data", why },
    !resumes && { ...configureFresh(wanted), seeds: request },
    !resumes && { kind: "initialise-data" },
    (!resumes || !running) && { kind: "start-server" },
    {
      kind: "seed",
      method: request.method,
      from: (resumes ? settled.mark?.record.seeding?.from : undefined) ?? request.from,
      resumes: resumes || (live === null && before !== null && settled.mark === null && "where it was begun"),
      ...(request.method === "dump" && wanted.inexactRows === "accept" && { inexact: true }),
      ...(request.ignored !== undefined && { ignored: request.ignored }),
    },
    wanted.rootPassword !== undefined && { kind: "set-root-password" },
    makesAccounts(wanted),
    wanted.state === "stopped" && { kind: "stop-server", why: "`state` is stopped" },
  );
}

/** What the declaration asks a seeding to bring. */
function requestOf(wanted: Declaration, live: Observed["live"]): SeedRequest {
  const method = methodOf(wanted);
  const { databases, reseed = null, ignoreObjects } = wanted;
  const ignored = method === "dump" && Array.isArray(ignoreObjects) ? [...new Set(ignoreObjects)].sort() : [];
  const usesServer = method === "dump" || method === "clone";
  return {
    method,
    from: seedFrom(wanted),
    sourceUuid: (usesServer ? live?.source?.serverUuid : undefined) ?? null,
    fileBytes: live?.backup?.sizeBytes ?? null,
    databases: typeof databases === "string" ? databases : [...databases].sort(),
    ...(ignored.length > 0 && { ignored }),
    reseed,
  };
}

export function methodOf(wanted: Declaration): SeedMethod {
  if (wanted.mode === "manual") return "none";
  return typeof wanted.seed === "string" ? (isUnknown(wanted.seed) ? "dump" : wanted.seed) : "file";
}

function seedFrom(wanted: Declaration): string {
  const { seed, mode } = wanted;
  if (mode === "manual" || seed === "none") return "";
  if (typeof seed === "object") return seed.file;
  const { source } = wanted;
  if (isUnknown(source)) return unknownValue;
  return source === undefined ? "" : renderEndpoint(source);
}

function planChange(wanted: Declaration, seen: Observed, { before, object }: PlanContext): Plan<StagingStep> {
  const settled = seen.live === null ? asUserOf(wanted.host, seen.settled, before?.declared.host) : seen.settled;
  const running = settled.instance?.running === true;
  const wantsRunning = wanted.state === "running";
  if (wantsRunning && settled.instance !== null)
    requireData({ object, layout: layoutOf(wanted.directory) }, settled.instance);
  const desired = desiredFor(wanted, object, settled);
  const because = desired && settled.instance ? differences(desired.instance, desired, settled.instance) : [];
  const stops = running && !wantsRunning;
  const restarts = running && wantsRunning && because.some(isStartOnly);
  const goesOn = running && wantsRunning && !restarts;
  const dropped = goesOn ? because.filter((one) => one.to === byDefault && !isStartOnly(one)) : [];
  const drifted =
    goesOn && desired && settled.server
      ? runningDifferences(
          desired.instance,
          desired.optionText,
          settled.server.variables,
          settled.mark?.record.adjusted,
        )
      : [];
  const told = goesOn
    ? settable(because).filter(({ property }) => !drifted.some((one) => one.property === property))
    : [];
  const set = [...drifted, ...told];
  const password = wantsRunning && passwordDiffers(wanted, seen, before);
  const accounts = accountDifferences(wanted.accounts, {
    seen: settled.server === null ? null : (settled.server.accounts ?? []),
    earlier: seen.live === null ? before?.declared.accounts : undefined,
  });
  if (wantsRunning && settled.server?.accounts !== undefined)
    requireOwnAccounts(object, knownAccounts(wanted.accounts), settled.server.accounts);
  const openRoot = wantsRunning && wanted.rootPassword === undefined && settled.mark?.record.hasRootPassword === true;
  return inOrder<StagingStep>(
    stops && { kind: "stop-server", why: "`state` is stopped" },
    // Before the file forgets them: a crash in between leaves the difference to be seen.
    dropped.length > 0 && { kind: "set-variables", because: dropped },
    wantsRunning && confines(wanted, seen) && { kind: "confine" },
    because.length > 0 && {
      kind: "configure",
      because,
      ...(relaxes(wanted) && because.some(({ property }) => property === "sync_binlog") && { relaxes: true }),
    },
    restarts && { kind: "restart-server", because: because.filter(isStartOnly) },
    // One that runs and does not answer may be recovering: it is as declared when it answers.
    wantsRunning && !restarts && (!running || settled.server === null) && { kind: "start-server" },
    set.length > 0 && { kind: "set-variables", because: set },
    password && { kind: "set-root-password" },
    openRoot && { kind: "take-root-password" },
    wantsRunning && accounts.length > 0 && { kind: "change-accounts", because: accounts },
  );
}

/** The instance as this declaration wants it configured. */
export const desiredFor = (wanted: Declaration, object: string, settled: Settled): Desired | null =>
  desiredInstance({ ...wanted, readOnly: isReadOnly(wanted) }, object, settled);

/** In a preview the old and the new password are compared; during `up` the server was asked. */
function passwordDiffers(wanted: Declaration, { settled, live }: Observed, before: PlanContext["before"]): boolean {
  if (wanted.rootPassword === undefined) return false;
  if (live === null && before !== null && before.declared.rootPassword !== wanted.rootPassword) return true;
  return settled.server !== null && !settled.server.rootPasswordMatches;
}

/** Of a new server: what is there already, `up` finds out. */
function makesAccounts({ accounts }: Declaration): StagingStep | false {
  const because = compareAccounts(knownAccounts(accounts), []);
  return because.length > 0 && { kind: "change-accounts", because };
}

const relaxes = ({ durability, config }: Declaration): boolean =>
  durability === "relaxed" && !Object.keys(config).some((name) => name.replaceAll("-", "_") === "sync_binlog");

const configureFresh = (wanted: Declaration): Extract<StagingStep, { kind: "configure" }> => ({
  kind: "configure",
  because: [],
  ...(relaxes(wanted) && { relaxes: true }),
});

export const say: Sayings<StagingStep> = {
  "take-over": ({ directory }) => ({ what: `take over ${directory} from another state of the same name, as it is` }),
  "claim-directory": ({ directory, adopts }) => ({ what: claimWords(directory, adopts) }),
  confine: () => ({ what: "let mysqld use its directory and port where AppArmor or SELinux denies them" }),
  configure: ({ because, relaxes: isRelaxed }) => ({
    what: "write my.cnf, init file and unit",
    because,
    ...(isRelaxed === true && {
      interrupts:
        "durability is relaxed: after a power failure the server may lack transactions that it counts as executed; seed it again then",
    }),
  }),
  "try-definitions": ({ seeds }) => sayTrial(seeds),
  "stop-server": ({ why }) => ({
    what: "stop the server",
    because: [because(why)],
    interrupts: "nobody can connect until it is started again",
  }),
  "empty-data": ({ why }) => ({
    what: "throw its data away",
    because: [because(why)],
    interrupts: "its data is gone until it is seeded again",
  }),
  "initialise-data": () => ({ what: "initialise an empty data directory" }),
  "start-server": () => ({ what: "start the server and wait until it answers" }),
  seed: (step) => saySeed(step),
  "set-root-password": () => ({
    what: "set the password of root@localhost",
    because: [{ property: "rootPassword", from: "", to: "changed" }],
  }),
  "take-root-password": () => ({
    what: "take the password of root@localhost away",
    because: [{ property: "rootPassword", from: "", to: "nothing" }],
  }),
  "change-accounts": ({ because }) => ({ what: "make the accounts as declared", because }),
  "set-variables": (step) => ({
    what: "set variables of the running server",
    because: step.because,
    sql: step.because.map(({ property, to }) => `SET GLOBAL ${property} = ${to}`),
  }),
  "restart-server": (step) => ({
    what: "restart the server",
    because: step.because,
    interrupts: "connections end; channels go on after it",
  }),
  "remove-server": ({ directory }) => ({ what: `remove the server and ${directory}`, interrupts: "its data is gone" }),
};

function claimWords(directory: string, adopts: Adopts): string {
  if (adopts === true) return `take over ${directory} with the data that is in it`;
  if (adopts === false) return `claim directory ${directory}`;
  return `take over directory ${directory} if data is in it: keeps the data, writes my.cnf, init file and unit anew, seeds nothing; if not, claim it`;
}

const because = (why: string): Difference => ({ property: "because", from: "", to: why });
