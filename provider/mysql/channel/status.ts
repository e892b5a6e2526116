import type { Health } from "../../status";
import { threadFailure } from "./errors";
import type { ChannelFacts } from "./facts";
import type { ChannelNames } from "./thread-error";

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

/** Whether it is as declared, and what to do where it is not. Null: there is no channel of this name. */
export function healthOf(channel: ChannelFacts | null, wanted: "running" | "stopped", names: ChannelNames): Health {
  if (channel === null)
    return { isWell: false, words: "not there", fix: "run `pulumi refresh`, then `pulumi up`: it makes it again" };
  const state = stateOf(channel);
  if (wanted === "stopped") {
    if (state === "stopped" || state.endsWith("-failed")) return { isWell: true, words: "stopped, as declared" };
    return { isWell: false, words: `${state}, declared stopped`, fix: "run `pulumi up --refresh`: it stops it" };
  }
  const { receiver, applier } = channel;
  switch (state) {
    case "running":
      return { isWell: true, words: `running${lagWords(channel)}` };
    case "connecting": {
      if (receiver.error === null) return { isWell: false, words: state, fix: "look again in a moment" };
      const { problem } = threadFailure("receiver", receiver.error, names);
      return { isWell: false, words: `${state}: ${problem.what} (${problem.code})`, fix: problem.fix };
    }
    case "receiver-failed":
    case "applier-failed": {
      const thread = state === "receiver-failed" ? "receiver" : "applier";
      const error = thread === "receiver" ? receiver.error : applier.error;
      if (error === null) return { isWell: false, words: state };
      const { problem } = threadFailure(thread, error, names);
      return { isWell: false, words: `${state}: ${problem.what} (${problem.code})`, fix: problem.fix };
    }
    default:
      return { isWell: false, words: `${state}, declared running`, fix: "run `pulumi up --refresh`: it starts it" };
  }
}

/** The declared delay is part of the lag that the server reports. */
function lagWords({ applier, delaySeconds }: ChannelFacts): string {
  const { lagSeconds } = applier;
  if (lagSeconds === null) return "";
  const declared = delaySeconds === 0 ? "" : `, declared ${String(delaySeconds)} s behind`;
  return `, lag ${String(lagSeconds)} s${declared}`;
}
