import { SluiceError, type Problem } from "../../errors";
import { type Command, sh } from "../../host/command";
import type { Host, HostReader } from "../../host/host";
import { awaitJob, endJob, forgetJob, readJob, startJob, type JobFacts } from "../../host/job/job";
import type { JobPlace } from "../../host/job/script";
import type { Report } from "../../report";
import { parseAccountFile } from "../instance/accounts/management";
import { readInstance } from "../instance/facts";
import type { Connect, Instance } from "../instance/instance";
import { seedJob } from "../instance/layout";
import { readLogs } from "../instance/logs";
import { fullBytes } from "../instance/start-failure";
import type { Client } from "../instance/binaries";
import { targetFiles, type Files } from "./client-options";
import { parseProgress, ProgressMeter, renderBytes } from "./progress";
import { endings } from "./script";

/** The input of every method of seeding. The server is new, empty and answers. */
export interface Seeding {
  readonly host: Host;
  readonly instance: Instance;
  readonly connect: Connect;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
  /** Digest of the seed request (request.ts): the job of another request is never used for this one. */
  readonly request?: string | undefined;
  /** Longest time for all of it. A job that takes longer runs on, and the next call continues to wait for it. */
  readonly withinSeconds: number;
  /** Seconds without a byte after which the source is checked. Default 60. */
  readonly stalledSeconds?: number | undefined;
  /** Longest time that a dump waits until it may lock the source's tables for a moment, in seconds. Default 60. */
  readonly lockWaitSeconds?: number | undefined;
}

/** What the server holds now, and the position at which a channel continues. */
export interface SeedResult {
  readonly method: "dump" | "file" | "clone" | "none";
  /** Transactions that are in the data; null if nothing says it. */
  readonly gtidExecuted: string | null;
  readonly logFile: string | null;
  readonly logPosition: string | null;
  readonly sourceUuid: string | null;
  readonly databases: readonly string[];
  /** Rows and indexes, as the server estimates them. */
  readonly bytes: number;
  readonly seconds: number;
}

/** Of `seed: "none"`. */
export const nothingSeeded: SeedResult = {
  method: "none",
  gtidExecuted: null,
  logFile: null,
  logPosition: null,
  sourceUuid: null,
  databases: [],
  bytes: 0,
  seconds: 0,
};

export interface SeedOrder {
  readonly script: Command;
  readonly files: Files;
}

export type Explanation = Pick<Problem, "code" | "what" | "found" | "needs" | "fix">;

export interface SeedRun {
  /** Called only if no job exists: it may query the source, read the file, and prepare the server. */
  readonly prepare: () => Promise<SeedOrder>;
  /** Where the data comes from, for errors: `source db-1:3306`, `/backup/full.sql.gz`. */
  readonly from: string;
  readonly totalBytes: () => Promise<number | null>;
  readonly isEstimate: boolean;
  /** What a failure of this method means, if the general text says too little. */
  readonly explain?: (facts: JobFacts) => Explanation | undefined;
  /** Checks the source if no byte has arrived for a while; throws if none can arrive. */
  readonly whenStalled?: (stalledSeconds: number) => Promise<void>;
}

export const seedPlaceOf = ({ layout, runtime }: Pick<Instance, "layout" | "runtime">): JobPlace => ({
  directory: layout.job,
  name: seedJob,
  asRoot: runtime.asRoot,
});

/** The job's own directory. */
export const seedDirectory = ({ layout }: Pick<Instance, "layout">): string => `${layout.job}/${seedJob}`;

/** Starts the job or finds it, waits for it, and throws its failure. */
export async function runSeed(seeding: Seeding, run: SeedRun): Promise<JobFacts> {
  const { host, instance } = seeding;
  const place = seedPlaceOf(instance);
  let facts = await readJob(host, place);
  if (facts.state === "absent") facts = await startSeed(seeding, run);
  else if (facts.purpose !== seeding.request) throw otherRequest(seeding, run);
  if (facts.state === "running") facts = await followSeed(seeding, run, place);
  if (facts.state === "succeeded") return facts;
  throw await seedFailure(seeding, run, facts);
}

