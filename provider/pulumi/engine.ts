import { SluiceError } from "../errors";
import type { Report } from "../report";
import { EngineLog } from "./log";
import { connectEngine, ready, transientFailure, type Channel } from "./sdk";

const engine = connectEngine(process.argv);
const log = new EngineLog(engine);
const aborter = new AbortController();

const exitWithinMillis = 4_000; // the engine kills a provider 5 s after an interrupt (sdk/go/common/resource/plugin/plugin.go)
const answerMillis = 250; // for the last answers to be sent: gRPC does not report when they are
const graceMillis = 3_000; // for work that is asked to stop, so that its last lines arrive before the process ends

/** Fires when the engine has ended (killed) or this process is asked to end: work stops at the next step. */
export const stopped: AbortSignal = aborter.signal;

/** Lines for one resource. */
export const engineReport = (urn: string): Report => log.reportFor(urn);

/** The work on a resource ends. */
export const endRow = (urn: string): void => {
  log.endRow(urn);
};

/** Calls at work, by the function that ends each with an error. */
const running = new Set<(reason: Error) => void>();

/**
 * Runs one call: its lines reach the engine before its answer does, an uncaught error ends it, and a process that was
 * stopped ends after its last one.
 */
export async function atWork<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const broken = new AbortController();
  const crash = new Promise<never>((_, reject) => {
    broken.signal.addEventListener("abort", () => setTimeout(reject, graceMillis, broken.signal.reason).unref(), {
      once: true,
    });
  });
  const end = (reason: Error) => {
    broken.abort(reason);
  };
  running.add(end);
  try {
    return await Promise.race([work(AbortSignal.any([stopped, broken.signal])), crash]);
  } finally {
    await log.flush();
    running.delete(end);
    if (stopped.aborted && running.size === 0) exitSoon();
  }
}

/** Watches the engine, the signals, and uncaught errors; called once, by the module that Pulumi loads. */
export function watchEngine(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      stop("this provider was interrupted");
    });
  // Pulumi's provider process prints such an error and continues: without this the call would never be answered.
  process.on("uncaughtException", (error) => {
    for (const end of [...running]) end(error);
  });
  if (engine !== undefined) watch(engine.client.getChannel(), false);
}

/** Only an engine that has answered before can be lost: if it never answers, lines go to stdout and the work continues. */
function watch(channel: Channel, wasReady: boolean): void {
  const state = channel.getConnectivityState(true);
  if (wasReady && state === transientFailure) {
    stop("the Pulumi engine that started this provider is gone");
    return;
  }
  channel.watchConnectivityState(state, Infinity, () => {
    watch(channel, wasReady || state === ready);
  });
}

function stop(why: string): void {
  if (stopped.aborted) return;
  aborter.abort(
    new SluiceError({
      code: "ENGINE_GONE",
      object: "sluice",
      what: `stopped, ${why}`,
      fix: "run `pulumi cancel` if the stack is still locked, then `pulumi up`: it continues where this stopped",
    }),
  );
  if (running.size === 0) process.exit(1);
  setTimeout(() => process.exit(1), exitWithinMillis);
}

const exitSoon = (): unknown => setTimeout(() => process.exit(1), answerMillis);
