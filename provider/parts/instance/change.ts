import { accountDifferences, knownAccounts, requireOwnAccounts } from "../../mysql/instance/accounts/accounts";
import { asUserOf, desiredInstance } from "../../mysql/instance/desired";
import { byDefault, differences, isStartOnly, runningDifferences, settable } from "../../mysql/instance/differences";
import { layoutOf } from "../../mysql/instance/layout";
import { requireData } from "../../mysql/instance/refusals";
import { inOrder, type Difference, type Plan } from "../../plan/plan";
import type { Context, InstanceSettled, Seen } from "./facts";
import { confines, relaxes } from "./plan";
import type { InstanceStep } from "./say";
import type { InstanceDeclaration } from "./schema";

/** What a complete server lacks of its declaration. */
export function planChange(wanted: InstanceDeclaration, seen: Seen, context: Context): Plan<InstanceStep> {
  const { before, object } = context;
  const settled = seen.live === null ? asUserOf(wanted.host, seen.settled, before?.declared.host) : seen.settled;
  refuseChange(wanted, settled, object);
  const running = settled.instance?.running === true;
  const wantsRunning = wanted.state === "running";
  const { because, dropped, set } = compareSettings(wanted, settled, object);
  const restarts = running && wantsRunning && because.some(isStartOnly);
  const accounts = accountDifferences(wanted.accounts, {
    seen: settled.server === null ? null : (settled.server.accounts ?? []),
    earlier: seen.live === null ? before?.declared.accounts : undefined,
  });
  return inOrder<InstanceStep>(
    running && !wantsRunning && { kind: "stop-server", why: "`state` is stopped" },
    // Before the file forgets them: a crash in between leaves the difference to be seen.
    dropped.length > 0 && { kind: "set-variables", because: dropped },
    wantsRunning && confines(wanted, seen) && { kind: "confine" },
    because.length > 0 && {
      kind: "configure",
      because,
      ...(relaxes(wanted) && because.some(({ property }) => property === "sync_binlog") && { relaxes: true }),
    },
    restarts && { kind: "restart-server", because: because.filter(isStartOnly) },
    // A server that runs and does not answer may be recovering: it is as declared when it answers.
    wantsRunning && !restarts && (!running || settled.server === null) && { kind: "start-server" },
    set.length > 0 && { kind: "set-variables", because: set },
    wantsRunning && passwordDiffers(wanted, seen, before) && { kind: "set-root-password" },
    wantsRunning && leavesRootOpen(wanted, settled) && { kind: "take-root-password" },
    wantsRunning && accounts.length > 0 && { kind: "change-accounts", because: accounts },
  );
}

function refuseChange(wanted: InstanceDeclaration, { instance, server }: InstanceSettled, object: string): void {
  if (wanted.state !== "running") return;
  if (instance !== null) requireData({ object, layout: layoutOf(wanted.directory) }, instance);
  if (server?.accounts !== undefined) requireOwnAccounts(object, knownAccounts(wanted.accounts), server.accounts);
}

interface SettingDifferences {
  /** Of the option file, the unit, the init file and owners of files. */
  readonly because: readonly Difference[];
  /** Set to the server's own value before the option file forgets them. */
  readonly dropped: readonly Difference[];
  /** Set in the running server. */
  readonly set: readonly Difference[];
}

/** Options that a running server accepts are set at once; all others wait for a start. */
function compareSettings(wanted: InstanceDeclaration, settled: InstanceSettled, object: string): SettingDifferences {
  const { instance, server, mark } = settled;
  const desired = desiredInstance(wanted, object, settled);
  if (desired === null || instance === null) return { because: [], dropped: [], set: [] };
  const because = differences(desired.instance, desired, instance);
  const goesOn = instance.running && wanted.state === "running" && !because.some(isStartOnly);
  if (!goesOn) return { because, dropped: [], set: [] };
  const drifted =
    server === null
      ? []
      : runningDifferences(desired.instance, desired.optionText, server.variables, mark?.record.adjusted);
  const told = settable(because).filter(({ property }) => !drifted.some((one) => one.property === property));
  return {
    because,
    dropped: because.filter((one) => one.to === byDefault && !isStartOnly(one)),
    set: [...drifted, ...told],
  };
}

/** In a preview the old and the new password are compared; during `up` the server was asked. */
function passwordDiffers(wanted: InstanceDeclaration, { settled, live }: Seen, before: Context["before"]): boolean {
  if (wanted.rootPassword === undefined) return false;
  if (live === null && before !== null && before.declared.rootPassword !== wanted.rootPassword) return true;
  return settled.server !== null && !settled.server.rootPasswordMatches;
}

const leavesRootOpen = ({ rootPassword }: InstanceDeclaration, { mark }: InstanceSettled): boolean =>
  rootPassword === undefined && mark?.record.hasRootPassword === true;
