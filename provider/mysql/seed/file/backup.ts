import { SluiceError } from "../../../errors";
import { sh } from "../../../host/command";
import type { HostReader } from "../../../host/host";
import { pathUnsafe, requireTrusted, untrustedIn } from "../../../host/trust";
import { type DumpFacts, readDumpFacts } from "./header";
import type { Instance } from "../../instance/instance";
import { requireProgram } from "../run";

/** A backup file on the host, as its first and last bytes show it. */
export interface Backup {
  readonly path: string;
  readonly sizeBytes: number;
  /** Words that decompress standard input; null for plain SQL. */
  readonly decompress: readonly string[] | null;
  /** The user who reads it, if the connected user has no permission: its owner, or root. Null: the connected user. */
  readonly reader: string | null;
  readonly head: DumpFacts;
}

/** By the first bytes, not by the name. */
const compressions: readonly { readonly magic: string; readonly words: readonly string[] }[] = [
  { magic: "1f8b", words: ["gzip", "-dc"] }, // RFC 1952
  { magic: "28b52ffd", words: ["zstd", "-dcq"] }, // RFC 8878
];
const unsupported: Readonly<Record<string, string>> = {
  "504b0304": "zip",
  "425a68": "bzip2",
  fd377a58: "xz",
  "377abcaf": "7z",
  "04224d18": "lz4",
};

const headBytes = 262_144; // the first CREATE DATABASE is in the first few kB, after a GTID set of 100 kB at most
const tailBytes = 4096; // the last line of a dump, and what an editor may have left behind it
const readSeconds = 60; // a megabyte through a slow disk that wakes up

/** Looks at both ends of a file. Throws what can be known before anything is touched. */
export async function readBackup(
  host: HostReader,
  { object, runtime }: Pick<Instance, "object" | "runtime">,
  path: string,
): Promise<Backup> {
  const { kind, sizeBytes, owner } = await host.inspect(path, { asRoot: runtime.asRoot });
  if (kind !== "file")
    throw new SluiceError({
      code: "SEED_FILE_MISSING",
      object,
      what: `cannot be seeded from ${path}, ${kind === "absent" ? `there is no such file on ${host.name}` : "it is not a file"}`,
      fix: "copy the backup to the host first, or correct its path",
    });
  const as = await readerOf(host, object, path, { owner, canBecomeRoot: runtime.asRoot });
  const { stdout: magicText } = await host.query(sh`head -c 4 -- ${path} | od -An -tx1 | tr -d ' \n'`, as);
  const magic = magicText.trim();
  const compression = compressions.find((one) => magic.startsWith(one.magic));
  const decompress = compression?.words ?? null;
  if (sizeBytes === 0 || (decompress === null && isBinary(magic))) throw unreadable(object, path, magic);
  if (decompress !== null) await requireProgram(host, decompress[0] ?? "", path);
  const { stdout: headText, stderr } = await host.query(
    sh`{ cat -- ${path} | ${decompress ?? ["cat"]} | head -c ${headBytes}; }`,
    { ...as, withinSeconds: readSeconds },
  );
  if (headText === "") throw unreadable(object, path, magic, stderr);
  if (decompress === null) await requireEnd(host, object, path, as);
  return { path, sizeBytes, decompress, reader: as.asUser ?? null, head: readDumpFacts(headText) };
}

interface Reader {
  readonly asUser?: string;
}

/**
 * A backup is often in a directory of another user (mysql, backup), who could put a symlink to a file of root's there:
 * so root reads only what no other user can replace, and the owner of the file reads the rest.
 */
async function readerOf(
  host: HostReader,
  object: string,
  path: string,
  { owner, canBecomeRoot }: { readonly owner: string; readonly canBecomeRoot: boolean },
): Promise<Reader> {
  const { uid, user } = await host.facts();
  if (!canBecomeRoot) return {};
  if (uid !== 0) {
    const { exitCode } = await host.query(sh`test -r ${path}`, { accept: [0, 1] });
    if (exitCode === 0) return {};
  }
  const isNamed = !["root", user, "UNKNOWN"].includes(owner); // stat says UNKNOWN of a number without a name
  if (isNamed) return { asUser: owner };
  const { stderr } = await host.query(requireTrusted(path, "parents", uid), { asRoot: true, accept: [0, 97] });
  const changer = untrustedIn(stderr);
  if (changer !== undefined) throw pathUnsafe(object, `root does not read ${path}`, changer);
  return uid === 0 ? {} : { asUser: "root" };
}

/** SQL begins with a letter, a comment or white space. */
const isBinary = (magic: string): boolean =>
  Object.keys(unsupported).some((known) => magic.startsWith(known)) ||
  /^(?:00|[89a-f])/.test(magic.replace(/^efbbbf/, ""));

function unreadable(object: string, path: string, magic: string, detail = ""): SluiceError {
  const format = Object.entries(unsupported).find(([known]) => magic.startsWith(known))?.[1];
  return new SluiceError({
    code: "SEED_FILE_CORRUPT",
    object,
    what: `cannot be seeded from ${path}, it is ${magic === "" ? "empty" : "neither SQL nor gzip nor zstd"}`,
    ...(magic !== "" && { found: format === undefined ? `first bytes ${magic}` : `a file in the format ${format}` }),
    needs: "a dump in SQL: plain, gzip or zstd",
    detail: detail.trim(),
  });
}

/** The end of a compressed file is known only when it has been read. */
async function requireEnd(host: HostReader, object: string, path: string, as: Reader): Promise<void> {
  const { stdout } = await host.query(sh`tail -c ${tailBytes} -- ${path}`, as);
  const tail = stdout.slice(stdout.indexOf("\n") + 1);
  if (readDumpFacts(tail).complete) return;
  throw new SluiceError({
    code: "SEED_FILE_INCOMPLETE",
    object,
    what: `cannot be seeded from ${path}, it does not end like a complete dump`,
    found: `last line: ${stdout.trimEnd().split("\n").at(-1)?.slice(0, shownCharacters) ?? ""}`,
    needs: 'a last line like "-- Dump completed"',
    fix: "take the backup again; check the backup program for errors",
  });
}

const shownCharacters = 100; // fits on a line of a terminal
