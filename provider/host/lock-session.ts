import { StringDecoder } from "node:string_decoder";
import type { HostProcess } from "./transport";

/**
 * Holds locks for as long as its standard input is open. Reads `take ID FILE TAG HOLDER` and `free ID`. A lock that is
 * held under the same tag is held by an older session of ours, whose connection is gone without sshd having noticed:
 * that session is ended, and the lock waited for in the kernel, so that nobody else comes in between.
 *
 * A held lock is a child that has the file open and blocks on reading a pipe whose only writer is the parent: whatever
 * ends the parent ends the pipe, the child and with it the lock. Where the locks lie follows from a fact about the
 * host and not about the user, so that root and others meet: /run/lock where it is world-writable, else /tmp.
 *
 * The file's text says who holds it. It is written without O_CREAT (dd), which fs.protected_regular denies even to root
 * for the file of another user in a world-writable directory; opening it for reading is enough for flock.
 */
const script = [
  'LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"; export LC_ALL PATH; umask 0; exec 3<&0',
  "if [ -k /run/lock ]; then d=/run/lock/sluice; else d=/tmp/sluice-lock; fi",
  'mkdir -m 1777 "$d" 2>/dev/null',
  '{ [ -d "$d" ] && [ ! -L "$d" ] && [ -k "$d" ]; } || { echo "broken 0 $d is no directory that everybody may write"; exit 1; }',
  "if command -v flock >/dev/null; then lock() { flock -n 9; }; inherit() { flock -w 5 9; }",
  "elif command -v perl >/dev/null; then lock() { perl -e 'open($f, \"<&=9\"); exit(flock($f, 6) ? 0 : 1)'; }",
  'else echo "broken 0 neither flock nor perl is installed"; exit 1; fi',
  'same() { [ ! -e /proc/self/fd/9 ] || [ "$1" -ef /proc/self/fd/9 ]; }',
  'say() { dd "of=$1" conv=nocreat 2>/dev/null || cat >"$1"; }',
  ": | {",
  "if [ -e /proc/self/fd/0 ]; then exec 6<&0 7>/proc/self/fd/0",
  'else t=$(mktemp -d) && mkfifo "$t/p" && exec 8<>"$t/p" 6<"$t/p" 7>"$t/p" 8>&- && rm -r "$t" || exit 125; fi',
  "take() { (",
  "exec 3<&- 7>&-; f=$d/$2",
  '[ -e "$f" ] || (set -C; : >"$f") 2>/dev/null',
  '{ command exec 9<"$f"; } 2>/dev/null || { echo "broken $1 cannot open $f"; exit; }',
  'mine() { read -r tag pid _ <"$f" && [ "$tag" = "$1" ] && kill "$pid" && inherit; } 2>/dev/null',
  'if { lock || mine "$3"; } && same "$f"; then read -r before <"$f" 2>/dev/null',
  'echo "$3 $$ $(date -u +%Y-%m-%dT%H:%M:%SZ) $4" | say "$f"; echo "held $1 $before"; read -r _ <&6',
  'else read -r holder <"$f" 2>/dev/null; echo "taken $1 $holder"; fi',
  ') & eval "p$1=$!"; }',
  'free() { eval "p=\\$p$1"; kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; echo "freed $1"; }',
  'echo "ready $d"',
  "while read -r verb id file tag holder <&3; do case $verb in",
  'take) take "$id" "$file" "$tag" "$holder" ;; free) free "$id" ;; esac; done; }',
].join("\n");

export const lockSessionWords: readonly string[] = ["sh", "-c", script, "sluice-locks"];

/** What the session answers. `line` is what the lock file says: tag, process, time, holder; maybe empty. */
export type Reply =
  | { readonly kind: "held" | "taken"; readonly line: string }
  | { readonly kind: "freed" }
  | { readonly kind: "broken" | "lost"; readonly why: string };

export interface LockSession {
  /** Settles when the session is over and every lock of it is free, or will be once the host notices. */
  readonly over: Promise<string>;
  take(id: number, file: string, tag: string, holder: string): Promise<Reply>;
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
    take: (id, file, tag, holder) => ask(id, `take ${id} ${file} ${tag} ${holder.replaceAll(/\s+/g, " ")}`),
    free: (id) => ask(id, `free ${id}`),
    end: () => process.end(),
  };
}

/** `ready` counts as freed: nothing is held. */
function parseReply(word: string, rest: string): Reply {
  if (word === "held" || word === "taken") return { kind: word, line: rest };
  if (word === "freed" || word === "ready") return { kind: "freed" };
  return { kind: "broken", why: rest };
}

function onLines(process: HostProcess, tell: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let open = "";
  process.stdout.on("data", (chunk: Buffer) => {
    const lines = `${open}${decoder.write(chunk)}`.split("\n");
    open = lines.pop() ?? "";
    lines.forEach(tell);
  });
}
