import { posix } from "node:path";
import type { Problem } from "../errors";
import { Command, sh } from "./command";
import type { FileOptions, HostFacts, PathFacts } from "./host";

export const readFileCommand = (path: string): Command => sh`cat -- ${absolute(path)}`;

/** GNU stat, else BSD stat (this machine may be a Mac); a link that leads nowhere is looked at itself. */
export function inspectCommand(path: string): Command {
  const at = sh`${absolute(path)}`;
  return sh`if stat --version >/dev/null 2>&1; then stat -L -c ${gnuFormat} -- ${at} 2>/dev/null || stat -c ${gnuFormat} -- ${at}; else stat -L -f ${bsdFormat} ${at}; fi`;
}
const gnuFormat = "%F|%a|%U|%G|%s";
const bsdFormat = "%HT|%Lp|%Su|%Sg|%z";

export const absent: PathFacts = { kind: "absent", mode: 0, owner: "", group: "", sizeBytes: 0 };

export function parsePathFacts(line: string): PathFacts {
  const [kind = "", mode = "0", owner = "", group = "", size = "0"] = line.trim().split("|");
  return { kind: kindOf(kind.toLowerCase()), mode: Number.parseInt(mode, 8), owner, group, sizeBytes: Number(size) };
}

function kindOf(word: string): PathFacts["kind"] {
  if (word.startsWith("regular")) return "file";
  if (word === "directory" || word === "socket") return word;
  return "other";
}

/** Prints one word on what the user finds at the path of a socket that could not be opened. */
export const socketCommand = (path: string): Command =>
  sh`p=${absolute(path)}; if [ ! -e "$p" ]; then echo absent; elif [ ! -S "$p" ]; then echo other; elif [ -w "$p" ]; then echo open; else ls -ld "$p"; fi`;

export function explainSocket(
  path: string,
  word: string,
  { user }: HostFacts,
): Pick<Problem, "what" | "found" | "needs" | "fix"> {
  const what = `cannot open ${path}`;
  switch (word) {
    case "absent":
      return {
        what: `${what}, there is no such socket`,
        found: `nothing that user ${user} can see`,
        needs: "a server that listens on it",
      };
    case "other":
      return { what: `${what}, it is not a socket`, needs: "the path of a socket" };
    case "open":
      return {
        what: `${what}, which user ${user} may open`,
        needs: "a server that listens on it, and an sshd that allows forwards",
        fix: "start the server; on a host behind ssh set AllowStreamLocalForwarding yes in sshd_config",
      };
    default:
      return { what: `${what}, user ${user} may not`, found: word, needs: `a socket that user ${user} may write to` };
  }
}

/** What a program says in the C locale about a path that is not there. ENOTDIR: a parent is a file. */
export const saysAbsent = (stderr: string): boolean => /No such file or directory|Not a directory/.test(stderr);

export const saysFull = (stderr: string): boolean => /No space left on device|Disk quota exceeded/.test(stderr);

/**
 * The content comes through standard input and is counted before the rename: a connection that breaks in the middle
 * looks like an early end of the content.
 */
export function writeFileCommand(path: string, sizeBytes: number, options: FileOptions): Command {
  const target = absolute(path);
  const directory = posix.dirname(target);
  const template = posix.join(directory, `.${posix.basename(target).slice(0, 200)}.sluice-XXXXXX`);
  const mode = options.mode.toString(8).padStart(4, "0");
  const own = options.owner === undefined ? sh`:` : sh`chown -- ${options.owner} "$t"`;
  return new Command(
    [
      "umask 077",
      sh`if [ -d ${target} ]; then echo ${`${target}: Is a directory`} >&2; exit 1; fi`.text,
      sh`t=$(mktemp ${template}) || exit`.text,
      `trap 'rm -f -- "$t"' EXIT`,
      // A message for a connection that has ended must not end the shell before `rm`, nor may the second TERM:
      // `timeout` sends it to its child and to the group.
      "trap '' PIPE",
      `trap 'trap "" HUP INT TERM; exit 143' HUP INT TERM`,
      `cat >"$t" || exit`,
      sh`[ "$(wc -c <"$t")" -eq ${sizeBytes} ] || { echo "the content was cut short" >&2; exit 1; }`.text,
      sh`${own} && chmod ${mode} "$t" || exit`.text,
      // `sync FILE` is coreutils 8.24 (2015); without it the whole file system is flushed.
      `sync "$t" 2>/dev/null || sync`,
      sh`mv -f -- "$t" ${target} || exit`.text,
      "trap - EXIT",
      sh`sync ${directory} 2>/dev/null || :`.text,
    ].join("\n"),
  );
}

function absolute(path: string): string {
  if (!path.startsWith("/")) throw new RangeError(`a path on a host must be absolute: ${path}`);
  return path;
}
