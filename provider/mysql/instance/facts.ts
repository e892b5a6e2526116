import { SluiceError } from "../../errors";
import { type Command, sh } from "../../host/command";
import type { HostReader } from "../../host/host";
import type { ServiceFacts } from "../../host/service/declaration";
import { parseServiceLook, serviceLook } from "../../host/service/service";
import { changerFunction, parseChanger, pathUnsafe, type Changer } from "../../host/trust";
import type { InstancePlace } from "./instance";
import { ownEntries } from "./layout";
import { servicePlaceOf } from "./service";
import { enclosingLook, parseSurroundings, requireApart, surroundingsLook, type Surroundings } from "./surroundings";

/** The files on the host, and the running process. */
export interface InstanceFacts extends ServiceFacts {
  readonly directory: "absent" | "empty" | "ours" | "foreign files";
  /** Entries of the directory that Sluice never creates. */
  readonly strangers: readonly string[];
  readonly markText: string | null;
  /** An empty directory, where a file system may be mounted, is `absent` too. */
  readonly data: "absent" | "initialising" | "ready";
  /** The target of the data directory, if it is a symlink; else null. */
  readonly dataLink: string | null;
  readonly optionText: string | null;
  readonly initText: string | null;
  /** The unit's or the supervisor's text. */
  readonly unitText: string | null;
  /** The process that listens on the port; null if none does. */
  readonly portListener: PortListener | null;
  readonly surroundings: Surroundings;
  /** The paths of root's in it that another user can change. */
  readonly loose: readonly Changer[];
  /** Room for other users than root on the file system of the directory. */
  readonly freeBytes: number;
}

export interface PortListener {
  /** Null if only root could know. */
  readonly pid: number | null;
  readonly command: string;
  /** It is this server. */
  readonly ours: boolean;
}

/** One round trip. */
export async function readInstance(host: HostReader, place: Omit<InstancePlace, "object">): Promise<InstanceFacts> {
  const { stdout } = await host.query(lookCommand(place), { asRoot: place.runtime.asRoot });
  requireReadable(stdout, host, place);
  const unsafe = parseChanger(/^unsafe (.+)$/m.exec(stdout)?.[1] ?? "");
  if (unsafe !== undefined) {
    requireApart({ object: `host ${host.name}`, layout: place.layout }, parseSurroundings(stdout.split("\n")));
    throw pathUnsafe(`host ${host.name}`, `root does not use ${place.layout.directory}`, unsafe);
  }
  return parseLook(stdout, place);
}

/** An unreadable file is not an absent one: it was created as root, and now the user cannot become root. */
export function requireReadable(
  output: string,
  { name }: Pick<HostReader, "name">,
  { runtime }: Pick<InstancePlace, "runtime">,
): void {
  const path = /^unreadable (.+)$/m.exec(output)?.[1];
  if (path === undefined) return;
  throw new SluiceError({
    code: "HOST_SUDO_REFUSED",
    object: `host ${name}`,
    what: `user ${runtime.connectedUser} has no permission to read ${path}`,
    needs: "root, directly or through sudo without a password, as when the server was created",
    fix: "let the user become root again (`sudo` of the host, /etc/sudoers.d), or log in as the user that created it",
  });
}

function lookCommand({ layout, runtime, port }: Omit<InstancePlace, "object">): Command {
  const unitText = runtime.supervisor === "systemd" ? layout.unitFile : layout.supervisorFile;
  return sh`
    ${changerFunction(runtime.connectedUid ?? 0)}
    # As root no symlink is followed: until its owner is repaired, another user may own the directory.
    open() { if [ -L "$1" ]; then return 1; elif ${runtime.asRoot ? "true" : "false"} && dd if=/dev/null iflag=nofollow 2>/dev/null; then dd "if=$1" iflag=nofollow,nonblock bs=64k 2>/dev/null; else cat -- "$1"; fi; }
    text() { [ -f "$2" ] && [ ! -L "$2" ] || return; if [ -r "$2" ]; then echo "$1 $(open "$2" | base64 | tr -d '\n')"; else echo "unreadable $2"; fi; }
    ${enclosingLook(layout)}
    ${runtime.asRoot ? ownersLook({ layout, runtime }) : sh`:`}
    if [ -d ${layout.directory} ]; then echo directory yes; ls -A ${layout.directory} | base64 | tr -d '\n' | sed 's/^/entries /'; echo
    elif ls -d ${layout.directory} 2>&1 | grep -q 'Permission denied'; then echo unreadable ${layout.directory}; fi
    text mark ${layout.mark}
    text option ${layout.optionFile}
    text init ${layout.initFile}
    text unit ${unitText}
    if [ -L ${layout.data} ]; then echo "link $(readlink ${layout.data})"; fi
    if [ -d ${layout.data} ]; then
      if [ ! -L ${layout.data} ] && inside=$(ls -A ${layout.data} 2>/dev/null) && ! printf '%s\n' "$inside" | grep -qvx -e lost+found -e ''; then echo data empty
      else echo data ready; fi
    elif [ -d ${layout.dataInitialising} ]; then echo data initialising; fi
    d=${layout.directory}; while [ ! -d "$d" ]; do d=$(dirname "$d"); done
    df -kP "$d" | awk 'NR == 2 { print "free " $4 }'
    ${serviceLook(servicePlaceOf({ layout, runtime }))}
    ${portLook(port)}
    ${surroundingsLook({ layout, runtime })}
    exit 0`;
}

