import { isProblem } from "../../provider/errors";
import type { HostReader } from "../../provider/host/host";
import { changerOfJob } from "../../provider/mysql/instance/refusals";
import { lookAtBackup } from "../../provider/mysql/seed/file/file";
import { readSeed, type SeedFacts } from "../../provider/mysql/seed/job";
import { readSource } from "../../provider/mysql/seed/source/source";
import { observeInstance } from "../../provider/parts/instance/observe";
import type { Readers } from "../../provider/room";
import { isSeeded, type Live, type Observed, type Settled, type StagingRecord } from "./facts";
import { instanceOf, type Declaration } from "./schema";

const noSeed: SeedFacts = { state: "none", request: null };

export async function observe(declared: Declaration, look: Readers, remembered: Settled | null): Promise<Observed> {
  const { host, layout, settled, live } = await observeInstance<StagingRecord>(instanceOf(declared), look, remembered);
  const { mark, instance } = settled;
  const isPlanted = changerOfJob(layout, instance?.loose) !== undefined;
  if (live.unmounted !== null) return { settled, live: { ...live, seed: noSeed, ...noSource, ...noBackup } };
  const seed = mark !== null && !isPlanted ? await readSeed(host, layout) : noSeed;
  const origin = await readSourceIfNeeded(declared, look, settled);
  const place = { host, object: look.object, source: origin.source };
  return {
    settled: { ...settled, ...((seed.state === "running" || seed.state === "finished") && { hasSeedJob: true }) },
    live: { ...live, seed, ...origin, ...(await readBackupIfNeeded(declared, place, settled)) },
  };
}

const noSource = { source: null, sourceProblem: null };
const noBackup = { backup: null, backupProblem: null };

/** The source is asked only while there is something to bring from it. */
async function readSourceIfNeeded(
  declared: Declaration,
  look: Readers,
  settled: Settled,
): Promise<Pick<Live, "source" | "sourceProblem">> {
  if (declared.source === undefined || isSeeded(declared, settled) || declared.mode === "manual") return noSource;
  try {
    const mysql = await look.mysql({ ...declared.source, host: declared.host }, "source");
    return { source: await readSource(mysql, declared.source), sourceProblem: null };
  } catch (error) {
    if (isProblem(error)) return { source: null, sourceProblem: error };
    throw error;
  }
}

/** Before anything is touched for it. */
async function readBackupIfNeeded(
  declared: Declaration,
  { host, object, source }: { readonly host: HostReader; readonly object: string } & Pick<Live, "source">,
  settled: Settled,
): Promise<Pick<Live, "backup" | "backupProblem">> {
  const { seed, mode, databases } = declared;
  const { runtime, unclaimedData } = settled;
  if (typeof seed !== "object" || mode === "manual" || runtime === null) return noBackup;
  if (unclaimedData || isSeeded(declared, settled)) return noBackup;
  const { backup, problem } = await lookAtBackup(host, { object, runtime }, { path: seed.file, databases, source });
  return { backup, backupProblem: problem };
}
