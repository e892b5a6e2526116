import { renderEndpoint } from "../../../endpoint";
import { isProblem, SluiceError, wordsOf } from "../../../errors";
import { sh } from "../../../host/command";
import { withMysql } from "../../client";
import type { MysqlReader } from "../../reader";
import { managedServices } from "../../managed-service";
import { readDumpFacts } from "../file/header";
import { sql } from "../../sql";
import type { Client } from "../../instance/binaries";
import { sourceFiles } from "../client-options";
import { filesOfIgnored, ignoringOptions, type Ignored } from "../ignored";
import { renderBytes, renderSeconds } from "../progress";
import { chooseDatabases, requireSeedable } from "../source/requirements";
import { amongWanted, listNames } from "../source/object-requirements";
import {
  readFound,
  rejectSeed,
  requireClient,
  requireProgram,
  runSeed,
  seedDirectory,
  type SeedOrder,
  type SeedResult,
  type Seeding,
} from "../run";
import { jobFiles, loadClient, loadScript } from "../script";
import { filesOfSpread } from "../spread";
import { defaultHistoryListLimit } from "../history-limit";
import { explainSource, filesOfSnapshot, snapshotReader, waitsAtStart } from "./snapshot";
import { readSource } from "../source/source";
import type { SourceAddress, SeedSource } from "../source/facts";
import { scanPatterns } from "../stream";
import { finishLoad, frameFiles, requireEmpty } from "../target";
import { readInstance } from "../../instance/facts";

export interface DumpWanted {
  readonly source: SourceAddress;
  readonly databases: "ALL" | readonly string[];
  readonly inexactRows?: "refuse" | "accept" | undefined;
  /** The dump ends when the source's history list grows beyond it. */
  readonly historyListLimit?: number | undefined;
  /** Objects that stay out of the dump. */
  readonly ignored?: Ignored | undefined;
}

/**
 * A consistent dump of the source, taken on the host and loaded as it arrives: nothing is stored in between. The server's
 * GTIDs are then those of the dump. May be repeated: finds the earlier job.
 */
export async function seedFromDump(seeding: Seeding, wanted: DumpWanted): Promise<SeedResult> {
  const from = `source ${renderEndpoint(wanted.source)}`;
  const startedAt = performance.now();
  const { lockWaitSeconds = defaultLockWaitSeconds } = seeding;
  const { historyListLimit = defaultHistoryListLimit } = wanted;
  const askSource = <T>(ask: (mysql: MysqlReader) => Promise<T>) =>
    withMysql(wanted.source, seeding.host, ask, { role: "source", signal: seeding.signal });
  await runSeed(seeding, {
    from,
    isEstimate: true,
    prepare: async () => {
      const source = await askSource((mysql) => readSource(mysql, wanted.source));
      return prepareDump(seeding, { ...wanted, historyListLimit }, source);
    },
    totalBytes: async () => Number((await readFound(seeding, totalFile)).trim()) || null,
    explain: (facts) => explainSource(facts, { from, lockWaitSeconds, historyListLimit }),
    whenStalled: (seconds) => requireDumping(seeding, askSource, from, seconds),
  });
  const facts = readDumpFacts(await readFound(seeding, jobFiles.found));
  if (!facts.complete)
    await rejectSeed(seeding, {
      code: "SEED_FAILED",
      what: `seeding from ${from} ended early: mysqldump reported no error, but its dump is incomplete`,
      fix: "the next `pulumi up` starts the seeding again with empty data",
    });
  const writesGtids = (await readFound(seeding, gtidFile)).trim() === "ON";
  if (facts.unreadableGtids.length > 0 || (writesGtids && facts.gtidPurged === undefined))
    await rejectSeed(seeding, {
      code: "SEED_POSITION_DOUBTFUL",
      what: `cannot be seeded from ${from}, its dump names no readable GTID set, and the source uses GTIDs`,
      found: facts.unreadableGtids.join("\n"),
      fix: "check the version of `mysqldump` on the staging host: it must be of the source's series or later; the next `pulumi up` starts the seeding again with empty data",
    });
  const mysql = await seeding.connect();
  const gtidExecuted = facts.gtidPurged ?? null;
  const filled = await finishLoad(mysql, { gtidExecuted });
  return {
    method: "dump",
    gtidExecuted,
    logFile: facts.file ?? null,
    logPosition: facts.position === undefined ? null : String(facts.position),
    sourceUuid: (await readFound(seeding, uuidFile)).trim(),
    ...filled,
    seconds: (performance.now() - startedAt) / 1000,
  };
}

const defaultLockWaitSeconds = 60; // provider/mysql/client.ts: a statement's limit; no other session waits for us meanwhile

const totalFile = "total";
const gtidFile = "gtid-mode";
const uuidFile = "source-uuid";

