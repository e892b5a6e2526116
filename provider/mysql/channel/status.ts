import type { SluiceError } from "../../errors";
import type { Health } from "../../status";
import type { ReplicaThread } from "../terms";
import { threadFailure } from "./errors/errors";
import type { ChannelFacts, ThreadError } from "./facts";
import type { ChannelNames } from "./errors/thread";

/** What a channel is doing, in the words of docs/words.md. */
export type ChannelState =
  "running" | "connecting" | "receiver-stopped" | "applier-stopped" | "receiver-failed" | "applier-failed" | "stopped";

export function stateOf({ receiver, applier }: Pick<ChannelFacts, "receiver" | "applier">): ChannelState {
  if (receiver.state === "stopped" && receiver.error !== null) return "receiver-failed";
  if (applier.state === "stopped" && applier.error !== null) return "applier-failed";
  if (receiver.state === "stopped") return applier.state === "stopped" ? "stopped" : "receiver-stopped";
  if (applier.state === "stopped") return "applier-stopped";
  return receiver.state;
}

/**
 * Whether it is as declared, and what to do if not. Null: there is no channel of this name. `sourceProblem`: why the
 * source does not answer; the source's own line says it.
 */
export function channelHealth(
  channel: ChannelFacts | null,
  wanted: "running" | "stopped",
  names: ChannelNames,
  sourceProblem: SluiceError | null,
): Health {
  if (channel === null)
    return {
      isWell: false,
      words: "does not exist",
      fix: "run `pulumi refresh`, then `pulumi up`, which creates it again",
    };
  const state = stateOf(channel);
  if (wanted === "stopped") {
    if (state === "stopped" || state.endsWith("-failed")) return { isWell: true, words: "stopped, as declared" };
    return { isWell: false, words: `${state}, declared stopped`, fix: "run `pulumi up --refresh`, which stops it" };
  }
  const { receiver, applier } = channel;
  switch (state) {
    case "running":
      // The receiver notices only after replica_net_timeout (60 s) that its source is down; until then its lag of 0
      // means nothing.
      if (sourceProblem !== null) return { isWell: false, words: "running, lag unknown, source unknown" };
      return { isWell: true, words: `running${lagWords(channel)}` };
    case "connecting":
      if (receiver.error === null) return { isWell: false, words: state, fix: "look again in a moment" };
      return failed(state, "receiver", receiver.error, names);
    case "receiver-failed":
      return failed("receiver failed", "receiver", receiver.error, names);
    case "applier-failed":
      return failed("applier failed", "applier", applier.error, names);
    default:
      return { isWell: false, words: `${state}, declared running`, fix: "run `pulumi up --refresh`, which starts it" };
  }
}

function failed(words: string, thread: ReplicaThread, error: ThreadError | null, names: ChannelNames): Health {
  if (error === null) return { isWell: false, words };
  const { what, code, fix } = threadFailure(thread, error, names).problem;
  const number = String(error.errno);
  const named = what.includes(number) ? what : `${what} (error ${number})`;
  return { isWell: false, words: `${words}: ${named}`, code, fix };
}

/** Null if it is not known: if the source does not answer, the replica repeats its last value. */
export const lagOf = (channel: ChannelFacts | null, sourceProblem: SluiceError | null): number | null =>
  sourceProblem === null ? (channel?.applier.lagSeconds ?? null) : null;

/** The declared delay is part of the lag that the server reports. */
function lagWords({ applier, delaySeconds }: ChannelFacts): string {
  const { lagSeconds } = applier;
  if (lagSeconds === null) return "";
  const declared = delaySeconds === 0 ? "" : `, declared ${String(delaySeconds)} s behind`;
  return `, lag ${String(lagSeconds)} s${declared}`;
}
