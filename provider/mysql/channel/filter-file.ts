import { posix } from "node:path";
import { isProblem } from "../../errors";
import { sh } from "../../host/command";
import type { Host, HostReader } from "../../host/host";
import { layoutAround } from "../instance/layout";
import { fileWord, needsRoot, ownedLike } from "./tls-files";

/** The option file in which a channel's filters outlive a restart of mysqld. */
export interface FilterFile {
  /** False if my.cnf of the server includes no folder of Sluice: then no option file can be kept. */
  readonly isPossible: boolean;
  readonly path: string;
  /** Its text; null if there is none. */
  readonly text: string | null;
}

/** Below `conf.d/` of a managed server, whose my.cnf includes it. */
export async function readFilterFile(
  host: HostReader | null,
  dataDirectory: string,
  channel: string,
): Promise<FilterFile> {
  const { optionDirectory, optionFile } = layoutAround(dataDirectory);
  const path = posix.join(optionDirectory, `channel-${fileWord(channel)}.cnf`);
  if (host === null) return { isPossible: false, path, text: null };
  const asRoot = await needsRoot(host);
  // The server says where its data is; a folder there that another user owns is not Sluice's.
  const read = (file: string) =>
    host.readFile(file, { asRoot }).catch((error: unknown) => {
      if (isProblem(error, "STORAGE_PATH_UNSAFE")) return undefined;
      throw error;
    });
  const options = await read(optionFile);
  const isPossible = options?.split("\n").includes(`!includedir ${optionDirectory}`) === true;
  // mysqld reads no file of a folder that its my.cnf does not include; one that is included again is read then.
  return { isPossible, path, text: isPossible ? ((await read(path)) ?? null) : null };
}

/** Null takes the file away. Owner and group are those of the folder, so that mysqld can read it. */
export async function writeFilterFile(host: Host, { path }: FilterFile, text: string | null): Promise<void> {
  const as = await ownedLike(host, posix.dirname(path));
  if (text === null) await host.run(sh`rm -f ${path}`, { asRoot: as.asRoot });
  else await host.writeFile(path, text, { mode: 0o640, ...as });
}
