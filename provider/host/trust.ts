import { SluiceError } from "../errors";
import { Command, sh } from "./command";

/**
 * Root must not read, run, write or remove through a path that another user can change: that user would put a symlink there.
 * `changer PATH all` prints "WHO STEP" for the first step on the way to PATH that any user but root and the connected one
 * (who may become root) can replace, and nothing if there is none. With `parents` the last step may be anybody's, unless it
 * is a symlink or is in a sticky directory, where its owner can replace it. A path that does not exist yet is safe.
 */
export const changerFunction = (connectedUid: number): Command =>
  new Command(
    [
      "changer() (",
      "  set -f; path=$1 last=$2 hops=$3 at= rest=$1",
      '  [ "$hops" -lt 9 ] || { echo "- $path"; exit; }',
      "  set -- /",
      '  while [ -n "$rest" ]; do',
      '    rest=${rest#/}; next=${rest%%/*}; rest=${rest#"$next"}',
      '    [ -z "$next" ] || { at=$at/$next; set -- "$@" "$at"; }',
      "  done",
      '  for step in "$@"; do',
      '    [ -L "$step" ] || continue',
      '    to=$(readlink "$step"); case $to in /*) ;; *) to=${step%/*}/$to ;; esac',
      '    which=all; [ "$step" != "$at" ] || which=$last',
      '    found=$(changer "$to" "$which" $((hops + 1)))',
      '    [ -z "$found" ] || { echo "$found"; exit; }',
      "  done",
      '  skip=; [ "$last" = all ] || skip=$at',
      // ls sorts: a directory comes before what is in it.
      `  LC_ALL=C ls -ldn -- "$@" 2>/dev/null | awk -v me=${connectedUid} -v skip="$skip" '${judge}'`,
      ")",
    ].join("\n"),
  );

/**
 * No intervals in expressions: mawk of before 2020 does not know them. With a POSIX ACL (`+`) the group's bits are the ACL's mask:
 * a user or group that the ACL names may write although the owning group is root's.
 */
const judge = `
    { name = $0; for (i = 0; i < 8; i++) sub(/^[^ ]+ +/, "", name)
      link = $1 ~ /^l/; if (link) sub(/ -> .*/, "", name)
      parent = name; sub("/[^/]*$", "", parent)
      if (name == skip && !link && !shared[parent]) next
      if ($3 != 0 && $3 != me) { print $3, name; exit }
      if (link) next
      if ($1 ~ /^d........[tT]/) { if (name == "/") name = ""; shared[name] = 1; next }
      if ($1 ~ /^.....w/ && $4 != 0) { print "group:" $4, name; exit }
      if ($1 ~ /^.....w.*[+]$/) { print "acl", name; exit }
      if ($1 ~ /^........w/) { print "all-users", name; exit } }`;

/** Ends the command with exit code 97 where another user can change the path. */
export const requireTrusted = (path: string, last: "all" | "parents", connectedUid: number): Command => sh`
${changerFunction(connectedUid)}
found=$(changer ${path} ${last} 0)
[ -z "$found" ] || { echo ${refusal} "$found" >&2; exit 97; }`;

export const refusal = "sluice: another user can change:";

/** The changer's words in what a command printed; undefined if it did not refuse. */
export function untrustedIn(stderr: string): Changer | undefined {
  const at = stderr.indexOf(refusal);
  return at < 0 ? undefined : parseChanger(stderr.slice(at + refusal.length));
}

export interface Changer {
  /** `user 107`, `group 50`, `every user`, `an entry of its ACL`. */
  readonly who: string;
  /** The step that can be replaced. */
  readonly step: string;
}

export function parseChanger(text: string): Changer | undefined {
  const match = /^\s*(\S+) (.+)/.exec(text);
  if (match === null) return undefined;
  const [, who = "", step = ""] = match;
  const group = /^group:(\d+)$/.exec(who)?.[1];
  if (group !== undefined) return { who: `group ${group}`, step };
  if (who === "all-users") return { who: "every user", step };
  if (who === "acl") return { who: "an entry of its ACL", step };
  return { who: who === "-" ? "a circle of symlinks" : `user ${who}`, step };
}

/** What is refused, and how the path is made safe. */
export function pathUnsafe(object: string, what: string, { who, step }: Changer): SluiceError {
  return new SluiceError({
    code: "STORAGE_PATH_UNSAFE",
    object,
    what: `${what}: ${who} can change ${step}`,
    found: `${step} can be changed by ${who.replace(/^(user|group) (\d+)$/, "$1 id $2")}`,
    needs:
      "a path whose every directory and symlink only root and the ssh user can change; root would follow whatever is put there",
    fix: who.startsWith("user ") ? `chown -h root: ${step}` : `chmod ${who === "every user" ? "o-w" : "g-w"} ${step}`,
  });
}
