import { SluiceError } from "../../provider/errors";
import type { Host } from "../../provider/host/host";
import { recorded, type Mark } from "../../provider/mark/mark";
import { admitDefiners, ensureDefiners, readDefiners } from "../../provider/mysql/instance/accounts/definers";
import type { Instance } from "../../provider/mysql/instance/instance";
import { groupsOf, namedZoneOf } from "../../provider/mysql/instance/options";
import { ensureDirectories, ensureOsUser, writeConfiguration } from "../../provider/mysql/instance/prepare";
import { ensureTimeZones, knowsTimeZone } from "../../provider/mysql/instance/time-zones";
import { withMysql } from "../../provider/mysql/client";
import { setVariable } from "../../provider/mysql/options/variables";
import type { MysqlReader } from "../../provider/mysql/reader";
import { seedFromClone } from "../../provider/mysql/seed/clone";
import { seedFromDump } from "../../provider/mysql/seed/dump/dump";
import { seedFromFile } from "../../provider/mysql/seed/file/file";
import { forgetSeed } from "../../provider/mysql/seed/job";
import { digestOf } from "../../provider/mysql/seed/request";
import { nothingSeeded, type Seeding, type SeedResult } from "../../provider/mysql/seed/run";
import { trialSeconds, tryDefinitions } from "../../provider/mysql/seed/trial/trial";
import {
  connect,
  desiredUnder,
  record,
  standing,
  type InstanceWork,
  type Standing,
} from "../../provider/parts/instance/standing";
import {
  instanceWithinSeconds,
  instanceWork,
  performInstance,
  quickSeconds,
  sealInstance,
} from "../../provider/parts/instance/steps";
import type { Performers, Seal, StepContext } from "../../provider/room";
import type { Live, Settled, StagingRecord } from "./facts";
import { methodOf, type StagingStep } from "./plan";
import { instanceOf, type Declaration } from "./schema";

type Context = StepContext<Declaration, Settled, Live>;

export const perform: Performers<Declaration, Settled, Live, StagingStep> = {
  ...performInstance<Declaration, Settled>(instanceOf),

  "try-definitions": async ({ seeds, records }, context) => {
    const { declared, seen } = context;
    const work = workOf(context);
    const { host, mark } = await standing(work);
    // As the server will be configured when it is seeded; empty, it has no tables of time zones.
    const { instance, optionText } = desiredUnder(work, recorded(mark, { ...records, hasTimeZones: false }));
    await ensureOsUser(host, instance, context.report);
    await ensureDirectories(host, instance);
    const [source, facts] = [present(declared.source), present(seen.live?.source ?? undefined)];
    const { databases } = declared;
    await tryDefinitions(
      { ...context, host, instance, optionText },
      { source, facts, databases, ignored: seeds.ignored },
    );
  },

  seed: async ({ resumes }, context) => {
    const work = workOf(context);
    const at = await standing(work);
    const { host, mark } = at;
    const { instance } = desiredUnder(work, mark);
    const method = methodOf(context.declared);
    // Before statements in named zones arrive; a clone replaces the tables of time zones too.
    if (method !== "clone") await loadTimeZones(context, host, instance);
    if (method === "dump" && resumes !== true) await admitSourceDefiners(context, host);
    const result = await seedBy(context, host, instance, mark.record);
    await requireSameSource(result, at);
    if (method === "dump" || method === "file")
      await ensureDefiners(await connect(work), context.object, context.report);
    const hasTimeZones = await loadTimeZones(context, host, instance);
    await record(at, {
      ...(await useTimeZone(work, host, recorded(mark, { hasTimeZones }))),
      phase: "complete",
      reseed: mark.record.seeding?.reseed ?? context.declared.reseed ?? null,
      seedPosition: { gtidSet: result.gtidExecuted, file: result.logFile, position: result.logPosition },
      sizeBytes: String(result.bytes),
    });
    await forgetSeed(host, at.place);
  },
};

export const seal: Seal<Declaration, Settled, Live> = sealInstance(instanceOf);

