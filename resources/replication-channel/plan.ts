import { endpointOf, renderEndpoint } from "../../provider/endpoint";
import { beginningOf, noTrace, type Trace } from "../../provider/mysql/channel/beginning";
import { sayFailure } from "../../provider/mysql/channel/errors/errors";
import {
  changeReplicationFilter,
  compareRules,
  hasRules,
  keptFilters,
  noRules,
  planRules,
  type FilterRules,
} from "../../provider/mysql/channel/filters";
import {
  requireApplierSound,
  requireOtherStart,
  requireSameServer,
  requireAnswering,
  unanswered,
} from "../../provider/mysql/channel/refusals";
import { requireReady } from "../../provider/mysql/channel/requirements/requirements";
import {
  compareDelay,
  compareReceiver,
  planPosition,
  sayPosition,
  type Position,
} from "../../provider/mysql/channel/settings";
import { sayStop, threadsOf, type Threads } from "../../provider/mysql/channel/threads";
import { sayDuration } from "../../provider/duration";
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
import type { Live, Observed, Settled, SettledChannel } from "./observe";
import { claimedAs, channelOf, markedAs, namesOf, withParts, type Declaration } from "./schema";

type PlanContext = PlanContextOf<Declaration, Settled>;

export type ChannelStep =
  | { readonly kind: "claim-channel"; readonly channel: string; readonly adopts: Adopts }
  | { readonly kind: "seal-replica" }
  /** `untilStep` starts it again; null where it stays stopped. */
  | { readonly kind: "stop-channel"; readonly threads: Threads; readonly untilStep: number | null }
  | {
      readonly kind: "point-channel";
      readonly to: string;
      /** Null while a preview does not know it. */
      readonly position: Position | null;
      /** The declared place, where that is not it: an earlier channel that began there got further. */
      readonly insteadOf: string | null;
      readonly because: readonly Difference[];
    }
  | {
      readonly kind: "change-channel";
      readonly receiver: boolean;
      readonly delay: boolean;
      readonly because: readonly Difference[];
    }
  | {
      readonly kind: "set-filters";
      readonly channel: string;
      /** Null while a preview does not know them. */
      readonly rules: FilterRules | null;
      readonly because: readonly Difference[];
    }
  | { readonly kind: "keep-filters"; readonly rules: FilterRules }
  | { readonly kind: "start-channel"; readonly workers: number | null; readonly because: readonly Difference[] }
  | { readonly kind: "await-applied"; readonly withinSeconds: number; readonly delaySeconds: number }
  | { readonly kind: "remove-channel"; readonly channel: string }
  | { readonly kind: "release-channel"; readonly channel: string };

/** A preview of a new channel has not looked at the server. */
type Adopts = boolean | "if it exists";

type Seen = Extract<Live, { kind: "seen" }>;

export function plan(
  declared: Declaration | Absent,
  { settled, live }: Observed,
  context: PlanContext,
): Plan<ChannelStep> {
  if (declared === absent) return planRemoval(settled, live, context);
  if (live?.kind === "silent") throw unanswered(live.problem, context.object, "change");
  const wanted = withParts(declared);
  if (live !== null && !isSeededAnew(wanted, context)) requireSamePlace(wanted, settled, context);
  if (live === null && isSeededAnew(wanted, context))
    return planNew(wanted, { ...settled, mark: null, channel: null }, live, context);
  if (exists(settled)) requireOurs(claimOf(wanted, settled, context));
  if (settled.channel === null) return planNew(wanted, settled, live, context);
  return planChange(wanted, settled, settled.channel, live, context);
}

/** A preview knows the channel from before the replica's data was thrown away: it goes with it. */
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

const exists = ({ channel, mark }: Settled): boolean => channel !== null || mark?.identity != null;

const nothingRecorded = { caughtUp: false, ...noTrace };

/** What the mark records; marks of an early version lack some of it. */
const recordOf = ({ mark }: Settled): Trace & { readonly caughtUp: boolean } => ({
  ...nothingRecorded,
  ...mark?.record,
});

