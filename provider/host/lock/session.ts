import { randomUUID } from "node:crypto";
import { StringDecoder } from "node:string_decoder";
import type { LockMode } from "../host";
import type { HostProcess } from "../transport";

/**
 * Holds locks for as long as its standard input is open. Reads `exclusive ID FILE TAG HOLDER`, `shared ID FILE TAG
 * HOLDER` and `free ID`. A lock that is held under the same tag is held by an older session of this process, whose
 * connection is gone without sshd having noticed: that session is ended, and an exclusive lock waited for in the
 * kernel, so that no other run gets it in between.
 *
 * The file of a lock says who holds it, one line for each holder: `TAG PROCESS TIME HOLDER`, and `TAG freed` when a shared holder
 * has ended. An exclusive holder, and the first shared one after it, rewrite the file: as long as a tag is in it, no exclusive
 * holder has come in between. A shared holder may rewrite it only while it holds the lock alone, so it first tries to get the
 * exclusive lock, and makes that a shared one.
 *
 * A held lock is a child that has the file open and blocks on reading a pipe whose only writer is the parent: whatever
 * ends the parent ends the pipe, the child and with it the lock.
 *
 * The directory belongs to whom the session runs as, with mode 0700: in a shared one any user could hold a lock for
 * ever, or write a process number of their choice. The session runs as root where that is possible, so all who manage a
 * host as root, directly or through sudo, meet in /run, where no other user can make the directory first. Else it is
 * the user's own: a user without root manages no other user's objects.
 *
 * `close` shuts the directory that earlier versions shared with every user: their sessions then take no lock next to
 * this one's.
 */
const script = [
  'LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"; export LC_ALL PATH; umask 077; exec 3<&0',
  'u=$(id -u); if [ "$u" != 0 ]; then d=/tmp/sluice-lock-$u; elif [ -d /run ]; then d=/run/sluice-lock; else d=/var/run/sluice-lock; fi',
  '[ -d "$d" ] || mkdir -m 700 "$d" 2>/dev/null',
  'case $(ls -ldn "$d" 2>&1) in drwx------*) ;; *) false ;; esac && [ ! -L "$d" ] && [ -O "$d" ] || { echo "broken 0 $d must be a directory of mode 0700 that belongs to user $(id -un): $(ls -ld "$d" 2>&1)"; exit 1; }',
  'close() { [ -d /run/lock ] && o=/run/lock/sluice || o=/tmp/sluice-lock; [ -e "$o" ] || mkdir -m 700 "$o"; [ ! -k "$o" ] || { chown -h 0:0 "$o"; [ -L "$o" ] || [ ! -O "$o" ] || chmod 700 "$o"; }; }',
  '[ "$u" != 0 ] || close >/dev/null 2>&1',
  'if command -v flock >/dev/null; then lock() { flock "$1" -n 9; }; inherit() { flock -w 5 9; }',
  'elif command -v perl >/dev/null; then lock() { perl -e \'open($f, "<&=9"); exit(flock($f, $ARGV[0] eq "-s" ? 5 : 6) ? 0 : 1)\' -- "$1"; }',
  'else echo "broken 0 neither flock nor perl is installed"; exit 1; fi',
  'same() { [ ! -e /proc/self/fd/9 ] || [ "$1" -ef /proc/self/fd/9 ]; }',
  // The process number may have been reused: only a session of locks is ended.
  'isSession() { case $(if [ -e /proc/self/cmdline ]; then tr "\\0" " " <"/proc/$1/cmdline"; else ps -ww -o args= -p "$1"; fi) in *" sluice-locks "* | *" sluice-locks") ;; *) false ;; esac; } 2>/dev/null',
  // The last line of each tag that is not freed.
  `holders() { awk '$2 == "freed" { delete held[$1]; next } { held[$1] = $0 } END { for (tag in held) print held[tag] }' "$f"; } 2>/dev/null`,
  // A holder that was killed could not say that it is over: its process is printed as `-`.
  'marked() { holders | while read -r tag pid rest; do isSession "$pid" || pid=-; echo "$tag $pid $rest"; done; }',
  'endOlder() { holders | { while read -r tag pid _; do if [ "$tag" = "$1" ] && [ "$pid" != $$ ] && isSession "$pid"; then kill "$pid"; exit; fi; done; false; }; } 2>/dev/null',
  `isExclusive() { [ -n "$(echo "$1" | awk 'NF && $1 !~ /^shared-/')" ]; }`,
  'exclusive() { { lock -x || { endOlder "$1" && inherit; }; } 2>/dev/null && same "$f" && before=$(holders) && echo "$2" >"$f"; }',
  // To make an exclusive lock a shared one, the kernel first frees it: flock(2).
  'first() { lock -x && same "$f" && before=$(holders) && { ! isExclusive "$before" || : >"$f"; } && lock -s; }',
  'shared() { endOlder "$1"; { first || { lock -s && same "$f" && before=$(holders); }; } && echo "$2" >>"$f"; }',
  ": | {",
  "if [ -e /proc/self/fd/0 ]; then exec 6<&0 7>/proc/self/fd/0",
  'else t=$(mktemp -d) && mkfifo "$t/p" && exec 8<>"$t/p" 6<"$t/p" 7>"$t/p" 8>&- && rm -r "$t" || exit 125; fi',
  "take() { (",
  "exec 3<&- 7>&-; f=$d/$3",
  '[ -e "$f" ] || (set -C; : >"$f") 2>/dev/null',
  '{ command exec 9<"$f"; } 2>/dev/null || { echo "broken $2 cannot open $f"; exit; }',
  'if "$1" "$4" "$4 $$ $(date -u +%Y-%m-%dT%H:%M:%SZ) $5"; then echo "held $2 $(echo "$before" | tr "\\n" "\\t")"; read -r _ <&6',
  'else echo "taken $2 $(marked | tr "\\n" "\\t")"; fi',
  ') & eval "p$2=$! m$2=\\$1 f$2=\\$3 t$2=\\$4"; }',
  // The file is removed while its lock is held: a waiter sees that its open file is not that file, and creates a new one.
  'isHeld() { [ "$f" -ef "/proc/$1/fd/9" ]; }',
  'remove() { exec 9<"$f" && lock -x && [ "$f" -ef /proc/self/fd/9 ] && [ -z "$(holders)" ] && rm -f -- "$f"; }',
  'free() { eval "p=\\$p$1 m=\\$m$1 f=\\$d/\\$f$1 t=\\$t$1"',
  'if isHeld "$p"; then case $m in exclusive) rm -f -- "$f" ;; shared) echo "$t freed" >>"$f" ;; esac; fi',
  'kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; [ "$m" = exclusive ] || (remove) 2>/dev/null; echo "freed $1"; }',
  'echo "ready $d"',
  "while read -r verb id file tag holder <&3; do case $verb in",
  'exclusive | shared) take "$verb" "$id" "$file" "$tag" "$holder" ;; free) free "$id" ;; esac; done; }',
].join("\n");

