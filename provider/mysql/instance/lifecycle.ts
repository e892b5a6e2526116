import { isProblem, SluiceError, wordsOf } from "../../errors";
import { type Command, sh } from "../../host/command";
import type { Host, HostReader } from "../../host/host";
import type { Report } from "../../report";
import { awaitCondition, done, type Look, waiting } from "../../wait";
import type { MysqlClient } from "../reader";
import { requireManagement } from "./accounts/management";
import { readInstance, supervisorFunctions } from "./facts";
import { asServer, type Connect, type Instance, type InstancePlace } from "./instance";
import { requireEnterable, requireFreePort } from "./refusals";
import { sinceLastStart, startFailure } from "./start-failure";

/** Starts the server where it does not run, now and with the machine. Returns at once: `awaitAnswering` waits. */
export async function startInstance(host: Host, instance: Instance): Promise<void> {
  const facts = await readInstance(host, instance);
  if (facts.running) return;
  requireFreePort(facts, instance.object, instance.port);
  const { runtime } = instance;
  if (runtime.supervisor === "systemd") await host.run(startUnit(instance), { asRoot: runtime.asRoot });
  else await host.run(startSupervisor(instance), asServer(runtime)); // it writes to `run` and `log`, which are that user's
}

const startUnit = ({ layout }: Instance): Command => sh`
    systemctl reset-failed ${layout.unitName} 2>/dev/null
    systemctl enable --quiet ${layout.unitName} && systemctl start --no-block ${layout.unitName}`;

/** In a session of its own, with none of our descriptors: a lock that it inherits would be held for ever. */
const startSupervisor = ({ layout }: Instance): Command => sh`
    if command -v setsid >/dev/null; then session=setsid; else session='perl -MPOSIX -e POSIX::setsid;exec(@ARGV)'; fi
    rm -f -- ${layout.supervisorState} ${layout.startLog}
    $session sh ${layout.supervisorFile} </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
    tries=0; while [ ! -e ${layout.supervisorState} ] && [ $tries -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done`;

