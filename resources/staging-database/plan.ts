import { renderEndpoint } from "../../provider/endpoint";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { requireOwnData, requireUnchangedJob } from "../../provider/mysql/instance/refusals";
import { compareSeeding, type SeedMethod, type SeedRequest } from "../../provider/mysql/seed/request";
import type { SeedSource } from "../../provider/mysql/seed/source/facts";
import { requireSeedable } from "../../provider/mysql/seed/source/requirements";
import { inheritedVariables } from "../../provider/mysql/seed/source/source";
import { saySeed, sayTrial, type SeedingSaid } from "../../provider/mysql/seed/words";
import { sayUnreached } from "../../provider/mysql/fault/unreachable";
import { isOurs } from "../../provider/mark/mark";
import { planChange } from "../../provider/parts/instance/change";
import {
  planAdoption,
  planMaking,
  planRemoval,
  planTakeOver,
  type Arrival,
  type Claim,
} from "../../provider/parts/instance/plan";
import { refuseInstance, requireBinaries } from "../../provider/parts/instance/refuse";
import { sayInstance, type InstanceStep, type Origin } from "../../provider/parts/instance/say";
import { absent, type Absent, type Plan, type Sayings } from "../../provider/plan/plan";
import type { PlanContext as PlanContextOf } from "../../provider/room";
import { isUnknown, unknownValue } from "../../provider/schema/unknown";
import { isSeeded, type Observed, type Settled, type StagingRecord } from "./facts";
import { instanceOf, type Declaration } from "./schema";

type PlanContext = PlanContextOf<Declaration, Settled>;

type SeedStep =
  | { readonly kind: "try-definitions"; readonly seeds: SeedRequest; readonly records: Partial<StagingRecord> }
  | ({ readonly kind: "seed" } & SeedingSaid);

export type StagingStep = InstanceStep | SeedStep;

export function plan(wanted: Declaration | Absent, seen: Observed, context: PlanContext): Plan<StagingStep> {
  if (wanted === absent) return planRemoval(seen, instanceContext(context));
  refuseInstance(instanceOf(wanted), seen, instanceContext(context));
  const steps = list(wanted, seen, context);
  requireBinaries<StagingStep>(instanceOf(wanted), seen, steps, ["seed", "try-definitions"]);
  requireSeed(wanted, seen, context, steps);
  return steps;
}

function list(wanted: Declaration, seen: Observed, context: PlanContext): Plan<StagingStep> {
  const { unclaimedData, mark } = seen.settled;
  const { reseed = null } = wanted;
  if (unclaimedData) return planAdoption(instanceOf(wanted), claimOf(seen, reseed));
  // As it is, whatever `reseed` says.
  if (mark !== null && !isOurs(mark.identity, context.identity)) return planTakeOver(instanceOf(wanted), { reseed });
  return isSeeded(wanted, seen.settled)
    ? planChange(instanceOf(wanted), seen, instanceContext(context))
    : planMaking(instanceOf(wanted), seen, seeding(wanted, seen, context));
}

const instanceContext = ({ before, ...context }: PlanContext) => ({
  ...context,
  before: before && { declared: instanceOf(before.declared), settled: before.settled },
});

const claimOf = ({ live }: Observed, reseed: string | null): Claim => ({
  origin: originOf(live?.source ?? null),
  records: { reseed, seedPosition: { gtidSet: null, file: null, position: null }, sizeBytes: null },
});

const originOf = (source: SeedSource | null): Origin | null =>
  source && {
    endpoint: source.endpoint,
    serverId: source.serverId,
    replicaIds: source.replicaIds,
    variables: inheritedVariables(source),
  };

/** Seeds, or continues a seeding of the same request. */
function seeding(wanted: Declaration, seen: Observed, { object, before }: PlanContext): Arrival<SeedStep> {
  const { settled, live } = seen;
  const { mark, instance } = settled;
  const request = requestOf(wanted, live);
  const { job, whyAnew } = compareSeeding(request, mark?.record, {
    isThere: live === null ? settled.hasSeedJob === true : ["running", "finished"].includes(live.seed.state),
    request: live?.seed.request,
  });
  const resumes = whyAnew === null && job;
  const place = { object, layout: layoutOf(wanted.directory) };
  if (whyAnew === null && mark?.record.seeding) requireUnchangedJob(place, instance);
  const discards = !resumes && (job || (instance !== null && instance.data !== "absent"));
  if (discards && instance !== null) requireOwnData(place, instance);
  const why = whyAnew ?? "an earlier seeding did not finish";
  const records = seedSettings(request, live?.source ?? null);
  return {
    resumes,
    discards: discards
      ? { why, stopsBecause: isThrownAway(mark) ? "its data is deleted and seeded again" : why }
      : null,
    claim: claimOf(seen, null),
    records,
    // Before anything is deleted: one refused definition ends a dump after hours.
    tries: request.method === "dump" ? [{ kind: "try-definitions", seeds: request, records }] : [],
    makes: [{ kind: "initialise-data" }],
    fills: [
      {
        kind: "seed",
        method: request.method,
        from: (resumes ? mark?.record.seeding?.from : undefined) ?? request.from,
        resumes: resumes || (live === null && before !== null && mark === null && "where it was begun"),
        ...(request.method === "dump" && wanted.inexactRows === "accept" && { inexact: true }),
        ...(request.ignored !== undefined && { ignored: request.ignored }),
      },
    ],
  };
}

const isThrownAway = (mark: Settled["mark"]): boolean => mark?.record.phase === "complete";

/**
 * Read again before the data directory is initialised: the source, and with it lower_case_table_names or the page size,
 * may differ from when the directory was claimed. If no source is declared, the settings stay as they are.
 */
const seedSettings = (seeds: SeedRequest, source: SeedSource | null): Partial<StagingRecord> => ({
  seeding: seeds,
  ...(source !== null && { sourceVariables: inheritedVariables(source) }),
});

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

function seedFrom({ seed, mode, source }: Declaration): string {
  if (mode === "manual" || seed === "none") return "";
  if (typeof seed === "object") return seed.file;
  if (isUnknown(source)) return unknownValue;
  return source === undefined ? "" : renderEndpoint(source);
}

/** Refuses a seed that cannot arrive. Nothing is brought to data that is taken over as it is. */
function requireSeed(
  wanted: Declaration,
  { settled, live }: Observed,
  { object }: PlanContext,
  { steps }: Plan<StagingStep>,
): void {
  if (live === null || settled.unclaimedData || isSeeded(wanted, settled)) return;
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

export const say: Sayings<StagingStep> = {
  ...sayInstance({
    bringAgain: "seed it again",
    isBroughtAgain: "it is seeded again",
    bringsNothing: "seeds nothing",
  }),
  "try-definitions": ({ seeds }) => sayTrial(seeds),
  seed: (step) => saySeed(step),
};
