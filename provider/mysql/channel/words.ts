import { sayDuration } from "../../duration";
import type { Difference, Words } from "../../plan/plan";
import { isUnknown } from "../../schema/unknown";
import { changeReplicationFilter, compareRules, noRules, type FilterRules } from "./filters";
import { sayPosition, type Position } from "./settings";

/** A preview of a new channel has not looked at the server. */
export type Adopts = boolean | "if it exists";

export const sayClaim = (channel: string, adopts: Adopts): Words => ({ what: claimWords(channel, adopts) });

function claimWords(channel: string, adopts: Adopts): string {
  if (adopts === "if it exists")
    return `take over channel ${channel} if it exists: stops it, removes settings and filters that are not declared`;
  return `${adopts ? "take over" : "claim"} channel ${channel}`;
}

export interface Pointing {
  readonly to: string;
  /** Null while a preview does not know it. */
  readonly position: Position | null;
  /** The declared place, if an earlier channel that began there got further. */
  readonly insteadOf: string | null;
  readonly because: readonly Difference[];
}

export function sayPointing({ to, position, insteadOf, because }: Pointing): Words {
  const place = position === null ? "start position is determined during up" : sayPosition(position);
  const earlier = insteadOf === null ? "" : `, where the earlier channel ended (it began ${insteadOf})`;
  return { what: `point the channel at ${to}, ${place}${earlier}`, because };
}

export interface Filtering {
  readonly channel: string;
  /** Null while a preview does not know them. */
  readonly rules: FilterRules | null;
  readonly because: readonly Difference[];
}

export const sayFilters = ({ channel, rules, because }: Filtering): Words => ({
  what: rules === null ? "set the channel's filters (known during up)" : "set the channel's filters",
  because: because.length > 0 || rules === null ? because : compareRules(rules, noRules),
  ...(rules !== null && { sql: [changeReplicationFilter(rules, channel).display] }),
});

export interface Catching {
  readonly withinSeconds: number;
  readonly delaySeconds: number;
}

export const sayCatchUp = ({ withinSeconds, delaySeconds }: Catching): Words => ({
  what:
    delaySeconds === 0
      ? `wait until the replica has applied what the source has executed by then, at most ${sayLimit(withinSeconds)}`
      : `wait until the replica has received what the source has executed by then and only the delay is left, at most ${sayLimit(withinSeconds)}`,
});

/** A preview may not know it. */
const sayLimit = (seconds: number): string => (isUnknown(seconds) ? String(seconds) : sayDuration(seconds));