const isMine = ({ mark }: Settled, { identity }: PlanContext): boolean => isOurs(mark?.identity, identity);

const claimOf = (wanted: Declaration, settled: Settled, context: PlanContext) => ({
  object: context.object,
  identity: context.identity,
  found: settled.mark?.identity ?? null,
  adopt: wanted.adopt,
  ...claimedAs(channelOf(wanted)),
});

/** Objects owned by another resource are left alone; delete then counts as done. */
function planRemoval(settled: Settled, live: Live | null, context: PlanContext): Plan<ChannelStep> {
  const { channel } = settled;
  const name = context.before === null ? "" : channelOf(context.before.declared);
  const { object, identity } = context;
  requireKnown({ object, identity, found: settled.mark?.identity ?? null, ...claimedAs(name) });
  if (!isMine(settled, context)) return inOrder();
  if (live?.kind === "silent") throw unanswered(live.problem, context.object, "removal");
  const threads = channel === null ? null : threadsOf(channel.receives, channel.applies);
  return inOrder<ChannelStep>(
    threads !== null && { kind: "stop-channel", threads, untilStep: null },
    channel !== null && { kind: "remove-channel", channel: name },
    { kind: "release-channel", channel: name },
  );
}

function planNew(wanted: Declaration, settled: Settled, live: Seen | null, context: PlanContext): Plan<ChannelStep> {
  const rules = rulesOf(wanted);
  const declared = positionOf(wanted, live);
  const position = newPosition(declared, settled, live, wanted, context);
  const insteadOf = declared === null || isSame(declared, position) ? null : sayPosition(declared);
  const { start: startedAt, ended } = recordOf(settled);
  const hasTrace = startedAt !== null || ended !== null;
  if (live !== null)
    requireEnds(wanted, live, { position: position ?? { by: "gtid" }, points: true, hasTrace, rules, context });
  const runs = wanted.state !== "stopped";
  return inOrder<ChannelStep>(
    settled.isLeftWritable === true && { kind: "seal-replica" },
    !isMine(settled, context) && {
      kind: "claim-channel",
      channel: channelOf(wanted),
      adopts: settled.mark?.identity != null || mayExist(wanted, live),
    },
    { kind: "point-channel", to: renderEndpoint(wanted.source), position, insteadOf, because: [] },
    (rules === null || hasRules(rules)) && { kind: "set-filters", channel: channelOf(wanted), rules, because: [] },
    runs && start(wanted, []),
    runs && awaits(wanted),
  );
}

const mayExist = ({ adopt }: Declaration, live: Seen | null): "if it exists" | false =>
  adopt && live === null && "if it exists";

function newPosition(
  declared: Position | null,
  settled: Settled,
  live: Seen | null,
  wanted: Declaration,
  { object }: PlanContext,
): Position | null {
  if (declared?.by !== "file") return declared;
  return beginningOf({
    object,
    mark: markedAs(wanted),
    declared,
    trace: recordOf(settled),
    sourceUuid: live?.source?.uuid ?? null,
  });
}

