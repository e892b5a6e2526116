import { asUserCommand, sh, type Command } from "../../../host/command";
import type { Client } from "../../instance/binaries";
import type { Instance } from "../../instance/instance";
import { groupsOf, initialSettings } from "../../instance/options";
import { unflushed } from "../../instance/data";
import { parseOptionFile, readSettings, renderOption, renderOptionFile } from "../../options/file";
import { parseAccount } from "../../privileges/privileges";
import { sql } from "../../sql";
import { ignoredFiles, ignoringOptions, type Ignored } from "../ignored";
import { jobFiles } from "../script";
import { namingProgram } from "../spread";

export const trialFiles = { naming: "name.pl", definers: "definers.sql" } as const;

/** Exit code of the script where a definition was refused; its log then names each of them. */
export const refusedCode = 20;

/**
 * What another server on this host uses, or what a server makes outside of its data directory: files of a keyring, listeners, the
 * statements that make our account.
 */
const notForTrial =
  /^(?:init_file|early_plugin_load|keyring.*|default_table_encryption|innodb_(?:redo|undo)_log_encrypt|binlog_encryption|innodb_directories|admin_.*|mysqlx.*)$/;

/** my.cnf of the staging database, because its settings decide what is accepted; but no network, no logs, little memory. */
export function trialOptions({ layout }: Pick<Instance, "layout">, optionText: string): string {
  const { lines } = parseOptionFile(optionText);
  const kept = lines.filter(
    (line) => line.kind !== "include" && (line.kind !== "option" || !notForTrial.test(line.name)),
  );
  const data = dataOf(layout);
  const own = {
    datadir: data,
    tmpdir: data,
    socket: `${data}/s`,
    pid_file: `${data}/pid`,
    log_error: `${data}/error.log`,
    skip_networking: true,
    loose_mysqlx: false,
    skip_log_bin: true,
    slow_query_log: false,
    general_log: false,
    event_scheduler: false,
    read_only: false,
    super_read_only: false,
    performance_schema: false,
    // Deleted when the trial ends.
    innodb_buffer_pool_size: "64M",
    loose_innodb_redo_log_capacity: "8M",
    innodb_flush_log_at_trx_commit: 0,
    innodb_doublewrite: "OFF",
    innodb_flush_method: "nosync",
    innodb_fast_shutdown: 2,
    // A table of MyISAM elsewhere would be made there.
    loose_symbolic_links: false,
  };
  const ours = Object.entries(own).map(([name, value]) => `${renderOption(name, value)}\n`);
  return `${renderOptionFile({ lines: kept })}\n[mysqld]\n${ours.join("")}`;
}

const dataOf = (layout: Instance["layout"]): string => `${layout.trial}/data`;

/**
 * What the staging database accepts by its own directories and keyring, and the trial must not touch: there the definitions are tried
 * without.
 */
function withoutPlaces(optionText: string, groups: readonly string[]): Command {
  const settings = readSettings(parseOptionFile(optionText), groups);
  const edits = [
    settings.has("innodb_directories") && "/^\\)|PARTITION /s/ (DATA|INDEX) DIRECTORY ?= ?'[^']*'//g",
    settings.has("early_plugin_load") && "/^\\)|^CREATE DATABASE /s/ENCRYPTION='Y'/ENCRYPTION='N'/",
  ].filter((edit) => edit !== false);
  return edits.length === 0 ? sh`cat` : sh`sed -E ${edits.flatMap((edit) => ["-e", edit])}`;
}

/** Before the views: a view on a view is refused (1449) while the other's definer is missing. The accounts are locked. */
export function definerStatements(definers: readonly string[]): string {
  const accounts = definers.map(parseAccount).filter(({ user }) => user !== "");
  return accounts
    .map(
      ({ user, host }) =>
        `${sql`CREATE USER IF NOT EXISTS ${user}@${host} IDENTIFIED BY RANDOM PASSWORD ACCOUNT LOCK`.text};\n${sql`GRANT SELECT, EXECUTE ON *.* TO ${user}@${host}`.text};\n`,
    )
    .join("");
}

const startSeconds = 300; // 1 s measured; as patient as other quick steps of a busy host

export interface TrialParts {
  readonly dump: Client;
  readonly mysql: Client;
  readonly databases: readonly string[];
  readonly ignored: Ignored;
  readonly optionText: string;
  /** Longest time for the dump, and for the load. */
  readonly withinSeconds: number;
}

