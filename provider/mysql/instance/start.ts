import { isProblem, SluiceError } from "../../errors";
import type { Host, HostReader } from "../../host/host";
import type { ServicePlace } from "../../host/service/declaration";
import { lookAtService, startService } from "../../host/service/service";
import type { Report } from "../../report";
import { awaitCondition, done, type Look, waiting } from "../../wait";
import type { MysqlClient } from "../reader";
import { requireManagement } from "./accounts/management";
import { readInstance } from "./facts";
import type { Connect, Instance } from "./instance";
import { readLogs } from "./logs";
import { requireEnterable, requireFreePort } from "./refusals";
import { serviceOf, servicePlaceOf } from "./service";
import { startFailure } from "./start-failure";

/** Starts the server if it does not run, and enables it at boot. Returns at once: `awaitAnswering` waits. */
export async function startInstance(host: Host, instance: Instance): Promise<void> {
  const facts = await readInstance(host, instance);
  if (facts.running) return;
  requireFreePort(facts, instance.object, instance.port);
  await startService(host, serviceOf(instance));
}

export interface AnswerWait {
  readonly connect: Connect;
  readonly withinSeconds: number;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
  /** Default: the instance's own service. */
  readonly place?: ServicePlace | undefined;
}

const lookEveryMillis = 500; // a plain start takes 0.7 s (measured); the first looks come sooner

/**
 * Waits until the server answers a query as the management account. A mysqld that ends meanwhile is an error at once, with
 * what it wrote; a refused login is an error too.
 */
export async function awaitAnswering(host: HostReader, instance: Instance, wait: AnswerWait): Promise<MysqlClient> {
  let looks = 0;
  return awaitCondition<MysqlClient>({
    object: instance.object,
    what: "the server to answer",
    withinSeconds: wait.withinSeconds,
    everyMillis: lookEveryMillis,
    signal: wait.signal,
    onWait: (why, seconds) => wait.report.progress(`${why}, ${Math.round(seconds)} s`),
    fix: `read ${instance.layout.errorLog} on the host; crash recovery of much data takes long`,
    check: () => lookAnswering(host, instance, wait, looks++ === 0),
  });
}

/**
 * Looks at the service alone: a look at the whole instance takes 0.08 s of the host's processor time (measured), which a server
 * that starts there needs itself. At the first look and when mysqld has ended, the rest is looked at too.
 */
async function lookAnswering(
  host: HostReader,
  instance: Instance,
  { connect, place = servicePlaceOf(instance) }: AnswerWait,
  isFirst: boolean,
): Promise<Look<MysqlClient>> {
  try {
    const mysql = await connect();
    await requireManagement(mysql, instance);
    return done(mysql);
  } catch (error) {
    if (isProblem(error, "SERVER_LOGIN_REFUSED", "SERVER_PRIVILEGE_MISSING"))
      throw await refusedError(host, instance, error, place);
    if (!isProblem(error, "SERVER_NOT_ANSWERING", "HOST_DIAL_REFUSED", "SERVER_QUERY_FAILED")) throw error;
  }
  const { running, exit } = await lookAtService(host, place);
  if (isFirst || exit !== null) {
    const { surroundings, freeBytes } = await readInstance(host, instance);
    requireEnterable(instance, surroundings);
    if (exit !== null) throw startFailure(instance, exit, await readLogs(host, instance, place), freeBytes);
  }
  return waiting(running ? "the server starts" : "the server is about to start");
}

/** The init file makes our account; an error in it ends the file and not the server. */
async function refusedError(
  host: HostReader,
  instance: Instance,
  cause: SluiceError,
  place: ServicePlace,
): Promise<SluiceError> {
  const lines = await readLogs(host, instance, place);
  return new SluiceError({
    code: "SERVER_NOT_ANSWERING",
    object: instance.object,
    what: "the server runs, but does not let its management account in",
    found: cause.problem.what,
    fix: `read ${instance.layout.errorLog} on the host: the statements of ${instance.layout.initFile} make the account at every start`,
    detail: lines.filter((line) => line.includes("[ERROR]")).join("\n"),
    cause,
  });
}
