import { endpointOf, renderEndpoint } from "../../provider/endpoint";
import { beginningOf, declaredPlace } from "../../provider/mysql/channel/beginning";
import { sayFailure } from "../../provider/mysql/channel/errors/errors";
import { compareRules, hasRules, keptFilters, planRules, type FilterRules } from "../../provider/mysql/channel/filters";
import {
  requireAnswering,
  requireApplierSound,
  requireOtherStart,
  requireSameServer,
  unanswered,
} from "../../provider/mysql/channel/refusals";
import { requireReady } from "../../provider/mysql/channel/requirements/requirements";
import {
  compareDelay,
  compareReceiver,
  compareWorkers,
  movesReceiver,
  sayPosition,
  type Position,
} from "../../provider/mysql/channel/settings";
import { sayStop, threadsOf, type Threads } from "../../provider/mysql/channel/threads";
import {
  sayCatchUp,
  sayClaim,
  sayFilters,
  sayPointing,
  type Adopts,
  type Catching,
  type Filtering,
  type Pointing,
} from "../../provider/mysql/channel/words";
import { isOurs } from "../../provider/mark/mark";
import { requireKnown, requireOurs } from "../../provider/mark/refusals";
import {
  absent,
  inOrder,
  isSame,
  type Absent,
  type Difference,
  type Plan,
  type Sayings,
} from "../../provider/plan/plan";
import type { PlanContext as PlanContextOf } from "../../provider/room";
import { hasUnknown, isUnknown } from "../../provider/schema/unknown";
import { exists, recordOf, unseenBecause, type Live, type Observed, type Settled, type SettledChannel } from "./facts";
import { claimedAs, channelOf, markedAs, namesOf, withParts, type Declaration } from "./schema";

type PlanContext = PlanContextOf<Declaration, Settled>;

export type ChannelStep =
  | { readonly kind: "claim-channel"; readonly channel: string; readonly adopts: Adopts }
  | { readonly kind: "seal-replica" }
  /** `untilStep` starts it again; null if it stays stopped. */
  | { readonly kind: "stop-channel"; readonly threads: Threads; readonly untilStep: number | null }
  | ({ readonly kind: "point-channel" } & Pointing)
  | {
      readonly kind: "change-channel";
      readonly receiver: boolean;
      readonly delay: boolean;
      readonly because: readonly Difference[];
    }
  | ({ readonly kind: "set-filters" } & Filtering)
  | { readonly kind: "keep-filters"; readonly rules: FilterRules }
  | { readonly kind: "start-channel"; readonly workers: number | null; readonly because: readonly Difference[] }
  | ({ readonly kind: "await-applied" } & Catching)
  | { readonly kind: "remove-channel"; readonly channel: string }
  | { readonly kind: "release-channel"; readonly channel: string };

type Seen = Extract<Live, { kind: "seen" }>;

export function plan(declared: Declaration | Absent, seen: Observed, context: PlanContext): Plan<ChannelStep> {
  if (declared === absent) return planRemoval(seen, context);
  const wanted = withParts(declared);
  const { settled, live } = seenFor(wanted, seen, context);
  return settled.channel === null
    ? planNew(wanted, settled, live, context)
    : planChange(wanted, settled, settled.channel, live, context);
}

/** The relevant part of the observation. Refuses a replica that does not answer, and a channel of another owner. */
function seenFor(
  wanted: Declaration,
  seen: Observed,
  context: PlanContext,
): { readonly settled: Settled; readonly live: Seen | null } {
  const { object, identity } = context;
  const { settled, live } = seen;
  if (live?.kind === "silent") throw unseenBecause(seen, object) ?? unanswered(live.problem, object, "change");
  const isAnew = isSeededAnew(wanted, context);
  if (live === null && isAnew) return { settled: { ...settled, mark: null, channel: null }, live };
  if (live !== null && !isAnew) requireSamePlace(wanted, settled, context);
  const found = settled.mark?.identity ?? null;
  const { adopt } = wanted;
  if (exists(settled)) requireOurs({ object, identity, found, adopt, ...claimedAs(channelOf(wanted)) });
  return { settled, live };
}

