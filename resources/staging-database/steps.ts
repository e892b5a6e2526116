import { SluiceError } from "../../provider/errors";
import { setRootPassword, takeRootPassword } from "../../provider/mysql/instance/accounts/management";
import { claimAlone } from "../../provider/mysql/instance/allocation";
import { changeAccounts } from "../../provider/mysql/instance/accounts/changes";
import { keepOptionFile } from "../../provider/mysql/instance/adoption";
import { confine, unconfine } from "../../provider/mysql/instance/confine/confine";
import { admitDefiners, ensureDefiners, readDefiners } from "../../provider/mysql/instance/accounts/definers";
import { runtimeOf, type Instance, type InstancePlace } from "../../provider/mysql/instance/instance";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { awaitAnswering, startInstance } from "../../provider/mysql/instance/start";
import { stopInstance } from "../../provider/mysql/instance/stop";
import { emptyData, endSeed, removeInstance, removeSeconds } from "../../provider/mysql/instance/removal";
import {
  ensureDirectories,
  ensureOsUser,
  initialiseData,
  writeConfiguration,
} from "../../provider/mysql/instance/prepare";
import { requireAccepted } from "../../provider/mysql/instance/validate";
import { readMarkFile, writeMarkFile } from "../../provider/mark/file";
import { markOf, recorded, type Mark } from "../../provider/mark/mark";
import { groupsOf, namedZoneOf } from "../../provider/mysql/instance/options";
import { setRunning } from "../../provider/mysql/instance/running";
import { ensureTimeZones, knowsTimeZone } from "../../provider/mysql/instance/time-zones";
import { forgetSeed } from "../../provider/mysql/seed/job";
import { digestOf, type SeedRequest } from "../../provider/mysql/seed/request";
import { nothingSeeded, type Seeding, type SeedResult } from "../../provider/mysql/seed/run";
import { seedFromClone } from "../../provider/mysql/seed/clone";
import { seedFromDump } from "../../provider/mysql/seed/dump/dump";
import { seedFromFile } from "../../provider/mysql/seed/file/file";
import { trialSeconds, tryDefinitions } from "../../provider/mysql/seed/trial/trial";
import { inheritedVariables } from "../../provider/mysql/seed/source/source";
import { isSame } from "../../provider/plan/plan";
import type { Host } from "../../provider/host/host";
import { withMysql } from "../../provider/mysql/client";
import type { MysqlClient, MysqlReader } from "../../provider/mysql/reader";
import { setVariable } from "../../provider/mysql/options/variables";
import type { Performers, Seal, StepContext } from "../../provider/room";
import { serverOf, type Live, type Settled, type StagingRecord } from "./observe";
import type { Desired } from "../../provider/mysql/instance/desired";
import { desiredFor, methodOf, type StagingStep } from "./plan";
import type { Declaration } from "./schema";

type Context = StepContext<Declaration, Settled, Live>;
type StagingMark = Mark<StagingRecord>;