async function prepareDump(
  seeding: Seeding,
  wanted: DumpWanted & { readonly historyListLimit: number },
  source: SeedSource,
): Promise<SeedOrder> {
  const { host, instance, report } = seeding;
  const { object, layout } = instance;
  const { inexactRows } = wanted;
  const replica = instance.binaries.server;
  requireSeedable(source, { method: "dump", databases: wanted.databases, inexactRows, object, replica });
  const databases = chooseDatabases(source, { databases: wanted.databases, object });
  const dump = requireClient(seeding, "mysqldump");
  await requireProgram(seeding.host, "perl", "seeding");
  const { path: mysqlPath } = requireClient(seeding, "mysql");
  const mysql = await seeding.connect();
  await requireEmpty(mysql, object);
  const totalBytes = databases.reduce((sum, { bytes }) => sum + bytes, 0);
  const rowBytes = databases.reduce((sum, database) => sum + database.rowBytes, 0);
  const { freeBytes } = await readInstance(host, instance);
  if (freeBytes < totalBytes)
    report.say(
      `${object}: the source's databases are about ${renderBytes(totalBytes)}, the file system of ${layout.directory} has ${renderBytes(freeBytes)} free`,
    );
  const names = databases.map(({ name }) => name);
  const inexact = amongWanted([...source.foreignTables, ...source.floatColumns], names);
  if (inexact.length > 0)
    report.say(
      `${object}: as \`inexactRows\` allows, rounded to six digits or not of the dump's position: ${listNames(inexact).replaceAll("\n", ", ")}`,
    );
  const service = source.managedService;
  const retention = service === null ? undefined : managedServices[service].retention;
  if (retention !== undefined)
    report.say(`${object}: ${service} removes binary logs as soon as it can; a channel needs them kept: ${retention}`);
  const { ignored = [] } = wanted;
  return {
    files: {
      ...sourceFiles(wanted.source, seedDirectory(instance)),
      ...filesOfSnapshot({
        source,
        databases: names,
        isAll: wanted.databases === "ALL",
        dumpWaits: await waitsAtStart(host, dump),
        lockWaitSeconds: seeding.lockWaitSeconds ?? defaultLockWaitSeconds,
        historyListLimit: wanted.historyListLimit,
      }),
      ...(await frameFiles(mysql)),
      ...filesOfIgnored(ignored),
      [jobFiles.patterns]: scanPatterns,
      ...filesOfSpread(loadClient(mysqlPath)),
    },
    script: sh`
    echo ${Math.round(rowBytes)} >${totalFile}; echo ${source.serverUuid} >${uuidFile}; echo ${source.gtidOn ? "ON" : "OFF"} >${gtidFile}
    ${loadScript({
      mysql: mysqlPath,
      reader: snapshotReader(mysqlPath, dumpWords(dump, names, ignored)),
      metersReader: false,
      isOurs: true,
      ignores: ignored.length > 0,
    })}`,
  };
}

/** Options of mysqldump, each for what would be missing or wrong without it. */
function dumpWords(dump: Client, databases: readonly string[], ignored: Ignored): readonly string[] {
  return [
    dump.path,
    `--defaults-file=${jobFiles.sourceOptions}`,
    "--single-transaction",
    "--quick",
    // With --source-data, or with GTIDs, mysqldump takes FLUSH TABLES and FLUSH TABLES WITH READ LOCK (9.7, general log).
    "--set-gtid-purged=OFF",
    // Says when its snapshot is open.
    "--verbose",
    "--routines",
    "--triggers",
    "--events",
    "--hex-blob",
    // Would need the privilege PROCESS, for objects of NDB.
    "--no-tablespaces",
    // A table of 5.7 that the server does not have.
    "--skip-column-statistics",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
    ...ignoringOptions(ignored),
    "--databases",
    "--",
    ...databases,
  ];
}

const deadLooks = 2; // a source that does not answer two queries, a minute apart, is down: a restart would have ended the dump

/** A dump over a connection that is dead waits for hours: TCP reports it only to a side that sends. */
async function requireDumping(
  { instance, stalledSeconds: limitSeconds = 60 }: Seeding,
  askSource: <T>(ask: (mysql: MysqlReader) => Promise<T>) => Promise<T>,
  from: string,
  stalledSeconds: number,
): Promise<void> {
  const lost = (why: string) =>
    new SluiceError({
      code: "SEED_FAILED",
      object: instance.object,
      what: `seeding from ${from} ended: no data arrived for ${renderSeconds(stalledSeconds)} and ${why}`,
      fix: "check the source and the network; the next `pulumi up` starts the seeding again with empty data",
    });
  try {
    const sessions = await askSource((mysql) =>
      mysql.query(
        sql`SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER = SUBSTRING_INDEX(USER(), '@', 1) AND COMMAND NOT LIKE 'Binlog Dump%'`,
      ),
    );
    if (sessions.length === 0) throw lost("the source no longer has a session of the dump");
  } catch (error) {
    if (!isProblem(error, "SOURCE_UNREACHABLE", "HOST_DIAL_REFUSED")) throw error;
    if (stalledSeconds >= deadLooks * limitSeconds)
      throw lost(`the source does not answer (${wordsOf(error).split("\n")[0] ?? ""})`);
  }
}