function planChange(
  wanted: Declaration,
  settled: Settled,
  channel: SettledChannel,
  live: Seen | null,
  context: PlanContext,
): Plan<ChannelStep> {
  const runs = isUnknown(wanted.state) ? channel.receives && channel.applies : wanted.state === "running";
  const rules = rulesOf(wanted);
  const receiver = receiverDifferences(wanted, channel, live, context);
  const delay = compareDelay(wanted, channel);
  const filters = rules === null ? [] : compareRules(rules, channel.rules);
  const workers = runs ? workerDifferences(wanted, channel) : [];
  const position = planMove(wanted, channel, live, receiver);
  const points = position !== undefined;

  const touchesReceiver = points || receiver.length > 0;
  const touchesApplier = points || delay.length > 0 || filters.length > 0 || workers.length > 0;
  const stops = threadsOf(channel.receives && (touchesReceiver || !runs), channel.applies && (touchesApplier || !runs));
  const starts = runs && (stops !== null || !channel.receives || !channel.applies);
  const reachesSource = live === null || live.source !== null || touchesReceiver || !channel.receives;
  const catchesUp = runs && (starts || !recordOf(settled).caughtUp) && reachesSource;

  if (live !== null && (points || (starts && (touchesReceiver || !channel.receives)))) {
    requireOtherStart(
      recordOf(settled).start,
      position ?? null,
      namesOf(context.object, wanted, live.replica, live.channel),
    );
    const stays: Position = channel.autoPosition ? { by: "gtid" } : { by: "file", file: "", position: "0" };
    requireEnds(wanted, live, { position: position ?? stays, points, hasTrace: true, rules, context });
  }
  if (live !== null && runs && !points && filters.length === 0)
    requireApplierSound(
      live.channel?.applier.error ?? null,
      live.replica.executed,
      namesOf(context.object, wanted, live.replica, live.channel),
    );

  const keeps = filters.length === 0 && rules !== null && !isKept(channel, rules, wanted, context.identity.name);
  const change = !points && (receiver.length > 0 || delay.length > 0);
  return numbered(
    inOrder<ChannelStep>(
      settled.isLeftWritable === true && { kind: "seal-replica" },
      !isMine(settled, context) && { kind: "claim-channel", channel: channelOf(wanted), adopts: true },
      stops !== null && { kind: "stop-channel", threads: stops, untilStep: null },
      points && {
        kind: "point-channel",
        to: renderEndpoint(wanted.source),
        position,
        insteadOf: null,
        because: [...receiver, ...delay],
      },
      change && {
        kind: "change-channel",
        receiver: receiver.length > 0,
        delay: delay.length > 0,
        because: [...receiver, ...delay],
      },
      filters.length > 0 && { kind: "set-filters", channel: channelOf(wanted), rules, because: filters },
      keeps && { kind: "keep-filters", rules },
      starts && start(wanted, [...workers, ...sayFailure(channel.failure)]),
      catchesUp && awaits(wanted),
    ),
  );
}

/** The stop names the step that ends it. */
function numbered({ steps }: Plan<ChannelStep>): Plan<ChannelStep> {
  const at = steps.findIndex(({ kind }) => kind === "start-channel");
  const untilStep = at < 0 ? null : at + 1;
  return { steps: steps.map((step) => (step.kind === "stop-channel" ? { ...step, untilStep } : step)) };
}

const start = ({ workers }: Declaration, because: readonly Difference[]): ChannelStep => ({
  kind: "start-channel",
  workers: workers ?? null,
  because,
});

const awaits = ({ catchUpSeconds, delaySeconds }: Declaration): ChannelStep | false =>
  catchUpSeconds !== 0 && { kind: "await-applied", withinSeconds: catchUpSeconds, delaySeconds };

/** In a preview the old and the new password are compared; during `up` the server was asked. */
function receiverDifferences(
  wanted: Declaration,
  channel: SettledChannel,
  live: Seen | null,
  { before }: PlanContext,
): Difference[] {
  const rotated = live === null && before !== null && before.declared.source.password !== wanted.source.password;
  return compareReceiver(wanted, channel, rotated || !channel.passwordMatches);
}

const workerDifferences = ({ workers }: Declaration, channel: SettledChannel): Difference[] =>
  workers === undefined || channel.workers === null || channel.workers === workers
    ? []
    : [{ property: "workers", from: String(channel.workers), to: String(workers) }];

/** Where the receiver begins anew, null where a preview does not know it, undefined where it goes on where it is. */
function planMove(
  wanted: Declaration,
  channel: SettledChannel,
  live: Seen | null,
  because: readonly Difference[],
): Position | null | undefined {
  const moves = because.some(({ property }) => property === "source.address" || property === "source.port");
  if (moves) return positionOf(wanted, live);
  return wanted.start === "auto" && !channel.autoPosition ? { by: "gtid" } : undefined;
}

