import { createHash } from "node:crypto";
import { posix } from "node:path";
import { Command, sh } from "../command";

/** Where a job's files are: `directory` exists already, `name` is created in it with mode 0700. */
export interface JobPlace {
  readonly directory: string;
  /** Lower-case letters, digits and `-`. */
  readonly name: string;
  readonly asRoot?: boolean;
}

export function pathOf({ directory, name }: JobPlace): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) throw new RangeError(`a job's name must be of a-z, 0-9 and "-": ${name}`);
  return posix.join(directory, name);
}

/** The same job has the same unit, so systemd itself refuses to run it twice. */
export const unitOf = (place: JobPlace): string =>
  `sluice-job-${place.name}-${createHash("sha256").update(pathOf(place)).digest("hex").slice(0, 12)}`;

/** Distinguishes a process from a later one of the same number and from its own zombie; Linux, else what `ps` knows. */
const birth =
  'birth() { if [ -e /proc/self/stat ]; then sed -n "s/.*) \\([^Z]\\) /\\1 /p" "/proc/$1/stat" 2>/dev/null | cut -d" " -f20; else ps -o lstart= -p "$1" | tr " " _; fi; }';
const boot = "boot() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.boottime | tr ' ' _; }";
const now = "now() { date -u +%Y-%m-%dT%H:%M:%SZ; }";

/**
 * Runs `script` in the directory $1 and leaves its exit code; the other words are files that only live as long as it.
 * `started` is the claim: a hard link is either created, with its whole text, or exists already. TERM is for the script.
 */
const runner = [
  birth,
  boot,
  now,
  'LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" SLUICE_JOB=$1; export LC_ALL PATH SLUICE_JOB; umask 077',
  'cd "$1" || exit; shift; exec 8<>ready',
  'echo "$$ $(birth $$) $(boot) $(now) $unit" >started.$$ && ln started.$$ started 2>/dev/null; mine=$?',
  "rm -f started.$$; echo >&8; exec 8>&-; [ $mine = 0 ] || exit 0",
  "trap : TERM INT HUP",
  "sh ./script >log 2>&1 </dev/null; code=$?",
  'rm -f -- "$@"',
  // The file system may be full: then the reserve makes room for the result.
  '{ echo "$code $(now)" >status.new || { rm -f reserve; echo "$code $(now)" >status.new; }; } 2>/dev/null',
  "sync status.new 2>/dev/null || sync; mv -f status.new status",
].join("\n");

const reserveBytes = 65_536; // a block of every file system we know, several times over

export function prepareCommand(place: JobPlace, asUser: string | undefined): Command {
  const path = pathOf(place);
  const own = asUser === undefined ? sh`:` : sh`chown -R ${`${asUser}:`} ${path}`;
  return new Command(
    [
      sh`mkdir -m 700 ${path} 2>/dev/null; cd ${path} || exit; umask 077`.text,
      sh`head -c ${reserveBytes} /dev/zero >reserve && { [ -p ready ] || mkfifo ready 2>/dev/null || [ -p ready ]; } && ${own}`
        .text,
    ].join("\n"),
  );
}

export interface Launch {
  readonly place: JobPlace;
  readonly withSystemd: boolean;
  readonly asUser: string | undefined;
  readonly memoryMaxBytes: number | undefined;
  readonly fileNames: readonly string[];
}

