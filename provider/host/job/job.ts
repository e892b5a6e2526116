import { isProblem, SluiceError } from "../../errors";
import { awaitCondition, done, type Look, waiting } from "../../wait";
import type { Command } from "../command";
import type { Host, HostReader } from "../host";
import {
  forgetCommand,
  type JobPlace,
  launchCommand,
  pathOf,
  prepareCommand,
  readCommand,
  signalCommand,
} from "./script";

/**
 * Work that outlives the connection, the command and this process. The script runs in the job's directory, with its
 * path in `$SLUICE_JOB`; what it prints is the log, what it writes to `$SLUICE_JOB/progress` is shown while it runs.
 */
export interface JobOrder extends JobPlace {
  readonly script: Command;
  /** Written with mode 0600 to `$SLUICE_JOB/NAME` and removed when the script ends; for secrets. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Needs root. */
  readonly asUser?: string;
  /** Kept where systemd runs the job. */
  readonly memoryMaxBytes?: number;
  /** One word that says what the job is started for. `readJob` returns it: a job with another purpose is another job. */
  readonly purpose?: string | undefined;
}

/** `failed` without an exit code: it was killed with its whole group, or the host went down. */
export interface JobFacts {
  readonly state: "absent" | "running" | "succeeded" | "failed";
  readonly exitCode?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly purpose?: string;
  readonly logTail: string;
  readonly progressText: string;
}

const lookEveryMillis = 1000; // a progress line a second is as much as a person reads
const startSeconds = 20; // systemd's answer on a loaded host; the same patience as a login
const unreachableSeconds = 300; // a server's reboot, firmware included
const goneSeconds = 10; // KILL cannot be ignored; a process that remains hangs in the kernel

const reservedNames = new Set(["script", "started", "status", "log", "progress", "ready", "reserve", "purpose"]);

/**
 * Starts the job, or finds it: one that runs is left running, one that has ended keeps its result until `forgetJob`.
 * May be repeated after any failure; the script runs once.
 */
export async function startJob(host: Host, order: JobOrder): Promise<JobFacts> {
  const before = await readJob(host, order);
  if (before.state !== "absent") return before;
  const { script, files = {}, asUser, memoryMaxBytes, purpose = "", asRoot = false } = order;
  const fileNames = Object.keys(files);
  for (const name of fileNames) {
    if (reservedNames.has(name) || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
      throw new RangeError(`a file of a job cannot be named ${name}`);
    }
  }
  await host.run(prepareCommand(order, asUser), { asRoot });
  const access = { mode: 0o600, ...(asUser === undefined ? { asRoot } : { asUser }) };
  for (const [name, content] of Object.entries({ ...files, purpose, script: script.text })) {
    await host.writeFile(`${pathOf(order)}/${name}`, content, access);
  }
  const facts = await host.facts();
  const withSystemd = facts.hasSystemd && (facts.uid === 0 || asRoot);
  const launch = launchCommand({ place: order, withSystemd, asUser, memoryMaxBytes, fileNames });
  try {
    await host.run(launch, { asRoot, withinSeconds: startSeconds });
  } catch (error) {
    // The unit's name is taken when an earlier start was cut off before it was acknowledged.
    const after = await readJob(host, order);
    if (after.state === "absent") throw isProblem(error, "TIMEOUT_REACHED") ? jobSilent(host, order) : error;
  }
  return readJob(host, order);
}

export async function readJob(host: HostReader, place: JobPlace): Promise<JobFacts> {
  const { stdout } = await host.query(readCommand(place), { asRoot: place.asRoot ?? false });
  const [first = "", ...rest] = stdout.split("\n");
  const [is = "", startedAt = "-", code = "-", endedAt = "-", word = "-"] = first.split(" ");
  const purpose = word === "-" ? {} : { purpose: word };
  const text = rest.join("\n");
  const logAt = text.indexOf("\nlog:\n");
  const tails = {
    progressText: text.slice("progress:\n".length, logAt).trim(),
    logTail: text.slice(logAt + "\nlog:\n".length).trimEnd(),
  };
  if (startedAt === "-") return { state: "absent", logTail: "", progressText: "" };
  if (code !== "-") {
    return {
      state: code === "0" ? "succeeded" : "failed",
      exitCode: Number(code),
      startedAt,
      endedAt,
      ...purpose,
      ...tails,
    };
  }
  return { state: is === "alive" ? "running" : "failed", startedAt, ...purpose, ...tails };
}