/** Prints what was refused, one a line. Its server ends with it, and so does the server's data. */
export function trialScript(instance: Instance, parts: TrialParts): Command {
  const { layout, runtime, binaries } = instance;
  const { dump, mysql, databases, ignored, optionText, withinSeconds } = parts;
  const data = dataOf(layout);
  const groups = groupsOf(instance);
  // In a subshell: mysqld and its client never run as root. Redirections are made before.
  const asServer = (words: readonly string[]): Command => {
    const command = sh`exec ${words}`;
    return runtime.asRoot ? sh`(${asUserCommand(runtime.osUser, command)})` : sh`(${command})`;
  };
  const initialise = [
    binaries.mysqld,
    "--no-defaults",
    "--initialize-insecure",
    `--datadir=${data}`,
    ...unflushed,
    ...(binaries.baseDirectory === null ? [] : [`--basedir=${binaries.baseDirectory}`]),
    ...initialSettings(optionText, groups).map(([name, value]) => `--${name}=${value}`),
  ];
  const client = [mysql.path, "--no-defaults", "--user=root", "--protocol=socket", `--socket=${data}/s`];
  const limit = ["timeout", String(withinSeconds)];
  const load = asServer([
    ...limit,
    ...client,
    "--force",
    "--binary-mode",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
  ]);
  const own = runtime.asRoot ? sh`chown ${`${runtime.osUser}:`} "$data"` : sh`:`;
  const ignore = ignored.length === 0 ? sh`cat` : sh`perl ${ignoredFiles.program}`;
  return sh`
    data=${data}; server=
    mkdir "$data" && chmod 0750 "$data" && ${own} || exit
    trap '[ -z "$server" ] || { kill $server; wait $server; } 2>/dev/null; rm -rf -- "$data"' EXIT
    trap 'exit 1' TERM INT HUP
    ${asServer(initialise)} >server.out 2>&1 </dev/null || { tail -n 10 server.out; exit 1; }
    ${asServer([binaries.mysqld, `--defaults-file=${layout.trial}/my.cnf`])} >server.out 2>&1 </dev/null & server=$!
    tries=0
    until ${asServer([...client, "-e", "DO 0"])} >/dev/null 2>&1; do
      tries=$((tries + 1))
      kill -0 $server 2>/dev/null && [ $tries -lt ${startSeconds * 4} ] || { ${asServer(["cat", `${data}/error.log`])} 2>/dev/null >>server.out; grep -a ERROR server.out | tail -n 10 | grep . || tail -n 10 server.out; exit 1; }
      sleep 0.25
    done
    ${[...limit, dump.path, ...dumpOptions(ignored)]} -- ${databases} >dumped.sql 2>dump.err; dumped=$?
    [ $dumped != 124 ] || { echo mysqldump did not end within ${withinSeconds} s; exit 1; }
    { cat ${trialFiles.definers}; ${withoutPlaces(optionText, groups)} <dumped.sql | ${ignore}; } >definitions.sql || exit
    ${load} <definitions.sql >/dev/null 2>load.err; loaded=$?
    [ $loaded != 124 ] || { echo the definitions could not be loaded within ${withinSeconds} s; exit 1; }
    # The server itself gets the tables of time zones before it is seeded; this one has none (1298).
    { [ $dumped = 0 ] || grep -vE '^Warning|\[Warning\]' dump.err; perl ${trialFiles.naming} <definitions.sql; } | grep -v '^ERROR 1298 ' >refused
    [ -s refused ] || [ $loaded = 0 ] || grep -q '^ERROR 1298 ' load.err || cat load.err >refused
    [ ! -s refused ] || { head -n ${shownLines} refused; exit ${refusedCode}; }`;
}

const shownLines = 15; // of 20 that a job's log shows

/** Without a transaction and without LOCK TABLES: each statement holds the metadata of one table, for as long as it takes to read it. */
const dumpOptions = (ignored: Ignored): readonly string[] => [
  `--defaults-file=${jobFiles.sourceOptions}`,
  // Continues after an error, so that all are found at once.
  "--force",
  "--no-data",
  "--skip-lock-tables",
  "--set-gtid-purged=OFF",
  "--routines",
  "--triggers",
  "--events",
  "--no-tablespaces",
  "--skip-column-statistics",
  "--default-character-set=utf8mb4",
  ...ignoringOptions(ignored),
  "--databases",
];

/** Names the object of each error by the line of its statement. */
export const trialNaming = `use strict; use warnings;
${namingProgram}begin(0, "");
note(0) while <STDIN>;
open(my $log, "<", "load.err") or die "load.err: $!\\n";
while (<$log>) {
  next unless s/^(ERROR .*?) at line (\\d+)/$1/;
  my $object = objectAt(0, $2);
  chomp;
  print defined $object ? "$_ ($object)\\n" : "$_\\n";
}
`;
