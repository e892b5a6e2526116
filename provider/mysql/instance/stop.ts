import { isProblem, SluiceError, wordsOf } from "../../errors";
import type { Host } from "../../host/host";
import { stopService } from "../../host/service/service";
import type { Report } from "../../report";
import type { InstancePlace } from "./instance";
import { servicePlaceOf } from "./service";

export interface StopLimit {
  readonly withinSeconds: number;
  /** A server that is killed recovers at its next start; transactions that were not committed are lost. */
  readonly allowKill: boolean;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

/** Stops the server cleanly and disables its unit. May be repeated. */
export async function stopInstance(
  host: Host,
  instance: InstancePlace,
  limit: StopLimit,
  place = servicePlaceOf(instance),
): Promise<void> {
  try {
    await stopService(host, place, { ...limit, object: instance.object });
  } catch (error) {
    throw isProblem(error, "TIMEOUT_REACHED") && !limit.allowKill ? stopTimeout(instance, limit, error) : error;
  }
}

function stopTimeout({ object, layout }: InstancePlace, { withinSeconds }: StopLimit, cause: unknown): SluiceError {
  return new SluiceError({
    code: "SERVER_STOP_TIMEOUT",
    object,
    what: `the server did not stop within ${withinSeconds} s; it is still shutting down, and \`allowKill\` is false`,
    fix: `wait and run it again, raise \`stopSeconds\`, or set \`allowKill: true\`; ${layout.errorLog} says what it does`,
    detail: wordsOf(cause),
    cause,
  });
}
