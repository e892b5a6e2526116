import { SluiceError } from "../errors";
import { sh } from "../host/command";
import type { HostReader } from "../host/host";

/** Where a path lies. Only what a reboot leaves as it is: no number of a device, which the kernel gives in the order it finds them. */
export interface Mount {
  /** The mount point. */
  readonly point: string;
  /** `ext4`, `btrfs`, `nfs4`. */
  readonly type: string;
  /** Which part of the file system is mounted: a subvolume, the directory of a bind mount, or `/`. */
  readonly root: string;
  /** `/dev/sdb1`, `/dev/mapper/data-mysql`, `nas:/export`, `pool/mysql`. */
  readonly source: string;
  /** Null if the file system has none, or if unknown. */
  readonly uuid: string | null;
}

/** Where the path lies, or would lie: the nearest parent that exists counts. Null if the system has no way to say. */
export async function readMount(
  host: HostReader,
  path: string,
  { asRoot }: { readonly asRoot: boolean },
): Promise<Mount | null> {
  const { stdout } = await host.query(
    sh`
    at=${path}
    while [ ! -e "$at" ]; do at=$(dirname "$at"); done
    seen=$(findmnt -rnv -o TARGET,FSTYPE,FSROOT,SOURCE,UUID -T "$at" 2>/dev/null | tail -n 1)
    if [ -n "$seen" ]; then printf '%s\n' "$seen"
    else df -PT "$at" 2>/dev/null | awk 'NR == 2 { kind = $2; source = $1; $1 = $2 = $3 = $4 = $5 = $6 = ""; sub(/^ +/, ""); gsub(/ /, "\\x20"); print $0, kind, "/", source, "" }'
    fi`,
    { asRoot },
  );
  return parseMount(stdout);
}

/** One line of `findmnt -r`: blanks inside of a word are written `\x20`, a missing word is empty. */
export function parseMount(output: string): Mount | null {
  const [point = "", type = "", root = "", source = "", uuid = ""] = output
    .replace(/\n[^]*/, "")
    .split(" ")
    .map(unescape);
  if (point === "" || type === "") return null;
  return { point, type, root, source, uuid: uuid === "" ? null : uuid };
}

const unescape = (word: string): string =>
  word.replace(/(?:\\x[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll("\\x", ""), "hex").toString("utf8"));

/** The same file system at the same place, as far as both can tell. */
export function isSameMount(one: Mount, other: Mount): boolean {
  if (one.point !== other.point || one.root !== other.root) return false;
  if (one.uuid !== null && other.uuid !== null) return one.uuid === other.uuid;
  return !hasLastingName(one) || !hasLastingName(other) || one.source === other.source;
}

/** `/dev/sdb1` may be another disk after a reboot; a volume, a share and a dataset keep their names. */
const hasLastingName = ({ source }: Mount): boolean => !source.startsWith("/dev/") || source.startsWith("/dev/mapper/");

const mountWords = ({ point, type, root, source, uuid }: Mount): string =>
  `${point}: ${type} ${source}${root === "/" ? "" : `[${root}]`}${uuid === null ? "" : ` (UUID ${uuid})`}`;

/** A path that is remembered to be on another file system than the one that is there now. */
export interface Unmounted {
  readonly path: string;
  readonly was: Mount;
  readonly is: Mount;
}

/** What is missing may be on a file system that is not mounted: not a reason to forget it, or to create it again. */
export const notMounted = (object: string, { path, was, is }: Unmounted): SluiceError =>
  new SluiceError({
    code: "STORAGE_NOT_MOUNTED",
    object,
    what: `is missing in ${path}: the file system that held it is not mounted`,
    found: mountWords(is),
    needs: mountWords(was),
    fix: `mount it (\`mount ${was.point}\` on the host), and run the command again; if it is lost for good, remove the resource from the state: \`pulumi state delete <urn>\``,
  });