/** Starts the runner outside our session, so that it outlives us, and waits until it reports that it runs. */
export function launchCommand({ place, withSystemd, asUser, memoryMaxBytes, fileNames }: Launch): Command {
  const path = pathOf(place);
  const unit = withSystemd ? unitOf(place) : "-";
  const words = ["sh", "-c", `unit=${unit}\n${runner}`, "sluice-job", path, ...fileNames];
  const start = withSystemd
    ? sh`systemd-run ${unitOptions(unit, path, asUser, memoryMaxBytes)} -- ${words.map(escapeVariables)} 8>&-`
    : sh`${asUser === undefined ? [] : ["runuser", "-u", asUser, "--"]} $session ${words} </dev/null >/dev/null 2>&1 8>&- &`;
  return new Command(
    [
      "if command -v setsid >/dev/null; then session=setsid",
      "else session='perl -MPOSIX -e POSIX::setsid;exec(@ARGV)'; fi",
      sh`exec 8<>${posix.join(path, "ready")}`.text,
      `${start.text}${withSystemd ? " || exit" : ""}`,
      "read -r _ <&8",
    ].join("\n"),
  );
}

/** The service manager expands variables in the words of a command, and makes one $ of two. */
const escapeVariables = (word: string): string => word.replaceAll("$", "$$$$");

function unitOptions(
  unit: string,
  path: string,
  asUser: string | undefined,
  memoryMaxBytes: number | undefined,
): string[] {
  return [
    "--quiet",
    "--collect",
    `--unit=${unit}`,
    `--description=Sluice job ${path}`,
    "--property=KillMode=control-group",
    ...(asUser === undefined ? [] : [`--uid=${asUser}`]),
    ...(memoryMaxBytes === undefined ? [] : [`--property=MemoryMax=${memoryMaxBytes}`]),
  ];
}

/** `members` lists every process of the job: of its unit, else of the session its runner leads. */
const lookAt = (path: string): string =>
  [
    birth,
    boot,
    sh`cd ${path} 2>/dev/null || { [ ! -e ${path} ]; exit; }`.text,
    "read -r pid born booted at unit 2>/dev/null <started",
    'alive() { [ -n "$pid" ] && [ "$booted" = "$(boot)" ] && [ "$(birth "$pid")" = "$born" ]; }',
    'members() { [ -n "$pid" ] && [ "$booted" = "$(boot)" ] || return',
    'if [ "$unit" != - ]; then case $(systemctl show -p ActiveState --value "$unit") in inactive | failed) ;; *) echo "$unit" ;; esac',
    "elif [ -e /proc/self/stat ]; then",
    'sed "s/^\\([0-9]*\\) .*) [^Z] [0-9]* [0-9]* \\([0-9]*\\) .*/\\1 \\2/" /proc/[0-9]*/stat 2>/dev/null | while read -r p s; do [ "$s" = "$pid" ] && echo "$p"; done',
    'else ps -axo pid=,sess= | while read -r p s; do [ "$s" = "$pid" ] && echo "$p"; done; fi; }',
  ].join("\n");

/** Tail of a log that fits on a screen and never floods an error: 20 lines (shell-host.ts), 8 KiB. */
const tails = [
  "echo progress:",
  "head -c 4096 progress 2>/dev/null",
  "echo",
  "echo log:",
  "tail -c 8192 log 2>/dev/null | tail -n 20",
];

export const readCommand = (place: JobPlace): Command =>
  new Command(
    [
      lookAt(pathOf(place)),
      // In this order: a job that ends in between has written its status before it ends.
      'alive && is=alive || is=gone; read -r code ended 2>/dev/null <status; read -r purpose 2>/dev/null <purpose; echo "$is ${at:--} ${code:--} ${ended:--} ${purpose:--}"',
      ...tails,
    ].join("\n"),
  );

/** Exit code 0 when nothing of the job is left. */
export const signalCommand = (place: JobPlace, signal: "TERM" | "KILL" | "0"): Command =>
  new Command(
    [
      lookAt(pathOf(place)),
      'left=$(members); [ -n "$left" ] || exit 0',
      signal === "0"
        ? "exit 9"
        : sh`if [ "$unit" != - ]; then systemctl kill ${`--signal=${signal}`} "$unit"; else kill ${`-${signal}`} $left; fi`
            .text,
      "exit 9",
    ].join("\n"),
  );

export const forgetCommand = (place: JobPlace): Command => sh`rm -rf -- ${pathOf(place)}`;