export const perform: Performers<Declaration, Settled, Live, StagingStep> = {
  "claim-directory": async ({ adopts }, context) => {
    const { declared, seen } = context;
    const [host, source] = [await context.host(declared.host), seen.live?.source ?? null];
    const { instance } = desiredOf(context, newMark(context));
    await claimAlone(host, instance, { ...context, source, serverId: declared.serverId }, async (serverId) => {
      const kept = adopts === true ? await keepOptionFile(host, instance) : null;
      const changes = {
        ...(adopts === true && { phase: "complete" as const, reseed: declared.reseed ?? null, hasTimeZones: true }),
        serverId,
        sourceVariables: kept ?? (source === null ? {} : inheritedVariables(source)),
      };
      await writeMark(host, instance, recorded(newMark(context), changes));
    });
  },

  "take-over": async (_step, context) => {
    const { host, place, mark } = await claimed(context);
    const { reseed = null } = context.declared;
    await writeMark(host, place, { ...recorded(mark, { reseed }), identity: { ...context.identity, seal: null } });
  },

  confine: async (_step, context) => {
    const { host, place, mark } = await claimed(context);
    const { instance } = desiredOf(context, mark);
    await ensureOsUser(host, instance, context.report);
    await ensureDirectories(host, instance);
    await confine(host, instance, mark.record.confined, (confined) =>
      writeMark(host, place, recorded(mark, { confined })),
    );
  },

  configure: async ({ seeds }, context) => {
    const { host, place, mark: before } = await claimed(context);
    const mark = seeds === undefined ? before : recorded(before, seedSettings(seeds, before.record, context));
    if (seeds !== undefined) await writeMark(host, place, mark);
    const desired = desiredOf(context, mark);
    await ensureOsUser(host, desired.instance, context.report);
    await ensureDirectories(host, desired.instance);
    if (desired.optionText !== context.seen.settled.instance?.optionText)
      await requireAccepted(host, desired.instance, desired.optionText);
    await writeConfiguration(host, desired.instance, desired);
  },

  "try-definitions": async ({ seeds }, context) => {
    const { declared, seen } = context;
    const { host, mark } = await claimed(context);
    // As the server will be configured when it is seeded; empty, it has no tables of time zones.
    const future = recorded(mark, { ...seedSettings(seeds, mark.record, context), hasTimeZones: false });
    const { instance, optionText } = desiredOf(context, future);
    await ensureOsUser(host, instance, context.report);
    await ensureDirectories(host, instance);
    const [source, facts] = [present(declared.source), present(seen.live?.source ?? undefined)];
    const { databases } = declared;
    await tryDefinitions(
      { ...context, host, instance, optionText },
      { source, facts, databases, ignored: seeds.ignored },
    );
  },

  "stop-server": async (_step, context) => {
    const { host, place } = await claimed(context);
    const { report, signal } = context;
    const { stopSeconds: withinSeconds, allowKill } = context.declared;
    await context.disconnect(serverOf(context.declared));
    await stopInstance(host, place, { withinSeconds, allowKill, report, signal });
  },

  "empty-data": async (_step, context) => {
    const { host, place, mark } = await claimed(context);
    // In this order: a result of before, beside a marker that waits for one, would be taken for that of the new seeding.
    await endSeed(host, place);
    await forgetSeed(host, place);
    await writeMark(host, place, recorded(mark, { phase: "claimed", hasRootPassword: false, hasTimeZones: false }));
    await emptyData(host, place);
  },

  "initialise-data": async (_step, context) => {
    const { host, mark } = await claimed(context);
    await initialiseData(host, desiredOf(context, mark).instance);
  },

  "start-server": (_step, context) => start(context),

  "restart-server": async (step, context) => {
    await perform["stop-server"]({ kind: "stop-server", why: step.kind }, context);
    await start(context);
  },

  seed: async ({ resumes }, context) => {
    const { host, place, mark } = await claimed(context);
    const { record } = mark;
    const { instance } = desiredOf(context, mark);
    const method = methodOf(context.declared);
    // Before statements in named zones arrive; a clone replaces the tables of time zones too.
    if (method !== "clone") await loadTimeZones(context, host, instance);
    if (method === "dump" && resumes !== true) await admitSourceDefiners(context, host);
    const request = record.seeding === undefined ? undefined : digestOf(record.seeding);
    const result = await seedBy(context, host, instance, request);
    await requireSameSource(result, record, host, place);
    if (method === "dump" || method === "file")
      await ensureDefiners(await connect(context), context.object, context.report);
    const hasTimeZones = await loadTimeZones(context, host, instance);
    const done: Partial<StagingRecord> = {
      ...(await useTimeZone(context, host, recorded(mark, { hasTimeZones }))),
      phase: "complete",
      reseed: record.seeding?.reseed ?? context.declared.reseed ?? null,
      seedPosition: { gtidSet: result.gtidExecuted, file: result.logFile, position: result.logPosition },
      sizeBytes: String(result.bytes),
    };
    await writeMark(host, place, recorded(mark, done));
    await forgetSeed(host, place);
  },

  "change-accounts": async (_step, context) => {
    await changeAccounts(await connect(context), context.object, context.declared.accounts);
  },

  "set-root-password": async (_step, context) => {
    const { rootPassword } = context.declared;
    if (rootPassword === undefined) return;
    const { host, place, mark } = await claimed(context);
    // Record it first: a crash here must not leave a password that we never take away.
    if (!mark.record.hasRootPassword) await writeMark(host, place, recorded(mark, { hasRootPassword: true }));
    await setRootPassword(await connect(context), rootPassword);
  },

  "take-root-password": async (_step, context) => {
    const { host, place, mark } = await claimed(context);
    await takeRootPassword(await connect(context), desiredOf(context, mark).instance);
    await writeMark(host, place, recorded(mark, { hasRootPassword: false }));
  },

  "set-variables": async (step, context) => {
    const { host, place, mark } = await claimed(context);
    const adjusted = { ...mark.record.adjusted, ...(await setRunning(() => connect(context), step.because)) };
    if (!isSame(adjusted, mark.record.adjusted ?? {})) await writeMark(host, place, recorded(mark, { adjusted }));
  },

  "remove-server": async (_step, context) => {
    const { host, place, mark } = await claimed(context);
    await unconfine(host, place, mark.record.confined, context.report);
    await removeInstance(host, place);
  },
};

