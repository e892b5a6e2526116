/**
 * Runs $1 as shell text with the first $2 bytes of standard input, for at most $3 seconds, and ends it when standard
 * input is closed: sshd does not end the processes of a closed session, and a local one outlives us just the same.
 *
 * Descriptor 3 is the session's input. 4 and 5 are the two ends of a pipe for the command's own input, made by opening
 * the pipe behind `:` a second time for writing, because a FIFO would need space in a file system that may be full
 * (if there is no /proc, a FIFO). `timeout` makes a process group and passes a signal on to all of it.
 */
const wrapper = [
  'LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"; export LC_ALL PATH; exec 3<&0',
  ": | {",
  "if [ -e /proc/self/fd/0 ]; then exec 4<&0 5>/proc/self/fd/0 </dev/null",
  'else d=$(mktemp -d) && mkfifo "$d/p" && exec 5<>"$d/p" 4<"$d/p" </dev/null && rm -r "$d" || exit 125; fi',
  'if command -v timeout >/dev/null; then timeout -k 5 "$3" sh -c "$1" <&4 3<&- 4<&- 5>&- & p=$! g=$!',
  'else perl -e "setpgrp; exec @ARGV" sh -c "$1" <&4 3<&- 4<&- 5>&- & p=$! g=-$!; fi',
  '{ exec 4<&-; [ "$2" = 0 ] || head -c "$2" <&3 >&5; exec 5>&-; read -r _ <&3; kill -s TERM -- "$g"; } >/dev/null 2>&1 &',
  'w=$!; exec 4<&- 5>&-; wait "$p"; s=$?; exec 2>/dev/null; kill "$w"; exit "$s"; }',
].join("\n");

/** Seconds after our own limit at which the host ends the command: only happens if our process is gone. */
const graceSeconds = 5; // the same as `timeout -k` above: TERM, then KILL

export interface Wrapped {
  readonly text: string;
  readonly stdinBytes: number;
  readonly withinSeconds: number;
  readonly asRoot: boolean;
}

/** The words to start. */
export function wrap({ text, stdinBytes, withinSeconds, asRoot }: Wrapped): readonly string[] {
  const seconds = String(Math.ceil(withinSeconds + graceSeconds));
  const words = ["sh", "-c", wrapper, "sluice", text, String(stdinBytes), seconds];
  return asRoot ? ["sudo", "-n", "--", ...words] : words;
}
