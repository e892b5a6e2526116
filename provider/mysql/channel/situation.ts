import type { Code } from "../../error-codes";
import { SluiceError, type Problem } from "../../errors";
import { countGtids, renderGtidSet, type GtidSet } from "../gtid";
import type { ChannelFacts, ReplicaFacts } from "./facts";
import type { Position } from "./settings";
import type { ChannelSource } from "./source";
import type { ChannelNames } from "./errors/thread";

/** Both ends of a channel, as they are now, and where the receiver is to begin or continue. */
export interface Situation {
  readonly names: ChannelNames;
  readonly replica: ReplicaFacts;
  readonly source: ChannelSource;
  /** Null before the channel is made. */
  readonly channel: ChannelFacts | null;
  /** True if relay logs are deleted: what is received and not applied must be fetched again. */
  readonly points: boolean;
  readonly position: Position;
  /** True if the mark says something about the position of an earlier channel of this name: `position` is chosen by it. */
  readonly hasTrace: boolean;
  /** What the seed held; null if nothing is said. */
  readonly seedGtids: string | null;
  readonly hasFilters: boolean;
}

export const refuse = ({ names }: Situation, code: Code, problem: Omit<Problem, "code" | "object">): never => {
  throw new SluiceError({ code, object: names.object, ...problem });
};

/** The writer of a GTID, without its tag. */
export const uuidOf = (key: string): string => key.split(":")[0] ?? key;

const longestGtids = 300; // characters; more is of no use to a reader

export function sayGtids(set: GtidSet): string {
  const text = renderGtidSet(set);
  if (text === "") return "nothing";
  return text.length <= longestGtids
    ? text
    : `${text.slice(0, longestGtids)}... (${String(countGtids(set))} transactions)`;
}