export interface AnswerWait {
  readonly connect: Connect;
  readonly withinSeconds: number;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

const lookEveryMillis = 500; // a plain start takes 0.7 s (measured); the first looks come sooner

/**
 * Waits until the server answers a query as the management account. A mysqld that ends meanwhile is an error at once, with
 * what it wrote; one that lets us not in is an error too.
 */
export async function awaitAnswering(host: HostReader, instance: Instance, wait: AnswerWait): Promise<MysqlClient> {
  return awaitCondition<MysqlClient>({
    object: instance.object,
    what: "the server to answer",
    withinSeconds: wait.withinSeconds,
    everyMillis: lookEveryMillis,
    signal: wait.signal,
    onWait: (why, seconds) => wait.report.progress(`${why}, ${Math.round(seconds)} s`),
    fix: `read ${instance.layout.errorLog} on the host; crash recovery of much data takes long`,
    check: () => lookAnswering(host, instance, wait.connect),
  });
}

async function lookAnswering(host: HostReader, instance: Instance, connect: Connect): Promise<Look<MysqlClient>> {
  try {
    const mysql = await connect();
    await requireManagement(mysql, instance);
    return done(mysql);
  } catch (error) {
    if (isProblem(error, "SERVER_LOGIN_REFUSED", "SERVER_PRIVILEGE_MISSING"))
      throw await refusedError(host, instance, error);
    if (!isProblem(error, "SERVER_NOT_ANSWERING", "HOST_DIAL_REFUSED", "SERVER_QUERY_FAILED")) throw error;
  }
  const facts = await readInstance(host, instance);
  requireEnterable(instance, facts.surroundings);
  if (facts.running) return waiting("the server starts");
  if (facts.exit === null) return waiting("the server is about to start");
  throw startFailure(instance, facts.exit, await readLogs(host, instance), facts.freeBytes);
}

const logLines = 200; // a failed start of 9.7 writes about 20; InnoDB's own dumps are longer

/** What mysqld wrote since its last start: its log, else what it printed before the log was open. */
export async function readLogs(
  host: HostReader,
  { layout, runtime }: Pick<Instance, "layout" | "runtime">,
): Promise<readonly string[]> {
  // As whom mysqld runs: a symlink in its log directory would else show a file of root's in our errors.
  const tail = (lines: number, path: string) =>
    host.query(sh`tail -n ${lines} ${path} 2>/dev/null; exit 0`, asServer(runtime));
  const journal = sh`journalctl --unit=${layout.unitName} --lines=20 --output=cat --no-pager 2>/dev/null | grep -v '^systemd\|systemd\['; exit 0`;
  const [{ stdout: log }, { stdout: printed }] = await Promise.all([
    tail(logLines, layout.errorLog),
    runtime.supervisor === "systemd" ? host.query(journal, { asRoot: runtime.asRoot }) : tail(20, layout.startLog),
  ]);
  const lines = sinceLastStart(log);
  return lines.some((line) => /\[ERROR\]/.test(line))
    ? lines
    : [...lines, ...printed.split("\n").filter((line) => line !== "")];
}

/** The init file makes our account; an error in it ends the file and not the server. */
async function refusedError(host: HostReader, instance: Instance, cause: SluiceError): Promise<SluiceError> {
  const lines = await readLogs(host, instance);
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

export interface StopLimit {
  readonly withinSeconds: number;
  /** A server that is killed recovers at its next start; transactions that were not committed are lost. */
  readonly allowKill: boolean;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

const killedSeconds = 60; // a killed process goes when the kernel has given its memory back: 128 GB take seconds

/** Stops the server in order, and for the next start of the machine. May be repeated. */
export async function stopInstance(host: Host, instance: InstancePlace, limit: StopLimit): Promise<void> {
  const { asRoot, supervisor } = instance.runtime;
  await host.run(supervisor === "systemd" ? stopUnit(instance) : signalSupervisor(instance, "TERM"), { asRoot });
  try {
    await awaitGone(host, instance, limit, limit.withinSeconds);
  } catch (error) {
    if (!isProblem(error, "TIMEOUT_REACHED")) throw error;
    if (!limit.allowKill) throw stopTimeout(instance, limit, error);
    limit.report.say(`${instance.object}: did not stop within ${limit.withinSeconds} s and is killed`);
    await host.run(supervisor === "systemd" ? killUnit(instance) : signalSupervisor(instance, "KILL"), { asRoot });
    await awaitGone(host, instance, limit, killedSeconds);
  }
}

const awaitGone = (
  host: HostReader,
  instance: InstancePlace,
  limit: StopLimit,
  withinSeconds: number,
): Promise<undefined> =>
  awaitCondition<undefined>({
    object: instance.object,
    what: "the server to stop",
    withinSeconds,
    everyMillis: lookEveryMillis,
    signal: limit.signal,
    onWait: (why, seconds) => limit.report.progress(`${why}, ${Math.round(seconds)} s`),
    check: async () => {
      const { pid } = await readInstance(host, instance);
      return pid === null ? done(undefined) : waiting(`process ${pid} still writes its data out`);
    },
  });

const stopUnit = ({ layout }: InstancePlace): Command => sh`
    systemctl cat ${layout.unitName} >/dev/null 2>&1 || exit 0
    systemctl disable --quiet ${layout.unitName}
    systemctl stop --no-block ${layout.unitName}`;

/** One that has stopped in the meantime cannot be killed, and is gone: the wait that follows sees that. */
const killUnit = ({ layout }: InstancePlace): Command => sh`systemctl kill --signal=KILL ${layout.unitName}; exit 0`;

/**
 * TERM goes to the supervisor, which passes it on and starts nothing again; KILL to mysqld itself. The numbers come from a file
 * of mysqld's user: what root ends by them must be a process of this server.
 */
const signalSupervisor = (instance: InstancePlace, signal: "TERM" | "KILL"): Command => sh`
    ${supervisorFunctions(instance)}
    readState; [ "$what" = running ] || exit 0
    if [ ${signal} = TERM ] && supervises; then kill -TERM "$supervisor"
    elif serves; then kill -${signal} "$value"; fi`;

function stopTimeout({ object, layout }: InstancePlace, { withinSeconds }: StopLimit, cause: unknown): SluiceError {
  return new SluiceError({
    code: "SERVER_STOP_TIMEOUT",
    object,
    what: `the server did not stop within ${withinSeconds} s and may not be killed; it goes on stopping`,
    fix: `wait and run it again, raise \`stopSeconds\`, or set \`allowKill: true\`; ${layout.errorLog} says what it does`,
    detail: wordsOf(cause),
    cause,
  });
}
