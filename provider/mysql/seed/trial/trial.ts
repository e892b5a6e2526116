import { SluiceError } from "../../../errors";
import { sh } from "../../../host/command";
import type { Host } from "../../../host/host";
import { awaitJob, endJob, forgetJob, startJob } from "../../../host/job/job";
import type { JobPlace } from "../../../host/job/script";
import type { Report } from "../../../report";
import { withMysql } from "../../client";
import { readDefiners } from "../../instance/accounts/definers";
import type { Instance, InstancePlace } from "../../instance/instance";
import { trialJob } from "../../instance/layout";
import { optionFileAccess } from "../../instance/prepare";
import { sourceFiles } from "../client-options";
import { filesOfIgnored, requireNoTables, type Ignored } from "../ignored";
import { chooseDatabases } from "../source/requirements";
import { requireClient, requireProgram } from "../run";
import type { SourceAddress, SeedSource } from "../source/facts";
import { definerStatements, refusedCode, trialFiles, trialNaming, trialOptions, trialScript } from "./script";

export interface Trial {
  readonly host: Host;
  readonly instance: Instance;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
  /** my.cnf as the server will have it when it is seeded. */
  readonly optionText: string;
}

export interface TrialWanted {
  readonly source: SourceAddress;
  readonly facts: SeedSource;
  readonly databases: "ALL" | readonly string[];
  readonly ignored?: Ignored | undefined;
}

export const trialSeconds = 3600; // 100,000 tables at 10 ms each for the dump and 20 ms for the load

/**
 * Loads every definition of the source, without rows, into an empty server of its own, and throws what is refused, by
 * name. That server is below the same directory, listens on no port, runs as mysqld's user, and is removed again.
 * Nothing of the staging database is touched.
 */
export async function tryDefinitions(trial: Trial, wanted: TrialWanted): Promise<void> {
  const { host, instance, report, signal, optionText } = trial;
  const { layout, runtime, object } = instance;
  const { source, facts, ignored = [] } = wanted;
  const place = placeOf(instance);
  const dump = requireClient({ host, instance }, "mysqldump");
  const mysql = requireClient({ host, instance }, "mysql");
  await requireProgram(host, "perl", "seeding");
  const databases = chooseDatabases(facts, { databases: wanted.databases, object }).map(({ name }) => name);
  const definers = await withMysql(
    source,
    host,
    async (reader) => {
      await requireNoTables(reader, { object, endpoint: facts.endpoint, ignored });
      return readDefiners(reader, databases);
    },
    { role: "source", signal },
  );
  await removeTrial(host, instance);
  await host.run(sh`umask 022; mkdir ${layout.trial}`, { asRoot: runtime.asRoot });
  await host.writeFile(`${layout.trial}/my.cnf`, trialOptions(instance, optionText), optionFileAccess(instance));
  try {
    await startJob(host, {
      ...place,
      script: trialScript(instance, { dump, mysql, databases, ignored, optionText, withinSeconds: trialSeconds / 2 }),
      files: {
        ...sourceFiles(source, `${layout.job}/${trialJob}`),
        ...filesOfIgnored(ignored),
        [trialFiles.naming]: trialNaming,
        [trialFiles.definers]: definerStatements(definers),
      },
    });
    const result = await awaitJob(host, place, {
      withinSeconds: trialSeconds,
      onProgress: () => report.progress("the source's definitions are loaded into a temporary empty server"),
      onWait: (why) => report.progress(why),
      ...(signal !== undefined && { signal }),
    });
    if (result.state === "succeeded") return;
    throw result.exitCode === refusedCode
      ? refused(object, facts.endpoint, result.logTail)
      : new SluiceError({
          code: "SEED_FAILED",
          object,
          what: `the definitions of source ${facts.endpoint} could not be loaded into a temporary empty server`,
          fix: "correct what the cause names and run `pulumi up` again; the staging database was not touched",
          detail: result.logTail,
        });
  } finally {
    await removeTrial(host, instance);
  }
}

const endSeconds = 60; // mysqld with an empty buffer pool ends in a second

const placeOf = ({ layout, runtime }: Pick<InstancePlace, "layout" | "runtime">): JobPlace => ({
  directory: layout.job,
  name: trialJob,
  asRoot: runtime.asRoot,
});

/** Also what an interrupted trial left. */
async function removeTrial(host: Host, instance: InstancePlace): Promise<void> {
  const place = placeOf(instance);
  await endJob(host, place, { withinSeconds: endSeconds });
  await forgetJob(host, place);
  await host.run(sh`rm -rf -- ${instance.layout.trial}`, { asRoot: instance.runtime.asRoot });
}

/** A view, routine, trigger or event, as the naming program and mysqldump say it. */
const ignorable =
  /\((?:view|procedure|function|trigger|event) `((?:[^`]|``)+)`\.`((?:[^`]|``)+)`\)$|View '([^']+)' references/gm;

export function refused(object: string, endpoint: string, log: string): SluiceError {
  const names = [...log.matchAll(ignorable)].map(([, database = "", name = "", view]) =>
    (view ?? `${database}.${name}`).replaceAll("``", "`"),
  );
  const list = [...new Set(names)].map((name) => JSON.stringify(name)).join(", ");
  return new SluiceError({
    code: "SEED_DEFINITION_REFUSED",
    object,
    what: `cannot be seeded from ${endpoint}, a trial without rows found definitions that cannot be dumped or that this server refuses`,
    found: log,
    needs: "definitions that an empty server with the settings of this one accepts",
    fix: [
      "on the source, correct or drop these objects, or set in `config` what they need",
      ...(list === "" ? [] : [`or leave them out: \`ignoreObjects: [${list}]\``]),
      "the staging database was not touched",
    ].join("; "),
  });
}
