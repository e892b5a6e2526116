import { isProblem } from "../../errors";
import type { Report } from "../../report";
import { awaitCondition, done, waiting } from "../../wait";
import type { Command } from "../command";
import type { Host, HostReader } from "../host";
import type { Service, ServiceFacts, ServiceFile, ServicePlace, Supervision } from "./declaration";
import { supervisor } from "./supervisor";
import { systemd } from "./systemd";

const supervisionOf = (place: Pick<ServicePlace, "supervisor">): Supervision =>
  place.supervisor === "systemd" ? systemd : supervisor;

/** The files of a service on the host. The file of the service itself comes first. */
export const renderService = (service: Service): readonly ServiceFile[] => supervisionOf(service).render(service);

/** Writes the service's files where they differ. A running service is not restarted. May be repeated. */
export async function makeService(host: Host, service: Service): Promise<{ readonly changed: boolean }> {
  const { asRoot } = service;
  let changed = false;
  for (const { path, mode, text } of renderService(service)) {
    if ((await host.readFile(path, { asRoot })) === text) continue;
    await host.writeFile(path, text, { mode, asRoot });
    changed = true;
  }
  if (changed) await host.run(supervisionOf(service).reload, { asRoot });
  return { changed };
}

/** Starts the service, or its timer, if it does not run. Returns at once. */
export async function startService(host: Host, service: Service): Promise<void> {
  const supervision = supervisionOf(service);
  await host.run(supervision.start(service), supervision.startsAs(service));
}

export async function lookAtService(host: HostReader, place: ServicePlace): Promise<ServiceFacts> {
  const { stdout } = await host.query(serviceLook(place), { asRoot: place.asRoot });
  return parseServiceLook(stdout.split("\n"));
}

/** A part of a command that looks at more: prints what `parseServiceLook` reads, and sets `pid`, 0 where no process runs. */
export const serviceLook = (place: ServicePlace): Command => supervisionOf(place).look(place);

export function parseServiceLook(lines: readonly string[]): ServiceFacts {
  const value = (key: string) =>
    lines
      .find((line) => line.startsWith(`${key}=`))
      ?.slice(key.length + 1)
      .trim();
  const pid = Number(value("MainPID") ?? 0);
  return {
    running: pid !== 0 || value("TimerState") === "active",
    pid: pid === 0 ? null : pid,
    exit: pid === 0 ? exitWords(value("ActiveState"), value("Result"), value("ExecMainStatus")) : null,
    enabled: value("UnitFileState") === "enabled",
  };
}

/** A unit that was never started says `inactive`, `success` and 0. */
function exitWords(state: string | undefined, result: string | undefined, code: string | undefined): string | null {
  if (state === undefined) return null;
  if (state === "activating") return null;
  if (result === "lost") return "its supervisor has ended";
  if (state === "inactive" && (code === undefined || code === "0")) return null;
  return [code !== undefined && `exit code ${code}`, result !== undefined && result !== "success" && result]
    .filter((word) => word !== false)
    .join(", ");
}

/** The last lines that the service printed. */
export async function readServiceOutput(
  host: HostReader,
  place: ServicePlace,
  lines: number,
): Promise<readonly string[]> {
  const supervision = supervisionOf(place);
  // As the user who starts it: root would follow a symlink in a directory of the service's user.
  const { stdout } = await host.query(supervision.output(place, lines), supervision.startsAs(place));
  return stdout.split("\n").filter((line) => line !== "");
}

export interface ServiceStop {
  /** What errors call the service. */
  readonly object: string;
  readonly withinSeconds: number;
  /** Whether a process that does not end in time is killed. If not, it is still shutting down when the wait ends. */
  readonly allowKill: boolean;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

const lookEveryMillis = 500; // a clean shutdown of an idle server takes a second; the first looks come sooner
const killedSeconds = 60; // a killed process ends when the kernel has freed its memory: 128 GB take seconds

/**
 * Ends the service and its timer by TERM, also for the next start of the machine, and waits until it has ended. Throws
 * TIMEOUT_REACHED if `allowKill` is false. May be repeated.
 */
export async function stopService(host: Host, place: ServicePlace, stop: ServiceStop): Promise<void> {
  await host.run(supervisionOf(place).stop(place), { asRoot: place.asRoot });
  try {
    await awaitGone(host, place, stop, stop.withinSeconds);
  } catch (error) {
    if (!stop.allowKill || !isProblem(error, "TIMEOUT_REACHED")) throw error;
    stop.report.say(`${stop.object}: did not stop within ${stop.withinSeconds} s and is killed`);
    await host.run(supervisionOf(place).kill(place), { asRoot: place.asRoot });
    await awaitGone(host, place, stop, killedSeconds);
  }
}

const awaitGone = (host: HostReader, place: ServicePlace, stop: ServiceStop, withinSeconds: number): Promise<void> =>
  awaitCondition<undefined>({
    object: stop.object,
    what: "the service to stop",
    withinSeconds,
    everyMillis: lookEveryMillis,
    signal: stop.signal,
    onWait: (why, seconds) => stop.report.progress(`${why}, ${Math.round(seconds)} s`),
    check: async () => {
      const { running, pid } = await lookAtService(host, place);
      return running ? waiting(pid === null ? "its timer runs" : `process ${pid} is shutting down`) : done(undefined);
    },
  });

/** Removes the files of a service that was stopped. May be repeated. */
export async function removeService(host: Host, place: ServicePlace): Promise<void> {
  await host.run(supervisionOf(place).remove(place), { asRoot: place.asRoot });
}
