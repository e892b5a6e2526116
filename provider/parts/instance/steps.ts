import { markOf, recorded } from "../../mark/mark";
import { changeAccounts } from "../../mysql/instance/accounts/changes";
import { setRootPassword, takeRootPassword } from "../../mysql/instance/accounts/management";
import { keepOptionFile } from "../../mysql/instance/adoption";
import { confine, unconfine } from "../../mysql/instance/confine/confine";
import { stopInstance } from "../../mysql/instance/stop";
import { emptyData, endJobs, forgetJobs, initialiseData, removeSeconds } from "../../mysql/instance/data";
import { ensureDirectories, ensureOsUser, writeConfiguration } from "../../mysql/instance/prepare";
import type { InstanceRecord } from "../../mysql/instance/record";
import { removeInstance } from "../../mysql/instance/removal";
import { setRunning } from "../../mysql/instance/running";
import { requireAccepted } from "../../mysql/instance/validate";
import { claimAlone } from "../../mysql/instance/allocation";
import { isSame, type Step } from "../../plan/plan";
import type { Performers, Seal, StepContext } from "../../room";
import { serverOf, type InstanceLive, type InstanceSettled } from "./facts";
import type { InstanceStep } from "./say";
import type { InstanceDeclaration } from "./schema";
import { connect, desiredUnder, record, standing, start, writeMark, type InstanceWork } from "./standing";

type Acts = Performers<InstanceDeclaration, InstanceSettled, InstanceLive, InstanceStep>;

const acts: Acts = {
  "claim-directory": async ({ directory, adopts, origin, records }, work) => {
    const { declared, identity } = work;
    const host = await work.host(declared.host);
    const claimed: InstanceRecord = { ...unclaimed, directory, ...records };
    const empty = markOf({ ...identity, seal: null }, claimed);
    const { instance, optionText } = desiredUnder(work, empty);
    const claim = { ...work, source: origin, serverId: declared.serverId, optionText };
    await claimAlone(host, instance, claim, async (serverId) => {
      const kept = adopts === true ? await keepOptionFile(host, instance) : null;
      const mark = recorded(empty, {
        ...(adopts === true && { phase: "complete", hasTimeZones: true }),
        serverId,
        sourceVariables: kept ?? origin?.variables ?? claimed.sourceVariables,
      });
      await writeMark({ host, place: instance }, mark);
    });
  },

  "take-over": async ({ records }, work) => {
    const at = await standing(work);
    await writeMark(at, { ...recorded(at.mark, records), identity: { ...work.identity, seal: null } });
  },

  confine: async (_step, work) => {
    const at = await standing(work);
    const { instance } = desiredUnder(work, at.mark);
    await ensureOsUser(at.host, instance, work.report);
    await ensureDirectories(at.host, instance);
    await confine(at.host, instance, at.mark.record.confined, (confined) => record(at, { confined }));
  },

  configure: async ({ records = {} }, work) => {
    const at = await standing(work);
    const mark = recorded(at.mark, records);
    if (!isSame(mark, at.mark)) await writeMark(at, mark);
    const desired = desiredUnder(work, mark);
    await ensureOsUser(at.host, desired.instance, work.report);
    await ensureDirectories(at.host, desired.instance);
    if (desired.optionText !== work.seen.settled.instance?.optionText)
      await requireAccepted(at.host, desired.instance, desired.optionText);
    await writeConfiguration(at.host, desired.instance, desired);
  },

  "stop-server": async (_step, work) => {
    const { host, place } = await standing(work);
    const { stopSeconds, allowKill } = work.declared;
    await work.disconnect(serverOf(work.declared));
    const { report, signal } = work;
    await stopInstance(host, place, { withinSeconds: stopSeconds, allowKill, report, signal });
  },

  "empty-data": async (_step, work) => {
    const at = await standing(work);
    await endJobs(at.host, at.place);
    await forgetJobs(at.host, at.place);
    await record(at, { phase: "claimed", hasRootPassword: false, hasTimeZones: false });
    await emptyData(at.host, at.place);
  },

  "initialise-data": async (_step, work) => {
    const { host, mark } = await standing(work);
    await initialiseData(host, desiredUnder(work, mark).instance);
  },

  "start-server": (_step, work) => start(work),

  "restart-server": async (step, work) => {
    await acts["stop-server"]({ kind: "stop-server", why: step.kind }, work);
    await start(work);
  },

  complete: async (_step, work) => record(await standing(work), { phase: "complete" }),

  "change-accounts": async (_step, work) => {
    await changeAccounts(await connect(work), work.object, work.declared.accounts);
  },

  "set-root-password": async (_step, work) => {
    const { rootPassword } = work.declared;
    if (rootPassword === undefined) return;
    const at = await standing(work);
    // Record it first: a crash here must not leave a password that we never take away.
    if (!at.mark.record.hasRootPassword) await record(at, { hasRootPassword: true });
    await setRootPassword(await connect(work), rootPassword);
  },

  "take-root-password": async (_step, work) => {
    const at = await standing(work);
    await takeRootPassword(await connect(work), desiredUnder(work, at.mark).instance);
    await record(at, { hasRootPassword: false });
  },

  "set-variables": async (step, work) => {
    const at = await standing(work);
    const before = at.mark.record.adjusted ?? {};
    const adjusted = { ...before, ...(await setRunning(() => connect(work), step.because)) };
    if (!isSame(adjusted, before)) await record(at, { adjusted });
  },

  "remove-server": async (_step, work) => {
    const { host, place, mark } = await standing(work);
    await unconfine(host, place, mark.record.confined, work.report);
    await removeInstance(host, place);
  },
};