/**
 * Read again before data is made: the source, and with it lower_case_table_names or the page size, may be another one than when
 * the directory was claimed. Where no source is declared, the settings stay as they are.
 */
const seedSettings = (seeding: SeedRequest, record: StagingRecord, { seen }: Context): Partial<StagingRecord> => ({
  seeding,
  sourceVariables: seen.live?.source ? inheritedVariables(seen.live.source) : record.sourceVariables,
});

async function loadTimeZones(context: Context, host: Host, instance: Instance): Promise<boolean> {
  const { declared, report, signal } = context;
  const { source } = declared;
  const mysql = await connect(context);
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
  await admitDefiners(await connect(context), definers);
}

/** A zone by its name is set now that the server can have it; the option file keeps it for the next start. */
async function useTimeZone(
  context: Context,
  host: Host,
  mark: StagingMark,
): Promise<Pick<StagingRecord, "hasTimeZones">> {
  if (mark.record.hasTimeZones !== true) return { hasTimeZones: false };
  const desired = desiredOf(context, mark);
  const zone = namedZoneOf(desired.optionText, groupsOf(desired.instance));
  if (zone === null) return { hasTimeZones: true };
  const mysql = await connect(context);
  if (!(await knowsTimeZone(mysql, zone))) {
    context.report.say(`${context.object}: time_zone stays SYSTEM, the tables of time zones do not hold ${zone}`);
    return { hasTimeZones: false };
  }
  await mysql.execute(setVariable("time_zone", zone));
  await writeConfiguration(host, desired.instance, desired);
  return { hasTimeZones: true };
}

async function start(context: Context): Promise<void> {
  const { host, mark } = await claimed(context);
  const { instance } = desiredOf(context, mark);
  await startInstance(host, instance);
  await awaitAnswering(host, instance, {
    connect: () => connect(context),
    withinSeconds: context.declared.startSeconds,
    report: context.report,
    signal: context.signal,
  });
}

export const seal: Seal<Declaration, Settled, Live> = {
  of: ({ mark }) => mark?.identity?.seal ?? null,
  write: async (text, context) => {
    const { host, place, mark } = await claimed(context);
    const sealed = { ...mark, identity: { ...context.identity, seal: text } };
    await writeMark(host, place, sealed);
    return { ...context.seen.settled, mark: sealed };
  },
};

