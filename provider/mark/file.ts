import { SluiceError, wordsOf } from "../errors";
import type { Host, HostReader } from "../host/host";
import { markOf, parseMark, renderMark, type Former, type Mark } from "./mark";

/** Where a mark is stored on a host. */
export interface MarkFile {
  readonly path: string;
  readonly asRoot: boolean;
}

/**
 * Null if the file is absent. Throws OWNERSHIP_MARKER_UNREADABLE for a text that is not a mark: it may be another
 * owner's.
 */
export function parseMarkFile<Record extends object>(
  text: string | null | undefined,
  object: string,
): Mark<Record> | null {
  if (text === null || text === undefined) return null;
  try {
    const mark = parseMark<Record>(text, formerly);
    if (mark.identity === null) throw new Error("it has no identity");
    return mark;
  } catch (error) {
    throw new SluiceError({
      code: "OWNERSHIP_MARKER_UNREADABLE",
      object,
      what: "cannot tell which resource owns the directory, its mark sluice.json cannot be read",
      needs: "the mark as Sluice wrote it",
      fix: "restore sluice.json from a backup of the directory; Sluice changes nothing there without it",
      detail: wordsOf(error).split("\n")[0] ?? "",
    });
  }
}

/** Version 1 marked only the directories of staging databases. */
function formerly<Record extends object>({ owner, seal = null, ...record }: Former): Mark<Record> {
  if (typeof owner !== "string" || typeof record["serverId"] !== "number")
    throw new Error("it has no owner or no server id");
  const phase = record["phase"] === "seeded" ? "complete" : record["phase"];
  const identity = { kind: "StagingDatabase", name: owner, seal: seal as string | null };
  return markOf(identity, { hasRootPassword: false, ...record, phase } as unknown as Record);
}

export async function readMarkFile<Record extends object>(
  host: HostReader,
  { path, asRoot }: MarkFile,
  object: string,
): Promise<Mark<Record> | null> {
  return parseMarkFile<Record>(await host.readFile(path, { asRoot }), object);
}

export const writeMarkFile = (host: Host, { path, asRoot }: MarkFile, mark: Mark): Promise<void> =>
  host.writeFile(path, renderMark(mark), { mode: 0o600, asRoot });