function positionOf({ start: begin }: Declaration, live: Seen | null): Position | null {
  if (hasUnknown(begin)) return null;
  const modes =
    live === null || live.source === null ? null : { source: live.source.gtidMode, replica: live.replica.gtidMode };
  return planPosition(begin, modes);
}

function rulesOf({ filters, replica }: Declaration): FilterRules | null {
  return hasUnknown(filters) || hasUnknown(replica.holds) ? null : planRules(filters, replica.holds);
}

const isKept = ({ filterFile }: SettledChannel, rules: FilterRules, wanted: Declaration, owner: string): boolean =>
  !filterFile.isPossible || filterFile.text === keptFilters(rules, channelOf(wanted), owner);

interface Ends {
  readonly position: Position;
  readonly points: boolean;
  readonly hasTrace: boolean;
  readonly rules: FilterRules | null;
  readonly context: PlanContext;
}

function requireEnds(wanted: Declaration, live: Seen, { position, points, hasTrace, rules, context }: Ends): void {
  const { object } = context;
  const source = requireAnswering(live, {
    object,
    endpoint: renderEndpoint(wanted.source),
    through: wanted.replica.host,
  });
  const { start: begin } = wanted;
  requireReady({
    names: namesOf(context.object, wanted, live.replica, live.channel),
    replica: live.replica,
    source,
    channel: live.channel,
    points,
    position,
    hasTrace,
    seedGtids: points && typeof begin === "object" && begin.gtidSet !== undefined ? begin.gtidSet : null,
    hasFilters: rules !== null && hasRules(rules),
  });
}

function claimWords(channel: string, adopts: Adopts): string {
  if (adopts === "if it exists")
    return `take over channel ${channel} if it exists: stops it, removes settings and filters that are not declared`;
  return `${adopts ? "take over" : "claim"} channel ${channel}`;
}

export const say: Sayings<ChannelStep> = {
  "claim-channel": ({ channel, adopts }) => ({ what: claimWords(channel, adopts) }),
  "seal-replica": () => ({
    what: "set super_read_only of the replica back",
    because: [{ property: "super_read_only", from: "OFF since an earlier run was cut off", to: "ON" }],
  }),
  "stop-channel": ({ threads, untilStep }) => sayStop(threads, untilStep),
  "point-channel": ({ to, position, insteadOf, because }) => ({
    what: `point the channel at ${to}, ${position === null ? "start position is determined during up" : sayPosition(position)}${insteadOf === null ? "" : `, where the earlier channel ended (it began ${insteadOf})`}`,
    because,
  }),
  "change-channel": ({ because }) => ({ what: "change the channel's settings", because }),
  "set-filters": ({ channel, rules, because }) => ({
    what: rules === null ? "set the channel's filters (known during up)" : "set the channel's filters",
    because: because.length > 0 || rules === null ? because : compareRules(rules, noRules),
    ...(rules !== null && { sql: [changeReplicationFilter(rules, channel).display] }),
  }),
  "keep-filters": ({ rules }) => ({
    what: hasRules(rules)
      ? "write the channel's filters into its option file"
      : "remove the channel's filters from its option file",
  }),
  "start-channel": ({ workers, because }) => ({
    what: workers === null ? "start the channel" : `start the channel with ${String(workers)} workers`,
    because,
  }),
  "await-applied": ({ withinSeconds, delaySeconds }) => ({
    what:
      delaySeconds === 0
        ? `wait until the replica has applied what the source has executed by then, at most ${sayLimit(withinSeconds)}`
        : `wait until the replica has received what the source has executed by then and only the delay is left, at most ${sayLimit(withinSeconds)}`,
  }),
  "remove-channel": ({ channel }) => ({ what: `remove channel ${channel}; the data stays` }),
  "release-channel": ({ channel }) => ({ what: `remove the mark of channel ${channel}` }),
};

/** A preview may not know it. */
const sayLimit = (seconds: number): string => (isUnknown(seconds) ? String(seconds) : sayDuration(seconds));
