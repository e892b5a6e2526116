import { isProblem } from "../../errors";
import { type Command, sh } from "../../host/command";
import type { Host, HostReader } from "../../host/host";
import { parseMarkFile } from "../../mark/file";
import { changerFunction, pathUnsafe, requireTrusted, untrustedIn } from "../../host/trust";
import { parseOptionFile, readSettings } from "../options/file";
import { isSameValue } from "../options/variables";
import type { InstancePlace } from "./instance";
import { layoutOf } from "./layout";

type Place = Pick<InstancePlace, "layout" | "runtime" | "port">;

/** Another server of Sluice on the same host, running or stopped. */
export interface Neighbour {
  readonly directory: string;
  /** Null if only the unit is known: the server is claimed, and not configured yet. */
  readonly port: number | null;
  readonly serverId: number;
}

/**
 * The register: one entry for each server that was claimed here, so that stopped servers are found without systemd and before
 * their unit is made. An entry counts as long as its directory has a mark; a crash may leave an entry of a directory
 * that was never claimed.
 */
const registerPath = ({ runtime }: Pick<Place, "runtime">): Command =>
  runtime.asRoot ? sh`register=/var/lib/sluice/servers` : sh`register=$HOME/.local/state/sluice/servers`;

interface Entry {
  readonly directory: string;
  /** Null if the server listens on no port. */
  readonly port: number | null;
}

/** Records a server before its mark is written. May be repeated. */
export async function registerServer(host: Host, place: Place, port: number | null): Promise<void> {
  const { layout, runtime } = place;
  const { asRoot } = runtime;
  const { stdout } = await host.run(
    sh`${registerPath(place)}; umask 022; mkdir -p "$register" 2>/dev/null && [ -w "$register" ] && printf %s "$register"; exit 0`,
    { asRoot },
  );
  // A user without a home directory, in a container: the server is claimed without an entry.
  if (stdout === "") return;
  const entry: Entry = { directory: layout.directory, port };
  const file = `${stdout}/${layout.unitName}.json`;
  await host.writeFile(file, `${JSON.stringify(entry)}\n`, { mode: 0o600, asRoot });
}

/** Removes the entry, and the register with its last one. May be repeated. */
export async function forgetServer(host: Host, place: Place): Promise<void> {
  await host.run(
    sh`
    ${registerPath(place)}
    [ -d "$register" ] || exit 0
    ${trusted(place)}
    rm -f -- "$register"/${`${place.layout.unitName}.json`} || exit
    rmdir "$register" "$(dirname "$register")" 2>/dev/null; exit 0`,
    { asRoot: place.runtime.asRoot },
  );
}

const trusted = ({ runtime }: Pick<Place, "runtime">): Command =>
  runtime.asRoot ? requireTrusted("/var/lib/sluice/servers", "all", runtime.connectedUid ?? 0) : sh`:`;

/** All servers of Sluice on the host but the one in `place`. */
export async function readNeighbours(host: HostReader, place: Place): Promise<readonly Neighbour[]> {
  const entries = await readEntries(host, place);
  const directories = [...entries.keys()].filter((directory) => directory !== place.layout.directory).sort();
  if (directories.length === 0) return [];
  const { stdout } = await host.query(filesLook(place, directories), { asRoot: place.runtime.asRoot });
  return parseFiles(stdout, directories).map(({ listens, ...found }) => ({
    ...found,
    port: listens ? (found.port ?? entries.get(found.directory) ?? null) : null,
  }));
}

