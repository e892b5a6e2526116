import type { Host, HostReader } from "../host/host";
import { markOf, parseMark, renderMark, type Former, type Mark } from "./mark";

/** Where a mark is on a host. */
export interface MarkFile {
  readonly path: string;
  readonly asRoot: boolean;
}

/** Null if the file is absent. Errors: see `parseMark`. */
export function parseMarkFile<Record extends object>(
  text: string | null | undefined,
  object: string,
): Mark<Record> | null {
  if (text === null || text === undefined) return null;
  return parseMark<Record>(text, formerly, { object, mark: "sluice.json", marked: "the directory" }, requireServer);
}

/** Every mark in a file is that of a server. */
function requireServer({ identity, record }: Mark): void {
  if (identity === null) throw new Error("it has no identity");
  if (typeof (record as { readonly serverId?: unknown }).serverId !== "number") throw new Error("it has no server id");
}

/** Version 1 marked only the directories of staging databases. */
function formerly<Record extends object>({ owner, seal = null, ...record }: Former): Mark<Record> {
  if (typeof owner !== "string") throw new Error("it has no owner");
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