const unclaimed: Omit<InstanceRecord, "directory"> = {
  phase: "claimed",
  serverId: 0,
  sourceVariables: {},
  hasRootPassword: false,
  hasTimeZones: false,
};

/** The same context, with the server of the room's declaration. */
export const instanceWork = <Declared, Record extends InstanceRecord, Live extends InstanceLive>(
  context: StepContext<Declared, InstanceSettled<Record>, Live>,
  instanceOf: (declared: Declared) => InstanceDeclaration,
): InstanceWork<Record> => ({ ...context, declared: instanceOf(context.declared) });

type PartActs<Declared, Settled extends InstanceSettled> = Performers<Declared, Settled, InstanceLive, InstanceStep>;

/** The part's performers, for a room's table. */
export function performInstance<Declared, Settled extends InstanceSettled>(
  instanceOf: (declared: Declared) => InstanceDeclaration,
): PartActs<Declared, Settled> {
  const all = Object.entries(acts as unknown as Record<string, (step: Step, work: InstanceWork) => Promise<void>>);
  const bound = all.map(([kind, act]) => [
    kind,
    (step: Step, context: StepContext<Declared, Settled, InstanceLive>) => act(step, instanceWork(context, instanceOf)),
  ]);
  return Object.fromEntries(bound) as PartActs<Declared, Settled>;
}

export const sealInstance = <Declared, Settled extends InstanceSettled, Live extends InstanceLive>(
  instanceOf: (declared: Declared) => InstanceDeclaration,
): Seal<Declared, Settled, Live> => ({
  of: ({ mark }) => mark?.identity?.seal ?? null,
  write: async (text, context) => {
    const at = await standing(instanceWork(context, instanceOf));
    const mark = { ...at.mark, identity: { ...context.identity, seal: text } };
    await writeMark(at, mark);
    return { ...context.seen.settled, mark };
  },
});

export const quickSeconds = 300; // writing files and making an empty data directory: 2.3 s measured, two busy cores may need 20 times that

/** Longest time a step of the part may take. */
export function instanceWithinSeconds(
  { kind }: InstanceStep,
  { startSeconds, stopSeconds }: Pick<InstanceDeclaration, "startSeconds" | "stopSeconds">,
): number {
  switch (kind) {
    case "start-server":
      return startSeconds;
    case "stop-server":
      return stopSeconds + quickSeconds;
    case "restart-server":
      return startSeconds + stopSeconds;
    case "empty-data":
    case "remove-server":
      return removeSeconds + quickSeconds;
    default:
      return quickSeconds;
  }
}
