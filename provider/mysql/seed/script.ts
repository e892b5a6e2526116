import { type Command, sh } from "../../host/command";
import { ignoredFiles } from "./ignored";
import { plainLoad, spreadLoad } from "./spread";

/** How a seeding's script ended, as a code: no guess from its output. */
export const endings = {
  /** The dump program, or what decompresses the file. */
  readerFailed: 10,
  loaderFailed: 11,
  /** One of Sluice's own programs between them. */
  streamFailed: 12,
  cloneFailed: 13,
} as const;

/** Names of files in the job's directory; those that a seeding writes as `files` of the job are removed when it ends. */
export const jobFiles = {
  /** The lines of the stream that say what the dump is. */
  found: "found",
  before: "before.sql",
  after: "after.sql",
  sourceOptions: "source.cnf",
  sourceCa: "source-ca.pem",
  sourceCert: "source-cert.pem",
  sourceKey: "source-key.pem",
  targetOptions: "target.cnf",
  patterns: "patterns",
  filter: "filter.pl",
  clone: "clone.sql",
  progressQuery: "progress.sql",
} as const;

export interface LoadParts {
  /** The client program. */
  readonly mysql: string;
  /** Prints SQL. */
  readonly reader: Command;
  /** Counts compressed bytes: the reader itself says through `metered` which of its processes is asked. */
  readonly metersReader: boolean;
  /** Our own dump is spread over several sessions; a user's file passes the filter and stays one stream. */
  readonly isOurs: boolean;
  /** Whether objects are left out of our own dump (ignored.ts). */
  readonly ignores?: boolean | undefined;
}

/** One session that loads. binary-mode: no client command but DELIMITER is obeyed, and no byte is changed. 1G: the most a server takes. */
export const loadClient = (mysql: string): Command =>
  sh`${mysql} ${`--defaults-file=${jobFiles.targetOptions}`} --binary-mode --max-allowed-packet=1G`;

/**
 * Reads into the server what `reader` prints. Every process's exit code counts, so that a cut-off stream is never taken for
 * a whole one. Progress is what one process of the pipe has read.
 *
 *     reader | tee | filter | mysql
 *               `- grep > found
 *
 * `before.sql` and `after.sql` frame the load; the last makes what was loaded durable, so a job that succeeded stays so.
 */
export function loadScript({ mysql, reader, metersReader, isOurs, ignores = false }: LoadParts): Command {
  const client = sh`${mysql} ${`--defaults-file=${jobFiles.targetOptions}`}`;
  const tee = metersReader ? sh`tee pipe` : sh`metered tee pipe`;
  const filter = isOurs ? (ignores ? sh`perl ${ignoredFiles.program}` : sh`cat`) : sh`perl ${jobFiles.filter}`;
  const load = isOurs ? spreadLoad : plainLoad;
  return sh`
    ${runFunctions}
    ${client} <${jobFiles.before} 2>loader.err || fail loader ${endings.loaderFailed}
    rm -f pipe meter && mkfifo pipe || exit
    echo unfinished | tee reader.code tee.code filter.code >/dev/null
    ${ticker} & ticker=$!
    grep -aiE -f ${jobFiles.patterns} <pipe >${jobFiles.found} & scanner=$!
    { ${reader}; echo $? >reader.code; } 2>reader.err |
      { ${tee}; echo $? >tee.code; } 2>tee.err |
      { ${filter}; echo $? >filter.code; } 2>filter.err |
      ${load} 2>>loader.err
    loaded=$?
    wait $scanner; scanned=$?
    kill $ticker 2>/dev/null
    # A loader that ends early breaks the pipe, which says nothing; a reader that does leaves half a statement.
    [ $loaded = 0 ] || broke reader || fail loader ${endings.loaderFailed}
    [ "$(cat reader.code)" = 0 ] || fail reader ${endings.readerFailed}
    [ "$(cat tee.code)" = 0 ] || fail tee ${endings.streamFailed}
    [ "$(cat filter.code)" = 0 ] || fail filter ${endings.streamFailed}
    [ $scanned -le 1 ] || fail tee ${endings.streamFailed}
    ${client} <${jobFiles.after} 2>loader.err || fail loader ${endings.loaderFailed}`;
}

/** `metered` runs its words in a process whose number is in `meter`. */
const runFunctions = sh`
    metered() { sh -c 'echo $$ >meter; exec "$@"' meter "$@"; }
    # mysqldump's advice about GTIDs says nothing about what went wrong.
    said() { grep -vE '^Warning: A (partial )?dump from a server that has GTIDs|^In order to ensure a consistent backup|\[Warning\] Using a password' "$1.err" | tail -n 10; }
    fail() { said "$1" | grep . || tail -n 10 "$1.err"; exit "$2"; }
    broke() { [ "$(cat "$1.code")" != 0 ] && grep -vE '^Warning|\[Warning\]|errno 32|Broken pipe' "$1.err" | grep -q .; }`;

/** Once a second, for progress lines. Its last sleep must not hold the script's output open. */
const ticker = sh`
    ( while sleep 1; do
        n=$(sed -n 's/^rchar: //p' "/proc/$(cat meter)/io") && [ -n "$n" ] && echo "$n" >progress.new && mv -f progress.new progress
      done ) >/dev/null 2>&1`;

/**
 * CLONE ends with a restart of the server, which cuts our own connection: errors 2006 and 2013 are not failures here,
 * nor is 3707 (mysqld has no supervisor to restart it): Sluice's supervisors do. The result is in
 * performance_schema.clone_status.
 */
export function cloneScript(mysql: string): Command {
  const client = sh`${mysql} ${`--defaults-file=${jobFiles.targetOptions}`}`;
  return sh`
    ${runFunctions}
    ( while sleep 1; do
        ${client} --skip-column-names <${jobFiles.progressQuery} >progress.new && mv -f progress.new progress
      done ) 2>/dev/null & ticker=$!
    ${client} <${jobFiles.clone} 2>clone.err; cloned=$?
    kill $ticker 2>/dev/null
    [ $cloned = 0 ] || grep -qE '^ERROR (2006|2013|3707) ' clone.err || fail clone ${endings.cloneFailed}`;
}