/** An address may lead to another server from one connection to the next: a failover, a proxy, a changed DNS record. */
async function requireSameSource(
  { sourceUuid }: SeedResult,
  { seeding }: StagingRecord,
  host: Host,
  place: InstancePlace,
): Promise<void> {
  if (sourceUuid === null || seeding?.sourceUuid == null || sourceUuid === seeding.sourceUuid) return;
  await forgetSeed(host, place);
  throw new SluiceError({
    code: "SEED_OTHER_REQUEST",
    object: place.object,
    what: `the data is not of the server that the seeding was planned for: ${seeding.from} led to another server meanwhile`,
    found: `server_uuid ${sourceUuid}`,
    needs: `server_uuid ${seeding.sourceUuid}`,
    fix: "name an address that leads to one server only; the next `pulumi up` begins again with empty data",
  });
}

async function seedBy(
  context: Context,
  host: Host,
  instance: Instance,
  request: string | undefined,
): Promise<SeedResult> {
  const { declared, report, signal } = context;
  const seeding: Seeding = {
    host,
    instance,
    connect: () => connect(context),
    report,
    signal,
    request,
    withinSeconds: declared.seedSeconds,
  };
  const { source, seed, databases, inexactRows, historyListLimit } = declared;
  switch (methodOf(declared)) {
    case "dump":
      return seedFromDump(seeding, {
        source: present(source),
        databases,
        inexactRows,
        historyListLimit,
        ignored: declared.ignoreObjects,
      });
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

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a seed without a source; this is a bug in pulumi-sluice");
  return value;
}

/** Anew: a connection from before the server ended is of no use. */
async function connect(context: Context): Promise<MysqlClient> {
  await context.disconnect(serverOf(context.declared));
  return context.mysql(serverOf(context.declared));
}

/** The host, with the mark as it is now: earlier steps of the same plan have written it. */
async function claimed(context: Context): Promise<{ host: Host; place: InstancePlace; mark: StagingMark }> {
  const { declared, object } = context;
  const host = await context.host(declared.host);
  const runtime = runtimeOf(await host.facts());
  const layout = layoutOf(declared.directory);
  const mark = await readMarkFile<StagingRecord>(host, { path: layout.mark, asRoot: runtime.asRoot }, object);
  if (mark === null) throw new Error(`no mark in ${declared.directory}; this is a bug in pulumi-sluice`);
  return { host, mark, place: { object, layout, runtime, port: declared.port } };
}

function desiredOf({ declared, object, seen }: Context, mark: StagingMark): Desired {
  const desired = desiredFor(declared, object, { ...seen.settled, mark });
  if (desired === null) throw new Error("a step before its observation; this is a bug in pulumi-sluice");
  return desired;
}

const newMark = ({ declared, identity }: Context): StagingMark =>
  markOf(
    { ...identity, seal: null },
    {
      directory: declared.directory,
      phase: "claimed",
      reseed: null,
      serverId: 0,
      sourceVariables: {},
      seedPosition: { gtidSet: null, file: null, position: null },
      sizeBytes: null,
      hasRootPassword: false,
      hasTimeZones: false,
    },
  );

const writeMark = (host: Host, { layout, runtime }: InstancePlace, mark: StagingMark): Promise<void> =>
  writeMarkFile(host, { path: layout.mark, asRoot: runtime.asRoot }, mark);

const quickSeconds = 300; // writing files and making an empty data directory: 2.3 s measured, two busy cores may need 20 times that

export function withinSeconds(step: StagingStep, { seedSeconds, startSeconds, stopSeconds }: Declaration): number {
  switch (step.kind) {
    case "seed":
      return seedSeconds;
    case "try-definitions":
      return trialSeconds + quickSeconds;
    case "start-server":
      return startSeconds;
    case "stop-server":
      return stopSeconds + quickSeconds;
    case "restart-server":
      return startSeconds + stopSeconds;
    case "claim-directory":
    case "take-over":
    case "configure":
    case "confine":
    case "initialise-data":
    case "set-variables":
    case "set-root-password":
    case "take-root-password":
    case "change-accounts":
      return quickSeconds;
    case "empty-data":
    case "remove-server":
      return removeSeconds + quickSeconds;
  }
}