export function withinSeconds(step: StagingStep, declared: Declaration): number {
  if (step.kind === "seed") return declared.seedSeconds;
  if (step.kind === "try-definitions") return trialSeconds + quickSeconds;
  return instanceWithinSeconds(step, declared);
}

const workOf = (context: Context): InstanceWork<StagingRecord> => instanceWork(context, instanceOf);

async function loadTimeZones(context: Context, host: Host, instance: Instance): Promise<boolean> {
  const { declared, report, signal } = context;
  const { source } = declared;
  const mysql = await connect(workOf(context));
  const askSource =
    source === undefined
      ? null
      : <T>(ask: (reader: MysqlReader) => Promise<T>) => withMysql(source, host, ask, { role: "source", signal });
  return ensureTimeZones({ host, instance, mysql, report, askSource });
}

async function admitSourceDefiners(context: Context, host: Host): Promise<void> {
  const { source, databases } = context.declared;
  const definers = await withMysql(present(source), host, (reader) => readDefiners(reader, databases), {
    role: "source",
    signal: context.signal,
  });
  await admitDefiners(await connect(workOf(context)), definers);
}

/** A named zone is set now that its tables are loaded; the option file keeps it for the next start. */
async function useTimeZone(
  work: InstanceWork<StagingRecord>,
  host: Host,
  mark: Mark<StagingRecord>,
): Promise<Pick<StagingRecord, "hasTimeZones">> {
  if (mark.record.hasTimeZones !== true) return { hasTimeZones: false };
  const desired = desiredUnder(work, mark);
  const zone = namedZoneOf(desired.optionText, groupsOf(desired.instance));
  if (zone === null) return { hasTimeZones: true };
  const mysql = await connect(work);
  if (!(await knowsTimeZone(mysql, zone))) {
    work.report.say(`${work.object}: time_zone stays SYSTEM, the time zone tables do not contain ${zone}`);
    return { hasTimeZones: false };
  }
  await mysql.execute(setVariable("time_zone", zone));
  await writeConfiguration(host, desired.instance, desired);
  return { hasTimeZones: true };
}

/** An address may lead to another server from one connection to the next: a failover, a proxy, a changed DNS record. */
async function requireSameSource(
  { sourceUuid }: SeedResult,
  { host, place, mark }: Standing<StagingRecord>,
): Promise<void> {
  const { seeding } = mark.record;
  if (sourceUuid === null || seeding?.sourceUuid == null || sourceUuid === seeding.sourceUuid) return;
  await forgetSeed(host, place);
  throw new SluiceError({
    code: "SEED_OTHER_REQUEST",
    object: place.object,
    what: `the data is not of the server that the seeding was planned for: ${seeding.from} led to another server during the seeding`,
    found: `server_uuid ${sourceUuid}`,
    needs: `server_uuid ${seeding.sourceUuid}`,
    fix: "declare an address that leads to one server only; the next `pulumi up` starts the seeding again with empty data",
  });
}

async function seedBy(
  context: Context,
  host: Host,
  instance: Instance,
  { seeding: begun }: StagingRecord,
): Promise<SeedResult> {
  const { declared, report, signal } = context;
  const seeding: Seeding = {
    host,
    instance,
    connect: () => connect(workOf(context)),
    report,
    signal,
    request: begun === undefined ? undefined : digestOf(begun),
    withinSeconds: declared.seedSeconds,
  };
  const { source, seed, databases, inexactRows, historyListLimit, ignoreObjects: ignored } = declared;
  switch (methodOf(declared)) {
    case "dump":
      return seedFromDump(seeding, { source: present(source), databases, inexactRows, historyListLimit, ignored });
    case "clone":
      return seedFromClone(seeding, { source: present(source) });
    case "file":
      return seedFromFile(seeding, {
        path: typeof seed === "object" ? seed.file : "",
        databases,
        source: context.seen.live?.source ?? null,
      });
    case "none":
      return nothingSeeded;
  }
}

/** `refine` has made sure of it. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a seed without a source; this is a bug in pulumi-sluice");
  return value;
}
