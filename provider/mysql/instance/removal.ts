import { SluiceError } from "../../errors";
import { sh } from "../../host/command";
import type { Host } from "../../host/host";
import { endJob, forgetJob } from "../../host/job/job";
import type { JobPlace } from "../../host/job/script";
import { removeService } from "../../host/service/service";
import { silent } from "../../report";
import { releaseAlone } from "./allocation";
import { readInstance, type InstanceFacts } from "./facts";
import type { InstancePlace } from "./instance";
import { ownEntries, seedJob, trialJob } from "./layout";
import { ensureOwnDirectory } from "./prepare";
import { stopPrivately } from "./private-boot";
import { requireOwnData } from "./refusals";
import { servicePlaceOf } from "./service";

export const removeSeconds = 3600; // ext4 frees some 100 GB a minute in the worst case we know of: truncating one large file
const endJobSeconds = 60; // TERM ends the clients of a seed at once; a statement's rollback is the server's

/** Deletes the data. Refuses while a server runs on it; ends a seeding. */
export async function emptyData(host: Host, instance: InstancePlace): Promise<void> {
  const { layout, runtime } = instance;
  await requireRemovable(host, instance, "its data cannot be deleted");
  await ensureOwnDirectory(host, instance);
  await endJobs(host, instance);
  await endPrivateBoot(host, instance);
  const paths = [layout.data, layout.dataInitialising];
  await host.run(sh`${clearFunction}; clear ${paths} && find ${layout.tmp} -mindepth 1 -delete`, {
    asRoot: runtime.asRoot,
    withinSeconds: removeSeconds,
  });
}

/** rm goes by descriptors and never through a symlink, so mysqld's user may rename what it likes meanwhile. What cannot be removed but is empty is a mount point: that stays. */
const clearFunction = sh`clear() { for path in "$@"; do
      rm -rf -- "$path" 2>/dev/null || [ "$(ls -A "$path" && echo empty)" = empty ] || rm -rf -- "$path" || return
    done; }`;

/**
 * Removes the unit and everything that Sluice created in the directory, the mark last; foreign files stay. May be
 * repeated.
 */
export async function removeInstance(host: Host, instance: InstancePlace): Promise<void> {
  const { layout, runtime } = instance;
  const { directory } = await requireRemovable(host, instance, "it cannot be removed");
  if (directory !== "absent") await ensureOwnDirectory(host, instance);
  await endJobs(host, instance);
  await endPrivateBoot(host, instance);
  await removeService(host, servicePlaceOf(instance));
  await releaseAlone(host, instance);
  const mark = layout.mark.slice(layout.directory.length + 1);
  const entries = ownEntries.filter((name) => name !== mark);
  await host.run(
    sh`
    [ -d ${layout.directory} ] || exit 0
    ${clearFunction}
    cd ${layout.directory} && clear ${entries} && rm -f -- ${mark} || exit
    cd / && rmdir ${layout.directory} 2>/dev/null; exit 0`,
    { asRoot: runtime.asRoot, withinSeconds: removeSeconds },
  );
}

async function requireRemovable(host: Host, instance: InstancePlace, what: string): Promise<InstanceFacts> {
  const facts = await readInstance(host, instance);
  const { pid } = facts;
  requireOwnData(instance, facts);
  if (pid === null) return facts;
  throw new SluiceError({
    code: "SERVER_RUNNING_ELSEWHERE",
    object: instance.object,
    what: `${what} while the server runs`,
    found: `process ${pid}`,
    fix: "stop it first",
  });
}

/** Ends the jobs that fill the server; the data loaded so far is then deleted. */
export async function endJobs(host: Host, place: InstancePlace): Promise<void> {
  for (const job of jobsOf(place)) await endJob(host, job, { withinSeconds: endJobSeconds });
}

/** A killed run may have left it. It may be killed: its data is deleted next. */
const endPrivateBoot = (host: Host, instance: InstancePlace): Promise<void> =>
  stopPrivately(host, instance, { withinSeconds: 0, allowKill: true, report: silent });

/** Forgets their results: one of the earlier data must not be taken for a result of the new data. */
export async function forgetJobs(host: Host, place: InstancePlace): Promise<void> {
  for (const job of jobsOf(place)) await forgetJob(host, job);
}

const jobsOf = ({ layout, runtime }: InstancePlace): readonly JobPlace[] =>
  [trialJob, seedJob].map((name) => ({ directory: layout.job, name, asRoot: runtime.asRoot }));
