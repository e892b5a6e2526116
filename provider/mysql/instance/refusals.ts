import { SluiceError } from "../../errors";
import type { HostAddress } from "../../host/host";
import { pathUnsafe, type Changer } from "../../host/trust";
import type { InstanceFacts } from "./facts";
import type { InstancePlace } from "./instance";
import { requireUnconfined } from "./confine/confine";
import type { Confinement } from "./confine/confinement";
import type { Layout } from "./layout";
import { requireApart, type Surroundings } from "./surroundings";

/** Sluice never creates such a link: the administrator who moved the data decides what happens to it. */
export function requireOwnData(
  { object, layout }: Pick<InstancePlace, "object" | "layout">,
  { dataLink }: Pick<InstanceFacts, "dataLink">,
): void {
  if (dataLink === null) return;
  throw new SluiceError({
    code: "STORAGE_DATA_LINKED",
    object,
    what: "cannot remove the data, the data directory is a symlink",
    found: `${layout.data} -> ${dataLink}`,
    needs: `a directory, or a file system that is mounted at ${layout.data}`,
    fix: `stop the server (\`systemctl stop ${layout.unitName}\`), remove ${dataLink} if the data can be deleted, then the link ${layout.data}, and run the command again`,
  });
}

/** Data that a server uses is neither deleted nor booted a second time. `what` says what cannot be done. */
export function requireStopped(object: string, { pid }: Pick<InstanceFacts, "pid">, what: string): void {
  if (pid === null) return;
  throw new SluiceError({
    code: "SERVER_RUNNING_ELSEWHERE",
    object,
    what: `${what} while the server runs`,
    found: `process ${pid}`,
    fix: "stop the server first",
  });
}

/** Another user may have put a job there, or changed one: its result is not trusted. */
export const changerOfJob = (
  { directory, job }: Pick<Layout, "directory" | "job">,
  loose: readonly Changer[] = [], // absent in a state of an earlier version
): Changer | undefined => loose.find(({ step }) => step === directory || step === job);

/** An administrator's chmod or chown is not a reason to delete hours of seeding: asking first loses nothing. */
export function requireUnchangedJob(
  { object, layout }: Pick<InstancePlace, "object" | "layout">,
  instance: (Pick<InstanceFacts, "data"> & { readonly loose?: readonly Changer[] | undefined }) | null,
): void {
  const changer = changerOfJob(layout, instance?.loose);
  if (changer === undefined || instance === null || instance.data === "absent") return;
  const { problem } = pathUnsafe(object, `does not continue the seeding in ${layout.directory}`, changer);
  throw new SluiceError({
    ...problem,
    fix: `to keep the seeding, if no other user has changed ${layout.job}: ${problem.fix ?? ""}, then \`pulumi up --refresh\`; to seed again with empty data, change \`reseed\``,
  });
}

/**
 * mysqld would report a missing dictionary; but the file system may only not be mounted, and then the data must not be
 * created again.
 */
export function requireData(
  { object, layout }: Pick<InstancePlace, "object" | "layout">,
  { running, data }: Pick<InstanceFacts, "running" | "data">,
): void {
  if (running || data === "ready") return;
  throw new SluiceError({
    code: "STORAGE_DATA_MISSING",
    object,
    what: "cannot start, its data directory is missing",
    found: `nothing in ${layout.data}`,
    fix: "restore the data (check that its file system is mounted), or change `reseed` to seed it again",
  });
}

export const strangeFiles = (object: string, directory: string, strangers: readonly string[]): SluiceError =>
  new SluiceError({
    code: "STORAGE_DIRECTORY_NOT_EMPTY",
    object,
    what: `cannot use directory ${directory}, it holds files that Sluice did not create`,
    found: strangers.length === 0 ? "files" : strangers.join(", "),
    needs: "an empty or absent directory",
    fix: "choose another directory, or move the files away",
  });

export const otherStorage = (object: string, directory: string, is: string, wanted: string): SluiceError =>
  new SluiceError({
    code: "STORAGE_KIND_DIFFERS",
    object,
    what: `cannot use directory ${directory}, declared ${wanted}, found ${is}`,
    found: is,
    needs: wanted,
    fix: "mount a file system of that kind there, or remove `storage` so that it is detected",
  });