/** The plan ends the job of another request before it comes to this. */
const otherRequest = ({ instance }: Seeding, { from }: SeedRun): SluiceError =>
  new SluiceError({
    code: "SEED_OTHER_REQUEST",
    object: instance.object,
    what: `cannot be seeded from ${from}, a seeding of another declaration is on the host`,
    found: seedDirectory(instance),
    needs: "no job of an earlier seeding",
    fix: "run `pulumi up` again: it ends that seeding and starts with empty data",
  });

/** As the connected user, whom auth_socket accepts; in a unit of its own if root can create one. */
async function startSeed({ host, instance, request }: Seeding, run: SeedRun): Promise<JobFacts> {
  const { runtime, layout } = instance;
  const { script, files } = await run.prepare();
  const accountText = await host.readFile(layout.accountFile, { asRoot: runtime.asRoot });
  const password = accountText === undefined ? undefined : parseAccountFile(accountText);
  return startJob(host, {
    ...seedPlaceOf(instance),
    purpose: request,
    script,
    files: { ...targetFiles(instance, password), ...files },
    ...(runtime.asRoot && runtime.connectedUser !== "root" && { asUser: runtime.connectedUser }),
  });
}

const defaultStalledSeconds = 60; // a dump's own pauses are seconds: FLUSH TABLES, a big index page; then we look
const endSeconds = 60; // TERM ends the clients of a seeding at once

async function followSeed(seeding: Seeding, run: SeedRun, place: JobPlace): Promise<JobFacts> {
  const { host, report, signal, withinSeconds } = seeding;
  const meter = new ProgressMeter(run.isEstimate);
  const totalBytes = await run.totalBytes();
  const limit = seeding.stalledSeconds ?? defaultStalledSeconds;
  let lookAtSeconds = limit;
  let saidAtSeconds = -Infinity;
  let stall: Promise<void> | undefined;
  const stopping = new AbortController();
  const onProgress = (facts: JobFacts) => {
    const progress = parseProgress(facts, totalBytes);
    const now = performance.now() / 1000;
    if (progress === null) return;
    const words = meter.render(progress, now);
    if (now - saidAtSeconds >= 1) {
      report.progress(words);
      saidAtSeconds = now; // as often as the job writes it
    }
    const stalled = meter.stalledSeconds(now);
    if (stalled < limit) lookAtSeconds = limit;
    if (stalled < lookAtSeconds || run.whenStalled === undefined || stall !== undefined) return;
    lookAtSeconds = stalled + limit;
    stall = run.whenStalled(stalled).then(
      () => void (stall = undefined),
      (error: unknown) => stopping.abort(error),
    );
  };
  const both = signal === undefined ? stopping.signal : AbortSignal.any([signal, stopping.signal]);
  try {
    return await awaitJob(host, place, {
      withinSeconds,
      onProgress,
      onWait: (why) => report.progress(why),
      signal: both,
    });
  } catch (error) {
    if (stopping.signal.aborted) await endJob(host, place, { withinSeconds: endSeconds });
    throw error;
  }
}