/** A preview knows the channel from before the replica's data is deleted: the channel is deleted with it. */
const isSeededAnew = ({ replica }: Declaration, { before }: PlanContext): boolean =>
  before !== null &&
  !hasUnknown(replica.holds) &&
  replica.holds?.seeding !== undefined &&
  replica.holds.seeding !== before.declared.replica.holds?.seeding;

function requireSamePlace(wanted: Declaration, { server }: Settled, { before, object }: PlanContext): void {
  const was = before?.settled ?? null;
  if (before === null || was === null || was.server === null || server === null || !exists(was)) return;
  const placed = ({ uuid }: { readonly uuid: string }, { replica }: Declaration) => ({
    uuid,
    place: replica.socket ?? endpointOf(replica),
  });
  requireSameServer(placed(was.server, before.declared), placed(server, wanted), object);
}

const isMine = ({ mark }: Settled, { identity }: PlanContext): boolean => isOurs(mark?.identity, identity);

/** Objects owned by another resource are left alone; delete then counts as done. */
function planRemoval(seen: Observed, context: PlanContext): Plan<ChannelStep> {
  const { settled, live } = seen;
  const { channel, mark } = settled;
  const { object, identity } = context;
  const name = context.before === null ? "" : channelOf(context.before.declared);
  requireKnown({ object, identity, found: mark?.identity ?? null, ...claimedAs(name) });
  if (!isMine(settled, context)) return inOrder();
  if (live?.kind === "silent") throw unseenBecause(seen, object) ?? unanswered(live.problem, object, "removal");
  const threads = channel === null ? null : threadsOf(channel.receives, channel.applies);
  return inOrder<ChannelStep>(
    threads !== null && { kind: "stop-channel", threads, untilStep: null },
    channel !== null && { kind: "remove-channel", channel: name },
    { kind: "release-channel", channel: name },
  );
}

function planNew(wanted: Declaration, settled: Settled, live: Seen | null, context: PlanContext): Plan<ChannelStep> {
  const rules = rulesOf(wanted);
  const { start, ended } = recordOf(settled.mark);
  const declared = declaredPlace(wanted.start, live);
  const position = newPosition(declared, settled, live, wanted, context);
  const insteadOf = declared === null || isSame(declared, position) ? null : sayPosition(declared);
  const hasTrace = start !== null || ended !== null;
  if (live !== null)
    requireEnds(wanted, live, { position: position ?? { by: "gtid" }, points: true, hasTrace, rules }, context);
  const runs = wanted.state !== "stopped";
  const mayExist = wanted.adopt && live === null && "if it exists";
  return inOrder<ChannelStep>(
    settled.isLeftWritable === true && { kind: "seal-replica" },
    !isMine(settled, context) && {
      kind: "claim-channel",
      channel: channelOf(wanted),
      adopts: settled.mark?.identity != null || mayExist,
    },
    { kind: "point-channel", to: renderEndpoint(wanted.source), position, insteadOf, because: [] },
    (rules === null || hasRules(rules)) && { kind: "set-filters", channel: channelOf(wanted), rules, because: [] },
    runs && starts(wanted, []),
    runs && awaits(wanted),
  );
}

/** By file, where an earlier channel of this name ended is part of the answer. */
function newPosition(
  declared: Position | null,
  { mark }: Settled,
  live: Seen | null,
  wanted: Declaration,
  { object }: PlanContext,
): Position | null {
  if (declared?.by !== "file") return declared;
  const sourceUuid = live?.source?.uuid ?? null;
  return beginningOf({ object, mark: markedAs(wanted), declared, trace: recordOf(mark), sourceUuid });
}