/** Refuses a port on which another process listens. */
export function requireFreePort(
  { portListener: listener }: Pick<InstanceFacts, "portListener">,
  object: string,
  port: number,
): void {
  if (listener === null || listener.ours) return;
  const process = listener.pid === null ? "a process of another user" : `process ${listener.pid}: ${listener.command}`;
  throw new SluiceError({
    code: "SERVER_PORT_TAKEN",
    object,
    what: `cannot listen on port ${port}, another process uses it`,
    found: process,
    needs: "a free port",
    fix: "choose another `port`, or end the other process",
  });
}

/** mysqld binds its socket there, and the ssh user opens it: without access a start would look like a slow one. */
export function requireEnterable(
  { object, layout }: Pick<InstancePlace, "object" | "layout">,
  { closed }: Pick<Surroundings, "closed">,
): void {
  if (closed === null) return;
  throw new SluiceError({
    code: "STORAGE_DIRECTORY_UNREACHABLE",
    object,
    what: `user ${closed.user} has no permission to enter ${closed.directory}`,
    found: `${closed.directory} is closed to user ${closed.user}`,
    needs: `every directory on the way to ${layout.socket} can be entered by the user that mysqld runs as and by the ssh user`,
    fix: `choose a \`directory\` outside of private directories like /root or another server's data, or on the host: chmod o+x ${closed.directory}`,
  });
}

/** A later destroy removes what `adopt` takes over: it must be data of MySQL that no other process uses. */
function requireAdoptable(
  { object, layout }: Pick<InstancePlace, "object" | "layout">,
  { foreignData, dataHolder }: Pick<Surroundings, "foreignData" | "dataHolder">,
): void {
  if (foreignData !== null)
    throw new SluiceError({
      code: "STORAGE_DATA_FOREIGN",
      object,
      what: `cannot take over ${layout.directory}, its data is not of MySQL 8.0 or later`,
      found: `${layout.data} holds ${foreignData.length === 0 ? "nothing" : foreignData.join(", ")}`,
      needs: "mysql.ibd, the data dictionary",
      fix: "choose another directory; a destroy would delete the files in this one",
    });
  if (dataHolder !== null)
    throw new SluiceError({
      code: "SERVER_RUNNING_ELSEWHERE",
      object,
      what: `cannot take over ${layout.directory}, another process uses its data`,
      found: `process ${dataHolder.pid}: ${dataHolder.command}`,
      fix: "stop that process cleanly first (mysqladmin shutdown), and disable its unit or script",
    });
}

/** All refusals about the directory of a server, before anything is created in it. */
export function requireUsablePlace(
  place: Pick<InstancePlace, "object" | "layout" | "port">,
  { surroundings, confinement }: { readonly surroundings: Surroundings; readonly confinement: Confinement },
  is: { readonly isClaimed: boolean; readonly isAdopted: boolean; readonly runs: boolean; readonly mayAdjust: boolean },
): void {
  if (!is.isClaimed) requireApart(place, surroundings);
  if (is.isAdopted) requireAdoptable(place, surroundings);
  if (is.runs) requireEnterable(place, surroundings);
  if (!is.mayAdjust && (is.runs || !is.isClaimed)) requireUnconfined(place, confinement);
}

interface Machine {
  readonly host: HostAddress;
  readonly directory: string;
}

/** Machines that were copied from one image show the same host key. */
export function requireSameMachine(object: string, wanted: Machine, before: Machine): void {
  const [was, is] = [machineOf(before), machineOf(wanted)];
  if (was === is) return;
  throw new SluiceError({
    code: "HOST_OTHER_MACHINE",
    object,
    what: `does not exist: ${is} shows the host key of ${was}, but ${wanted.directory} is not the directory that was created on ${was}`,
    needs: "the same machine under its new address",
    fix: "correct `host.address`; to replace it on another machine, pin that machine's own `hostKey`",
  });
}

const machineOf = ({ host }: Machine): string => (typeof host === "object" ? host.address : host);
