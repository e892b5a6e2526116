import { asUserFunction, type Command, sh } from "../../host/command";
import type { CommandResult, Host } from "../../host/host";
import { endJob, forgetJob } from "../../host/job/job";
import type { JobPlace } from "../../host/job/script";
import { silent } from "../../report";
import { readInstance, type InstanceFacts } from "./facts";
import type { Instance, InstancePlace } from "./instance";
import { seedJob, trialJob } from "./layout";
import { groupsOf, initialSettings } from "./options";
import { ensureOwnDirectory } from "./prepare";
import { stopPrivately } from "./private-boot";
import { requireOwnData, requireStopped } from "./refusals";
import { startFailure } from "./start-failure";

/**
 * Makes the data directory if there is none. `fill` is shell text: "$made" is an empty directory of mysqld's user, and `asUser` runs
 * a command as that user. The directory is renamed to `data` when `fill` has ended and all is on the disk; a half-made directory
 * keeps its other name, and the next run deletes it. If a file system is mounted at `data`, "$made" is `data` itself, nothing is
 * renamed, and `fill` must flush. May be repeated.
 */
export async function makeData(
  host: Host,
  { layout, runtime }: Pick<Instance, "layout" | "runtime">,
  fill: Command,
  limit: { readonly withinSeconds: number; readonly accept: readonly number[] },
): Promise<CommandResult> {
  const { asRoot, osUser } = runtime;
  const own = asRoot ? sh`chown ${`${osUser}:`} "$made"` : sh`:`;
  return host.run(
    sh`
    ${asRoot ? asUserFunction(osUser) : sh`asUser() { "$@"; }`}
    cd /
    made=${layout.dataInitialising}
    rm -rf "$made" || exit 99
    # An empty data directory is removed; an empty one that cannot be removed is a mount point.
    [ ! -d ${layout.data} ] || rmdir ${layout.data}/lost+found ${layout.data} 2>/dev/null
    if [ ! -d ${layout.data} ]; then mkdir "$made" || exit 99
    elif [ "$(ls -A ${layout.data} && echo empty)" = empty ]; then made=${layout.data}
    else exit 0; fi
    chmod 0750 "$made" && ${own} || exit 99
    ${fill}
    [ "$made" != ${layout.data} ] || exit 0
    # sync -f is coreutils 8.24 (2015); without it every file system is flushed.
    case $(sync --help 2>&1) in *--file-system*) sync -f "$made" || exit 99 ;; *) sync ;; esac
    mv "$made" ${layout.data} || exit 99`,
    { asRoot, ...limit },
  );
}

const initialiseSeconds = 600; // 2.3 s measured (docs of the lab); a disk a hundred times slower still passes

/**
 * mysqld leaves out its own flushes (4.1 s instead of 7.1 s, measured on two busy cores). Data that is kept must be flushed by one
 * `sync` of its file system before the directory gets its name.
 */
export const unflushed = ["--innodb-flush-method=nosync", "--innodb-doublewrite=OFF"];

/** Makes an empty data directory if there is none. May be repeated. */
export async function initialiseData(host: Host, instance: Instance): Promise<void> {
  const { layout, runtime, binaries } = instance;
  const optionText = (await host.readFile(layout.optionFile, { asRoot: runtime.asRoot })) ?? "";
  const settings = initialSettings(optionText, groupsOf(instance)).map(([name, value]) => `--${name}=${value}`);
  const words = [
    `--tmpdir=${layout.tmp}`,
    ...(binaries.baseDirectory === null ? [] : [`--basedir=${binaries.baseDirectory}`]),
    ...settings,
  ];
  const fill = sh`
    set --; [ "$made" = ${layout.data} ] || set -- ${unflushed}
    asUser ${binaries.mysqld} --no-defaults --initialize-insecure --datadir="$made" ${words} "$@" </dev/null || exit`;
  const limit = { withinSeconds: initialiseSeconds, accept: [0, 1, 2] };
  const { exitCode, stderr } = await makeData(host, instance, fill, limit);
  if (exitCode === 0) return;
  throw startFailure(instance, `exit code ${exitCode} of --initialize-insecure`, stderr.split("\n"));
}

export const removeSeconds = 3600; // ext4 frees some 100 GB a minute in the worst case we know of: truncating one large file
const endJobSeconds = 60; // TERM ends the clients of a seed at once; a statement's rollback is the server's

/** Deletes the data. Refuses while a server runs on it; ends a seeding. */
export async function emptyData(host: Host, instance: InstancePlace): Promise<void> {
  const { layout, runtime } = instance;
  await requireRemovable(host, instance, "its data cannot be deleted");
  await ensureOwnDirectory(host, instance);
  await endBeforeRemoval(host, instance);
  const paths = [layout.data, layout.dataInitialising];
  await host.run(sh`${clearFunction}; clear ${paths} && find ${layout.tmp} -mindepth 1 -delete`, {
    asRoot: runtime.asRoot,
    withinSeconds: removeSeconds,
  });
}

/** rm goes by descriptors and never through a symlink, so mysqld's user may rename what it likes meanwhile. What cannot be removed but is empty is a mount point: that stays. */
export const clearFunction = sh`clear() { for path in "$@"; do
      rm -rf -- "$path" 2>/dev/null || [ "$(ls -A "$path" && echo empty)" = empty ] || rm -rf -- "$path" || return
    done; }`;

export async function requireRemovable(host: Host, instance: InstancePlace, what: string): Promise<InstanceFacts> {
  const facts = await readInstance(host, instance);
  requireOwnData(instance, facts);
  requireStopped(instance.object, facts, what);
  return facts;
}

/** What works on the data, or a killed run may have left running on it. */
export async function endBeforeRemoval(host: Host, instance: InstancePlace): Promise<void> {
  await endJobs(host, instance);
  // It may be killed: its data is deleted next.
  await stopPrivately(host, instance, { withinSeconds: 0, allowKill: true, report: silent });
}

/** Ends the jobs that fill the server; the data loaded so far is then deleted. */
export async function endJobs(host: Host, place: InstancePlace): Promise<void> {
  for (const job of jobsOf(place)) await endJob(host, job, { withinSeconds: endJobSeconds });
}

/** Forgets their results: one of the earlier data must not be taken for a result of the new data. */
export async function forgetJobs(host: Host, place: InstancePlace): Promise<void> {
  for (const job of jobsOf(place)) await forgetJob(host, job);
}

const jobsOf = ({ layout, runtime }: InstancePlace): readonly JobPlace[] =>
  [trialJob, seedJob].map((name) => ({ directory: layout.job, name, asRoot: runtime.asRoot }));