/** What a channel lacks of its declaration, and the threads that must stop for it. */
interface Differences {
  readonly runs: boolean;
  readonly receiver: readonly Difference[];
  readonly delay: readonly Difference[];
  readonly filters: readonly Difference[];
  readonly workers: readonly Difference[];
  /**
   * The new start position of the receiver; null if a preview does not know it, undefined if the receiver keeps its
   * position.
   */
  readonly position: Position | null | undefined;
  readonly touchesReceiver: boolean;
  readonly stops: Threads | null;
  readonly starts: boolean;
}

function compare(
  wanted: Declaration,
  channel: SettledChannel,
  rules: FilterRules | null,
  live: Seen | null,
  { before }: PlanContext,
): Differences {
  const runs = isUnknown(wanted.state) ? channel.receives && channel.applies : wanted.state === "running";
  // In a preview the old and the new password are compared; during `up` the server was asked.
  const rotated = live === null && before !== null && before.declared.source.password !== wanted.source.password;
  const receiver = compareReceiver(wanted, channel, rotated || !channel.passwordMatches);
  const delay = compareDelay(wanted, channel);
  const filters = rules === null ? [] : compareRules(rules, channel.rules);
  const workers = runs ? compareWorkers(wanted.workers, channel.workers) : [];
  const becomesGtid = wanted.start === "auto" && !channel.autoPosition;
  const position = movesReceiver(receiver)
    ? declaredPlace(wanted.start, live)
    : becomesGtid
      ? ({ by: "gtid" } as const)
      : undefined;
  const points = position !== undefined;
  const touchesReceiver = points || receiver.length > 0;
  const touchesApplier = points || delay.length > 0 || filters.length > 0 || workers.length > 0;
  const stops = threadsOf(channel.receives && (touchesReceiver || !runs), channel.applies && (touchesApplier || !runs));
  const isStarted = runs && (stops !== null || !channel.receives || !channel.applies);
  return { runs, receiver, delay, filters, workers, position, touchesReceiver, stops, starts: isStarted };
}

function planChange(
  wanted: Declaration,
  settled: Settled,
  channel: SettledChannel,
  live: Seen | null,
  context: PlanContext,
): Plan<ChannelStep> {
  const rules = rulesOf(wanted);
  const differs = compare(wanted, channel, rules, live, context);
  if (live !== null) refuseChange(wanted, settled, channel, live, differs, rules, context);
  const { runs, receiver, delay, filters, workers, position, stops } = differs;
  const reachesSource = live === null || live.source !== null || differs.touchesReceiver || !channel.receives;
  const catchesUp = runs && (differs.starts || !recordOf(settled.mark).caughtUp) && reachesSource;
  const keeps = filters.length === 0 && rules !== null && !isKept(channel, rules, wanted, context.identity.name);
  const because = [...receiver, ...delay];
  return numbered(
    inOrder<ChannelStep>(
      settled.isLeftWritable === true && { kind: "seal-replica" },
      !isMine(settled, context) && { kind: "claim-channel", channel: channelOf(wanted), adopts: true },
      stops !== null && { kind: "stop-channel", threads: stops, untilStep: null },
      position !== undefined && {
        kind: "point-channel",
        to: renderEndpoint(wanted.source),
        position,
        insteadOf: null,
        because,
      },
      position === undefined &&
        because.length > 0 && {
          kind: "change-channel",
          receiver: receiver.length > 0,
          delay: delay.length > 0,
          because,
        },
      filters.length > 0 && { kind: "set-filters", channel: channelOf(wanted), rules, because: filters },
      keeps && { kind: "keep-filters", rules },
      differs.starts && starts(wanted, [...workers, ...sayFailure(channel.failure)]),
      catchesUp && awaits(wanted),
    ),
  );
}