/**
 * `unsafe` if another user can change a directory on the path: then root reads nothing in it. `loose` for each path in
 * it that should be root's and another user can change. A job may belong to another ssh user, never to the one that
 * mysqld runs as.
 */
const ownersLook = ({ layout, runtime }: Pick<InstancePlace, "layout" | "runtime">): Command => sh`
    found=$(changer ${layout.directory} parents 0); [ -z "$found" ] || { echo "unsafe $found"; exit 0; }
    loose() { [ -e "$1" ] || [ -L "$1" ] || return; found=$(changer "$1" "$2" 0); [ -z "$found" ] || echo "loose $found"; }
    for p in ${[layout.directory, layout.mark, layout.optionFile, layout.supervisorFile, layout.optionDirectory, layout.tls]}; do loose "$p" all; done
    for p in ${[layout.job, layout.data, layout.run, layout.log, layout.tmp]}; do [ ! -L "$p" ] || loose "$p" parents; done
    [ -z "$(find ${layout.job} -prune -user ${runtime.osUser} 2>/dev/null)" ] || loose ${layout.job} all`;

/** The listener's socket is looked for among our own process's files first: for all processes it takes long. */
function portLook(port: number): Command {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return sh`
    holds() { for f in /proc/"$1"/fd/*; do [ "$(readlink "$f")" = "socket:[$2]" ] && return 0; done 2>/dev/null; return 1; }
    if [ -r /proc/net/tcp ]; then
      cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v at=${`:${hex}`} '$4 == "0A" && substr($2, length($2) - 4) == at { print $10 }' | sort -u | while read -r inode; do
        if [ "$pid" != 0 ] && holds "$pid" "$inode"; then echo "listener $pid ours"; continue; fi
        who=-; for p in $(cd /proc && echo [0-9]*); do holds "$p" "$inode" && who=$p && break; done
        echo "listener $who $(tr '\0' ' ' <"/proc/$who/cmdline" 2>/dev/null | cut -c 1-200)"
      done
    elif command -v lsof >/dev/null; then
      for who in $(lsof -nP -iTCP:${port} -sTCP:LISTEN -t 2>/dev/null | sort -u); do
        if [ "$who" = "$pid" ]; then echo "listener $who ours"; else echo "listener $who $(ps -o args= -p "$who" | cut -c 1-200)"; fi
      done
    fi`;
}

export function parseLook(output: string, { layout }: Pick<InstancePlace, "layout">): InstanceFacts {
  const lines = output.split("\n");
  const value = (key: string) => {
    const line = lines.find((one) => one.startsWith(`${key} `) || one.startsWith(`${key}=`));
    return line?.slice(key.length + 1).trim();
  };
  const text = (key: string) => {
    const encoded = value(key);
    return encoded === undefined ? null : Buffer.from(encoded, "base64").toString("utf8");
  };
  // Every ext4 file system has a lost+found at its top.
  const isNothing = (name: string) =>
    name === "" || name === "lost+found" || (name === "data" && value("data") === "empty");
  const entries = (text("entries") ?? "").split("\n").filter((name) => !isNothing(name));
  const strangers = entries.filter((name) => !ownEntries.includes(name));
  return {
    directory: directoryState(value("directory") !== undefined, entries, strangers),
    strangers,
    markText: text("mark"),
    data: dataState(value("data")),
    dataLink: value("link") ?? null,
    optionText: text("option"),
    initText: text("init"),
    unitText: text("unit"),
    ...parseServiceLook(lines),
    portListener: listenerOf(lines),
    surroundings: parseSurroundings(lines),
    loose: changersOf(lines),
    freeBytes: parseFree(value("free"), layout.directory),
  };
}

/** One a path: the first step is the same for all that are below it. */
function changersOf(lines: readonly string[]): readonly Changer[] {
  const found = lines.flatMap((line) => (line.startsWith("loose ") ? (parseChanger(line.slice(6)) ?? []) : []));
  return found.filter(({ step }, at) => found.findIndex((one) => one.step === step) === at);
}

function directoryState(
  exists: boolean,
  entries: readonly string[],
  strangers: readonly string[],
): InstanceFacts["directory"] {
  if (!exists) return "absent";
  if (entries.length === 0) return "empty";
  return strangers.length > 0 && !entries.includes("sluice.json") ? "foreign files" : "ours";
}

const dataState = (word: string | undefined): InstanceFacts["data"] =>
  word === "ready" || word === "initialising" ? word : "absent";

function listenerOf(lines: readonly string[]): PortListener | null {
  const listeners = lines.flatMap((line) => {
    const match = /^listener (\d+|-) (.*)$/.exec(line);
    if (match === null) return [];
    const pid = match[1] === "-" ? null : Number(match[1]);
    return [{ pid, command: (match[2] ?? "").trim(), ours: match[2] === "ours" }];
  });
  return listeners.find(({ ours }) => !ours) ?? listeners[0] ?? null;
}

function parseFree(kibibytes: string | undefined, directory: string): number {
  if (kibibytes === undefined) throw new RangeError(`df printed nothing about ${directory}`);
  return Number(kibibytes) * 1024;
}