/** The command to start; as root where that is possible, because the user decides which locks one meets. */
export const lockSessionWords = (throughSudo: boolean): readonly string[] => [
  ...(throughSudo ? ["sudo", "-n", "--"] : []),
  ...["sh", "-c", script, "sluice-locks"],
];

/** What the session answers. `holders` are the lines of the lock's file: for "held" as they were before. */
export type Reply =
  | { readonly kind: "held" | "taken"; readonly holders: readonly HolderLine[] }
  | { readonly kind: "freed" }
  | { readonly kind: "broken" | "lost"; readonly why: string };

/** One line of a lock's file. */
export interface HolderLine {
  /** Identifies this holder of the lock. */
  readonly tag: string;
  /** `-` of a holder that was killed. */
  readonly process: string;
  readonly since: string;
  readonly holder: string;
}

/** What a session is asked to take. `holder` must not be secret. */
export interface Taking {
  readonly id: number;
  readonly mode: LockMode;
  readonly file: string;
  readonly tag: string;
  readonly holder: string;
}

/** The script tells the lines of shared holders by the beginning of their tags. */
export const newTag = (mode: LockMode): string => `${mode === "shared" ? "shared-" : ""}${randomUUID()}`;

export interface LockSession {
  /** Settles when the session is over and every lock of it is free, or will be once the host notices. */
  readonly over: Promise<string>;
  take(lock: Taking): Promise<Reply>;
  free(id: number): Promise<Reply>;
  end(): void;
}

/** Waits for the session's first word. */
export async function openLockSession(process: HostProcess): Promise<LockSession | Reply> {
  const asked = new Map<number, (reply: Reply) => void>();
  let errorWords = "";
  const over = process.ended.then((ending) => {
    const why = ending.kind === "lost" ? ending.why : `the lock session ended: ${errorWords.trim() || ending.kind}`;
    for (const answer of asked.values()) answer({ kind: "lost", why });
    asked.clear();
    return why;
  });
  const reply = (id: number) => new Promise<Reply>((resolve) => asked.set(id, resolve));
  const first = reply(0);
  onLines(process, (line) => {
    const [word = "", id = "0"] = line.split(" ", 2);
    const number = word === "ready" ? 0 : Number(id);
    const rest = line.slice(word.length + id.length + 2);
    asked.get(number)?.(parseReply(word, rest));
    asked.delete(number);
  });
  process.stderr.on("data", (chunk: Buffer) => (errorWords = `${errorWords}${chunk.toString()}`.slice(-1000)));

  const answer = await first;
  if (answer.kind !== "freed") return answer;
  const ask = async (id: number, line: string): Promise<Reply> => {
    const answered = reply(id);
    process.stdin.write(`${line}\n`);
    return Promise.race([answered, over.then((why): Reply => ({ kind: "lost", why }))]);
  };
  return {
    over,
    take: ({ id, mode, file, tag, holder }) =>
      ask(id, `${mode} ${id} ${file} ${tag} ${holder.replaceAll(/\s+/g, " ")}`),
    free: (id) => ask(id, `free ${id}`),
    end: () => process.end(),
  };
}

/** `ready` counts as freed: nothing is held. */
function parseReply(word: string, rest: string): Reply {
  if (word === "held" || word === "taken") return { kind: word, holders: parseHolders(rest) };
  if (word === "freed" || word === "ready") return { kind: "freed" };
  return { kind: "broken", why: rest };
}

const parseHolders = (text: string): HolderLine[] =>
  text
    .split("\t")
    .map((line) => line.trim().split(" "))
    .filter(([tag = ""]) => tag !== "")
    .map(([tag = "", process = "", since = "", ...holder]) => ({ tag, process, since, holder: holder.join(" ") }))
    .sort((one, other) => (one.since < other.since ? -1 : 1));

function onLines(process: HostProcess, tell: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let open = "";
  process.stdout.on("data", (chunk: Buffer) => {
    const lines = `${open}${decoder.write(chunk)}`.split("\n");
    open = lines.pop() ?? "";
    lines.forEach(tell);
  });
}