/** Ports by directory, from the register and from the units, which servers of earlier versions have alone. */
async function readEntries(host: HostReader, place: Place): Promise<ReadonlyMap<string, number | null>> {
  const { stdout, stderr } = await host.query(
    sh`
    ${registerPath(place)}
    if [ -d "$register" ]; then
      ${trusted(place)}
      for file in "$register"/*.json; do [ ! -f "$file" ] || echo "entry $(base64 <"$file" | tr -d '\n')"; done
    fi
    for file in /etc/systemd/system/sluice-mysql-*.service; do [ ! -f "$file" ] || echo "unit $(base64 <"$file" | tr -d '\n')"; done`,
    { asRoot: place.runtime.asRoot, accept: [0, 97] },
  );
  const changer = untrustedIn(stderr);
  if (changer !== undefined)
    throw pathUnsafe(`host ${host.name}`, "root does not use the register of servers", changer);
  const entries = new Map<string, number | null>();
  for (const line of stdout.split("\n")) {
    const [what, encoded = ""] = line.split(" ");
    const text = Buffer.from(encoded, "base64").toString("utf8");
    const entry = what === "entry" ? parseEntry(text) : what === "unit" ? directoryOfUnit(text) : null;
    if (entry === null) continue;
    const { directory } = layoutOf(entry.directory);
    entries.set(directory, entry.port ?? entries.get(directory) ?? null);
  }
  return entries;
}

type Found = { readonly directory: string; readonly port?: number | null };

/** Null for an entry that cannot be read: the server that it was for has a unit, or claims its directory again. */
function parseEntry(text: string): Found | null {
  try {
    const { directory, port } = JSON.parse(text) as Partial<Entry>;
    return typeof directory === "string" && (port === null || typeof port === "number") ? { directory, port } : null;
  } catch {
    return null;
  }
}

/** The directory in a unit of Sluice (unit.ts): that of the option file which mysqld is started with. */
export function directoryOfUnit(text: string): Found | null {
  const words = /^ExecStart=.*?(?:"--defaults-file=((?:[^"\\]|\\.)+)"|--defaults-file=(\S+))$/m.exec(text);
  const file = words?.[1]?.replaceAll(/\\(.)/g, "$1") ?? words?.[2];
  if (file === undefined || !file.endsWith("/my.cnf")) return null;
  return { directory: file.slice(0, -"/my.cnf".length).replaceAll("%%", "%") };
}

/** Root reads only what no other user can change: what stands elsewhere is not a server of Sluice. */
function filesLook({ runtime }: Place, directories: readonly string[]): Command {
  const mayRead = runtime.asRoot ? sh`[ -z "$(changer "$1" all 0)" ]` : sh`[ -r "$1" ]`;
  return sh`
    ${changerFunction(runtime.connectedUid ?? 0)}
    text() { [ -f "$1" ] && ${mayRead} && base64 <"$1" | tr -d '\n'; }
    for directory in ${directories}; do echo "$(text "$directory/sluice.json") $(text "$directory/my.cnf")"; done`;
}

/** One line for each directory: its mark and its option file; either may be empty. */
function parseFiles(output: string, directories: readonly string[]): (Neighbour & { readonly listens: boolean })[] {
  const lines = output.split("\n");
  return directories.flatMap((directory, at) => {
    const [mark = "", options = ""] = (lines[at] ?? "")
      .split(" ")
      .map((text) => Buffer.from(text, "base64").toString());
    const claimed = serverIdOfMark(mark, directory);
    if (claimed === null) return [];
    const settings = readSettings(parseOptionFile(options), ["mysqld"]);
    const number = (name: string) => Number(settings.get(name)?.at(-1) ?? 0) || null;
    return [
      { directory, port: number("port"), serverId: number("server_id") ?? claimed, listens: isListening(options) },
    ];
  });
}

/** With skip_networking a server listens on its socket only, whatever its port says. */
export function isListening(optionText: string): boolean {
  const values = readSettings(parseOptionFile(optionText), ["mysqld"]).get("skip_networking");
  return values === undefined || !isSameValue("skip_networking", values.at(-1) ?? "ON", "ON");
}

/** Null if there is no mark, or it cannot be read: its own resource reports that. */
function serverIdOfMark(text: string, directory: string): number | null {
  try {
    return parseMarkFile<{ readonly serverId?: number }>(text, `directory ${directory}`)?.record.serverId ?? null;
  } catch (error) {
    if (isProblem(error, "OWNERSHIP_MARKER_UNREADABLE", "STATE_TOO_NEW")) return null;
    throw error;
  }
}
