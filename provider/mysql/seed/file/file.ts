import { isProblem, SluiceError } from "../../../errors";
import { asUserCommand, type Command, sh } from "../../../host/command";
import type { HostReader } from "../../../host/host";
import type { JobFacts } from "../../../host/job/job";
import { type DumpFacts, readDumpFacts } from "./header";
import type { Instance } from "../../instance/instance";
import { id, sql } from "../../sql";
import { readBackup, type Backup } from "./backup";
import {
  readFound,
  rejectSeed,
  requireClient,
  requireProgram,
  runSeed,
  type Explanation,
  type SeedOrder,
  type SeedResult,
  type Seeding,
} from "../run";
import { refusalOf, refusalOfHead, warningsOf, type DumpExpected } from "./judge";
import { endings, jobFiles, loadClient, loadScript } from "../script";
import { filesOfSpread } from "../spread";
import { filterProgram, renderWanted, scanPatterns, wantedFile } from "../stream";
import { finishLoad, frameFiles, requireEmpty } from "../target";

export interface FileWanted extends DumpExpected {
  /** A full backup in SQL on the server's host: .sql, .sql.gz or .sql.zst; its first bytes show the format. */
  readonly path: string;
}

/**
 * Loads a backup that a user made. Brings its user databases, without the server's own schemas, accounts and grants; its
 * position is read from anywhere in the file, and set at the end. May be repeated: finds the earlier job.
 */
export async function seedFromFile(seeding: Seeding, wanted: FileWanted): Promise<SeedResult> {
  const { host, instance, connect, report } = seeding;
  const startedAt = performance.now();
  await runSeed(seeding, {
    from: wanted.path,
    isEstimate: false,
    prepare: () => prepareFile(seeding, wanted),
    totalBytes: async () => (await host.inspect(wanted.path, { asRoot: instance.runtime.asRoot })).sizeBytes,
    explain: (facts) => explainFailure(facts, wanted.path),
  });
  const facts = readDumpFacts(await readFound(seeding, jobFiles.found));
  const refusal = refusalOf(facts, wanted);
  if (refusal !== undefined) await rejectSeed(seeding, refusal);
  for (const warning of warningsOf(facts, wanted)) report.say(`${instance.object}: ${warning}`);
  const gtidExecuted = facts.gtidPurged ?? null;
  const filled = await finishLoad(await connect(), { gtidExecuted });
  return {
    method: "file",
    gtidExecuted,
    ...positionOf(facts),
    sourceUuid: null,
    ...filled,
    seconds: (performance.now() - startedAt) / 1000,
  };
}

/** What is known about a backup before anything is touched: the file, or why it cannot be loaded. */
export async function lookAtBackup(
  host: HostReader,
  place: Pick<Instance, "object" | "runtime">,
  wanted: FileWanted,
): Promise<{ readonly backup: Backup | null; readonly problem: SluiceError | null }> {
  try {
    const backup = await readBackup(host, place, wanted.path);
    requireUsable(place.object, wanted, backup.head);
    return { backup, problem: null };
  } catch (error) {
    if (isProblem(error)) return { backup: null, problem: error };
    throw error;
  }
}

const preambleFile = "preamble.sql";

async function prepareFile(seeding: Seeding, wanted: FileWanted): Promise<SeedOrder> {
  const { instance } = seeding;
  await requireProgram(seeding.host, "perl", "seeding");
  const backup = await readBackup(seeding.host, instance, wanted.path);
  const only = requireUsable(instance.object, wanted, backup.head);
  const mysql = await seeding.connect();
  await requireEmpty(mysql, instance.object);
  const preamble =
    only === undefined ? "" : `${sql`CREATE DATABASE ${id(only)}`.text};\n${sql`USE ${id(only)}`.text};\n`;
  return {
    files: {
      ...(await frameFiles(mysql)),
      [jobFiles.patterns]: scanPatterns,
      [jobFiles.filter]: filterProgram,
      [wantedFile]: renderWanted(wanted.databases),
      ...filesOfSpread(loadClient(requireClient(seeding, "mysql").path)),
      [preambleFile]: preamble,
    },
    script: loadScript({
      mysql: requireClient(seeding, "mysql").path,
      reader: readerOf(backup, instance),
      metersReader: backup.decompress !== null,
      isOurs: false,
    }),
  };
}

/** Progress is what the decompressing program has read, compared with the file's size. */
function readerOf({ path, decompress, reader }: Backup, { runtime }: Pick<Instance, "runtime">): Command {
  const read = sh`cat -- ${path}`;
  const open =
    reader === null
      ? read
      : runtime.connectedUser === "root"
        ? sh`( ${asUserCommand(reader, read)} )`
        : sh`sudo -n -- sh -c ${asUserCommand(reader, read).text}`;
  const plain = decompress === null ? open : sh`${open} | metered ${decompress}`;
  // In a pipe of its own, the opener's failure would be lost: a missing file then looks like an early end.
  return sh`cat ${preambleFile} && ${plain}`;
}

/** A dump of one database that does not create it is loaded into the one declared; gives its name. */
function requireUsable(object: string, wanted: FileWanted, head: DumpFacts): string | undefined {
  const { path, databases } = wanted;
  if (!head.isDump)
    throw new SluiceError({
      code: "SEED_FILE_CORRUPT",
      object,
      what: `cannot be seeded from ${path}, it does not begin like a dump in SQL`,
      needs: "output of mysqldump or mydumper, as .sql, .sql.gz or .sql.zst",
    });
  const refusal = refusalOfHead(head, wanted);
  if (refusal !== undefined) throw new SluiceError({ object, ...refusal });
  if (head.databases.length > 0) return undefined;
  const [only, ...more] = databases === "ALL" ? [] : databases;
  if (only !== undefined && more.length === 0) return only;
  const named = head.headDatabase;
  throw new SluiceError({
    code: "SEED_FILE_NOT_FULL",
    object,
    what: `cannot be seeded from ${path}, it is the dump of one database and does not name it`,
    found:
      named === undefined ? "no CREATE DATABASE and no USE" : `a dump of ${named}, without CREATE DATABASE and USE`,
    needs: "a dump made with --databases or --all-databases, or exactly one declared database, into which it is loaded",
    fix: `dump again with --databases ${named ?? "NAME"}, or declare \`databases: ["${named ?? "NAME"}"]\``,
  });
}

/** If a file holds dumps of several servers, it has no single position. */
function positionOf({ parts, file, position }: DumpFacts): Pick<SeedResult, "logFile" | "logPosition"> {
  const isOne = new Set(parts.map((part) => part.position)).size === 1;
  return {
    logFile: isOne ? (file ?? null) : null,
    logPosition: isOne && position !== undefined ? String(position) : null,
  };
}

/** 1064: a part of the file is not a statement. */
function explainFailure(facts: JobFacts, path: string): Explanation | undefined {
  const unreadable = facts.exitCode === endings.readerFailed;
  if (!unreadable && !/^ERROR 1064 /m.test(facts.logTail)) return undefined;
  return {
    code: "SEED_FILE_CORRUPT",
    what: unreadable
      ? `cannot be seeded from ${path}, it cannot be read to its end`
      : `cannot be seeded from ${path}, a part of it is not SQL`,
    fix: "take the backup again; the next `pulumi up` starts the seeding again with empty data",
  };
}