/** What stopped it: decided from the script's end, its output and the server's error log. */
async function seedFailure(seeding: Seeding, { from, explain }: SeedRun, facts: JobFacts): Promise<SluiceError> {
  const { host, instance } = seeding;
  const { object, layout } = instance;
  const look = await readInstance(host, instance);
  const logs = look.running ? [] : await readLogs(host, instance);
  const words = [facts.logTail, ...logs].join("\n");
  const at = /^object: (.*)$/m.exec(facts.logTail)?.[1];
  const isMemoryFull = /ERROR 1114 /.test(facts.logTail) && at?.includes("of MEMORY table") === true;
  const full = !isMemoryFull && (look.freeBytes < fullBytes || saysFull.test(words));
  const again = "the next `pulumi up` starts the seeding again with empty data";
  if (full) {
    return new SluiceError({
      code: "STORAGE_FULL",
      object,
      what: `seeding from ${from} ended, the file system of ${layout.directory} is full`,
      found: `${renderBytes(look.freeBytes)} free`,
      fix: `make room in the file system of ${layout.directory}; ${again}`,
      detail: facts.logTail,
    });
  }
  if (saysTableFull.test(words)) {
    return new SluiceError({
      code: "SEED_FAILED",
      object,
      what: `seeding from ${from} ended, a table is full but the file system of ${layout.directory} is not`,
      found: `${renderBytes(look.freeBytes)} free`,
      fix: `for a MEMORY table set \`config.max_heap_table_size\` to at least the largest value that sessions of the source use; ${again}`,
      detail: facts.logTail,
    });
  }
  if (isMemoryFull) {
    return new SluiceError({
      code: "SEED_FAILED",
      object,
      what: `seeding from ${from} ended with an error: a table in memory is larger than this server allows`,
      found: at.replace("rows of ", ""),
      needs: "max_heap_table_size as on the source, or larger",
      fix: `set \`config: { max_heap_table_size: ... }\` to the source's value (there: SELECT @@max_heap_table_size); ${again}`,
      detail: facts.logTail,
    });
  }
  const where = at === undefined ? "" : `, at ${at}`;
  return new SluiceError({
    code: "SEED_FAILED",
    object,
    what: `seeding from ${from} ended with an error: ${failureWords(facts, look.running && !saysGone.test(words), from)}${where}`,
    fix: `repair what the cause names; ${again}`,
    ...explain?.(facts),
    detail: [facts.logTail, ...logs.filter((line) => line.includes("[ERROR]")).slice(-5)]
      .filter((text) => text !== "")
      .join("\n"),
  });
}

/** ER_RECORD_FILE_FULL: with room in the file system it is a MEMORY table above max_heap_table_size. */
const saysTableFull = /ERROR 1114 /;

/** 1021 ER_DISK_FULL, 3 EE_WRITE with 28 ENOSPC. */
const saysFull = /ERROR 1021 |No space left on device|OS errno 28\b|errno: 28\b|Disk quota exceeded/;

/** 2002, 2006, 2013, 2055: the server has ended. A supervisor may have started it again meanwhile. */
const saysGone = /ERROR (?:2002|2006|2013|2055) /;

function failureWords({ exitCode }: JobFacts, running: boolean, from: string): string {
  if (!running) return "mysqld ended while it was filled";
  switch (exitCode) {
    case endings.readerFailed:
      return `${from} could not be read to its end`;
    case endings.loaderFailed:
      return "the server refused a statement";
    case endings.cloneFailed:
      return "CLONE was refused or broke off";
    case undefined:
      return "its job was killed, or the host went down";
    default:
      return `its script ended with exit code ${exitCode}`;
  }
}

/** For a job whose result cannot be used: the job is deleted, so that the next call starts with empty data. */
export async function rejectSeed({ host, instance }: Seeding, problem: Omit<Problem, "object">): Promise<never> {
  await forgetJob(host, seedPlaceOf(instance));
  throw new SluiceError({ object: instance.object, ...problem });
}

/** The client that a seeding needs. */
export function requireClient(seeding: Pick<Seeding, "host" | "instance">, name: "mysql" | "mysqldump"): Client {
  const client = seeding.instance.binaries[name];
  if (client !== null) return client;
  throw new SluiceError({
    code: "HOST_LACKS_PROGRAM",
    object: `host ${seeding.host.name}`,
    what: `MySQL's ${name} is missing, which seeding needs`,
    fix: "install it (Debian: apt-get install mysql-client-core), in the folder of mysqld or on PATH",
  });
}

/** `user`: the program that needs it. */
export async function requireProgram(host: HostReader, program: string, user: string): Promise<void> {
  const { exitCode } = await host.query(sh`command -v ${program} >/dev/null`, { accept: [0, 1, 127] });
  if (exitCode === 0) return;
  throw new SluiceError({
    code: "HOST_LACKS_PROGRAM",
    object: `host ${host.name}`,
    what: `${program} is missing, which ${user} needs`,
    fix: `install it (Debian: apt-get install ${program})`,
  });
}

/** The lines a finished job has found in its stream. */
export async function readFound({ host, instance }: Seeding, name: string): Promise<string> {
  const { stdout } = await host.query(sh`cat -- ${`${seedDirectory(instance)}/${name}`}`, {
    asRoot: instance.runtime.asRoot,
  });
  return stdout;
}