function refuseChange(
  wanted: Declaration,
  settled: Settled,
  channel: SettledChannel,
  live: Seen,
  { runs, filters, position, touchesReceiver, starts: isStarted }: Differences,
  rules: FilterRules | null,
  context: PlanContext,
): void {
  const names = namesOf(context.object, wanted, live.replica, live.channel);
  const points = position !== undefined;
  if (points || (isStarted && (touchesReceiver || !channel.receives))) {
    requireOtherStart(recordOf(settled.mark).start, position ?? null, names);
    const stays: Position = channel.autoPosition ? { by: "gtid" } : { by: "file", file: "", position: "0" };
    requireEnds(wanted, live, { position: position ?? stays, points, hasTrace: true, rules }, context);
  }
  if (runs && !points && filters.length === 0)
    requireApplierSound(live.channel?.applier.error ?? null, live.replica.executed, names);
}

/** The stop names the step that ends it. */
function numbered({ steps }: Plan<ChannelStep>): Plan<ChannelStep> {
  const at = steps.findIndex(({ kind }) => kind === "start-channel");
  const untilStep = at < 0 ? null : at + 1;
  return { steps: steps.map((step) => (step.kind === "stop-channel" ? { ...step, untilStep } : step)) };
}

const starts = ({ workers }: Declaration, because: readonly Difference[]): ChannelStep => ({
  kind: "start-channel",
  workers: workers ?? null,
  because,
});

const awaits = ({ catchUpSeconds, delaySeconds }: Declaration): ChannelStep | false =>
  catchUpSeconds !== 0 && { kind: "await-applied", withinSeconds: catchUpSeconds, delaySeconds };

const rulesOf = ({ filters, replica }: Declaration): FilterRules | null =>
  hasUnknown(filters) || hasUnknown(replica.holds) ? null : planRules(filters, replica.holds);

const isKept = ({ filterFile }: SettledChannel, rules: FilterRules, wanted: Declaration, owner: string): boolean =>
  !filterFile.isPossible || filterFile.text === keptFilters(rules, channelOf(wanted), owner);

interface Ends {
  readonly position: Position;
  readonly points: boolean;
  readonly hasTrace: boolean;
  readonly rules: FilterRules | null;
}

/** The requirements of both ends before a receiver is pointed or started. */
function requireEnds(
  wanted: Declaration,
  live: Seen,
  { position, points, hasTrace, rules }: Ends,
  { object }: PlanContext,
): void {
  const { start: begin } = wanted;
  const endpoint = renderEndpoint(wanted.source);
  requireReady({
    names: namesOf(object, wanted, live.replica, live.channel),
    replica: live.replica,
    source: requireAnswering(live, { object, endpoint, through: wanted.replica.host }),
    channel: live.channel,
    points,
    position,
    hasTrace,
    seedGtids: points && typeof begin === "object" && begin.gtidSet !== undefined ? begin.gtidSet : null,
    hasFilters: rules !== null && hasRules(rules),
  });
}

export const say: Sayings<ChannelStep> = {
  "claim-channel": ({ channel, adopts }) => sayClaim(channel, adopts),
  "seal-replica": () => ({
    what: "set super_read_only of the replica to ON again",
    because: [{ property: "super_read_only", from: "OFF since an interrupted run", to: "ON" }],
  }),
  "stop-channel": ({ threads, untilStep }) => sayStop(threads, untilStep),
  "point-channel": (step) => sayPointing(step),
  "change-channel": ({ because }) => ({ what: "change the channel's settings", because }),
  "set-filters": (step) => sayFilters(step),
  "keep-filters": ({ rules }) => ({
    what: hasRules(rules)
      ? "write the channel's filters into its option file"
      : "remove the channel's filters from its option file",
  }),
  "start-channel": ({ workers, because }) => ({
    what: workers === null ? "start the channel" : `start the channel with ${String(workers)} workers`,
    because,
  }),
  "await-applied": (step) => sayCatchUp(step),
  "remove-channel": ({ channel }) => ({ what: `remove channel ${channel}; the data stays` }),
  "release-channel": ({ channel }) => ({ what: `remove the mark of channel ${channel}` }),
};
