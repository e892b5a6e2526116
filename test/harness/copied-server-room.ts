import { z } from "zod";
import { sh } from "../../provider/host/command";
import { isOurs } from "../../provider/mark/mark";
import { makeData } from "../../provider/mysql/instance/data";
import { planChange } from "../../provider/parts/instance/change";
import {
  blankInstance,
  instanceAsDeclared,
  instanceExists,
  instanceOutputs,
  unseenInstance,
  type InstanceLive,
  type InstanceSettled,
} from "../../provider/parts/instance/facts";
import { observeInstance } from "../../provider/parts/instance/observe";
import { planAdoption, planMaking, planRemoval, planTakeOver, type Arrival } from "../../provider/parts/instance/plan";
import { refuseInstance, requireBinaries } from "../../provider/parts/instance/refuse";
import { sayInstance, type InstanceStep } from "../../provider/parts/instance/say";
import {
  deriveInstance,
  derivedFields,
  instanceId,
  instanceName,
  instanceOutputDocs,
  limitFields,
  placeFields,
  refineInstance,
  serverFields,
} from "../../provider/parts/instance/schema";
import { standing } from "../../provider/parts/instance/standing";
import {
  instanceWithinSeconds,
  instanceWork,
  performInstance,
  quickSeconds,
  sealInstance,
} from "../../provider/parts/instance/steps";
import { instanceStatus } from "../../provider/parts/instance/status";
import { absent } from "../../provider/plan/plan";
import { defineRoom, type Observed as ObservedOf } from "../../provider/room";
import { absolutePath } from "../../provider/schema/fields";

/**
 * A third room with a mysqld: its data is copied from a directory on the same host. It shows what a room must say itself when it
 * takes over the managed instance, and that it is this little.
 */
const declaration = z.strictObject({
  ...placeFields,
  from: absolutePath.describe("A data directory of a server that does not run."),
  readOnly: z
    .boolean()
    .default(false)
    .describe("Refuse writes (super_read_only).")
    .meta({ source: "a copy is to be written to" }),
  ...serverFields,
  ...limitFields,
  ...derivedFields,
});

export type Declaration = z.output<typeof declaration>;
export type CopiedServerArgs = Omit<z.input<typeof declaration>, keyof typeof derivedFields>;
export type Settled = InstanceSettled;
type Observed = ObservedOf<Settled, InstanceLive>;

type Step = InstanceStep | { readonly kind: "copy-data"; readonly from: string };

const instanceOf = (declared: Declaration) => declared;

const claim = { origin: null, records: {} };

function copying(from: string, { instance }: Settled): Arrival<Step> {
  const isHalf = instance !== null && instance.data !== "absent";
  const why = "an earlier copy did not finish";
  return {
    resumes: false,
    discards: isHalf ? { why, stopsBecause: why } : null,
    claim,
    records: {},
    tries: [],
    makes: [{ kind: "copy-data", from }],
    fills: [{ kind: "complete" }],
  };
}

export const copiedServerRoom = defineRoom<Declaration, Settled, InstanceLive, Step>({
  kind: "CopiedServer",
  schema: { declaration, outputs: instanceOutputDocs },
  object: (declared, name) => `copied server ${instanceName(declared, name)}`,
  id: instanceId,
  locks: ({ host, directory }) => [{ host, name: `copied-server:${directory}`, mode: "exclusive" }],
  derive: deriveInstance,
  refine: refineInstance,
  blank: blankInstance,
  exists: instanceExists,
  unseenBecause: unseenInstance,
  outputs: (_declared, settled) => instanceOutputs(settled),
  asDeclared: (declared, settled) => instanceAsDeclared(instanceOf(declared), settled),
  status: (declared, seen) =>
    instanceStatus(instanceOf(declared), seen, {
      unfinished:
        seen.settled.mark?.record.phase === "complete"
          ? null
          : { isWell: false, words: "claimed, not copied yet", fix: "run `pulumi up`: it continues" },
    }),
  observe: (declared, look, remembered) => observeInstance(instanceOf(declared), look, remembered),
  plan: (wanted, seen: Observed, { before, ...context }) => {
    const mine = { ...context, before: before && { ...before, declared: instanceOf(before.declared) } };
    if (wanted === absent) return planRemoval(seen, mine);
    const instance = instanceOf(wanted);
    refuseInstance(instance, seen, mine);
    const { mark, unclaimedData } = seen.settled;
    if (unclaimedData) return planAdoption(instance, claim);
    if (mark !== null && !isOurs(mark.identity, mine.identity)) return planTakeOver(instance, {});
    const isComplete = mark?.record.phase === "complete";
    const plan = isComplete
      ? planChange(instance, seen, mine)
      : planMaking(instance, seen, copying(wanted.from, seen.settled));
    requireBinaries<Step>(instance, seen, plan, []);
    return plan;
  },
  say: {
    ...sayInstance({
      bringAgain: "copy it again",
      isBroughtAgain: "it is copied again",
      bringsNothing: "copies nothing",
    }),
    "copy-data": ({ from }) => ({ what: `copy the data from ${from}` }),
  },
  perform: {
    ...performInstance<Declaration, Settled>(instanceOf),
    "copy-data": async ({ from }, context) => {
      const { host, place } = await standing(instanceWork(context, instanceOf));
      // A second server with the same auto.cnf would have the first one's server_uuid.
      const fill = sh`asUser cp -a --reflink=auto ${`${from}/.`} "$made" && rm -f "$made/auto.cnf" || exit 99`;
      await makeData(host, place, fill, { withinSeconds: quickSeconds, accept: [0] });
    },
  },
  seal: sealInstance(instanceOf),
  withinSeconds: (step, declared) => (step.kind === "copy-data" ? quickSeconds : instanceWithinSeconds(step, declared)),
});