export interface JobWait {
  readonly withinSeconds: number;
  /** Called after each look at the running job. */
  readonly onProgress?: (facts: JobFacts) => void;
  /** Called with a sentence if the host does not answer. */
  readonly onWait?: (why: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Waits until the job has ended, with success or not. It runs on when the wait ends early. A host that cannot be reached is
 * asked again for five minutes.
 */
export async function awaitJob(host: HostReader, place: JobPlace, wait: JobWait): Promise<JobFacts> {
  let unreachableSince: number | undefined;
  return awaitCondition({
    object: `job ${pathOf(place)} on host ${host.name}`,
    what: "the job to end",
    withinSeconds: wait.withinSeconds,
    everyMillis: lookEveryMillis,
    signal: wait.signal,
    fix: "run the command again to continue waiting: the job itself runs on",
    check: async (): Promise<Look<JobFacts>> => {
      try {
        const facts = await readJob(host, place);
        unreachableSince = undefined;
        if (facts.state === "absent") throw jobMissing(host, place);
        if (facts.state !== "running") return done(facts);
        wait.onProgress?.(facts);
        return waiting(facts.progressText === "" ? "it runs" : facts.progressText);
      } catch (error) {
        if (!isProblem(error, "HOST_UNREACHABLE", "HOST_CONNECTION_LOST")) throw error;
        unreachableSince ??= performance.now();
        if (performance.now() - unreachableSince > unreachableSeconds * 1000) throw error;
        wait.onWait?.(error.problem.what);
        return waiting(error.problem.what);
      }
    },
  });
}

/** Ends every process of the job: TERM, and KILL for those that do not end within the limit. Waits until all have ended. */
export async function endJob(
  host: Host,
  place: JobPlace,
  { withinSeconds }: { readonly withinSeconds: number },
): Promise<void> {
  const options = { asRoot: place.asRoot ?? false, accept: [0, 9] };
  const endWith = async (signal: "TERM" | "KILL", seconds: number) => {
    await host.run(signalCommand(place, signal), options);
    await awaitCondition({
      object: `job ${pathOf(place)} on host ${host.name}`,
      what: "its processes to end",
      withinSeconds: seconds,
      everyMillis: lookEveryMillis,
      check: async () => {
        const { exitCode } = await host.query(signalCommand(place, "0"), options);
        return exitCode === 0 ? done(undefined) : waiting(`processes are left after ${signal}`);
      },
    });
  };
  try {
    await endWith("TERM", withinSeconds);
  } catch (error) {
    if (!isProblem(error, "TIMEOUT_REACHED")) throw error;
    await endWith("KILL", goneSeconds);
  }
}

/** Removes the files of a job that does not run. Does nothing for a job that does not exist. */
export async function forgetJob(host: Host, place: JobPlace): Promise<void> {
  const facts = await readJob(host, place);
  if (facts.state === "running") {
    throw new SluiceError({
      code: "COMMAND_FAILED",
      object: `job ${pathOf(place)} on host ${host.name}`,
      what: "cannot be deleted while it runs",
      fix: "end it first",
    });
  }
  await host.run(forgetCommand(place), { asRoot: place.asRoot ?? false });
}

function jobSilent(host: HostReader, { asUser, ...place }: JobOrder): SluiceError {
  return new SluiceError({
    code: "COMMAND_FAILED",
    object: `job ${pathOf(place)} on host ${host.name}`,
    what: `did not start within ${startSeconds} s`,
    needs: `a directory that ${asUser === undefined ? "the user" : `user ${asUser}`} may enter, and a free process`,
  });
}

function jobMissing(host: HostReader, place: JobPlace): SluiceError {
  return new SluiceError({
    code: "COMMAND_FAILED",
    object: `job ${pathOf(place)} on host ${host.name}`,
    what: "it was never started, or it was deleted",
  });
}
