/**
 * Every error there is, by code, with the sentence docs/errors.md prints.
 * A code is never reused. Prefixes group them: DECLARATION, HOST, COMMAND, SERVER, SOURCE, SEED, CHANNEL, GTID, STORAGE,
 * OWNERSHIP, LOCK, TIMEOUT, ENGINE, ARGUMENT, STATE, NODE.
 */
export const codes = {
  DECLARATION_INVALID: "A property of the program is missing, unknown, out of range, or contradicts another.",
  ARGUMENT_INVALID: "The command line of `sluice` holds an unknown word, or lacks a value.",

  NODE_TOO_OLD: "The Node that runs the program, the provider or the command is older than 22.12.",

  HOST_UNREACHABLE: "No ssh connection to the host could be made.",
  HOST_KEY_UNPINNED: "The host's key is not pinned; the error prints the fingerprint to pin.",
  HOST_KEY_MISMATCH: "The host showed another key than the pinned one.",
  HOST_OTHER_MACHINE: "The host shows the pinned key and is not the machine that the object was made on.",
  HOST_LOGIN_REFUSED: "The host accepted neither key, agent nor password.",
  HOST_CONNECTION_LOST: "The connection to the host was cut and could not be made again in time.",
  HOST_SUDO_REFUSED: "The user of the host may not become root without a password.",
  HOST_LACKS_PROGRAM: "A program that is needed is not installed on the host.",
  HOST_DIAL_REFUSED: "The host could not open a connection to an address or socket.",

  COMMAND_FAILED: "A command on the host ended with an error.",

  LOCK_TAKEN: "Another run works on the same object and did not finish in time.",
  ENGINE_GONE: "The Pulumi engine that started this provider is gone; the work stopped at a step boundary.",
  STATE_NOT_CONVERGING: "The steps ran, and the object still differs from its declaration.",
  STATE_UNREADABLE: "`sluice status` could not read the stack's state through the Pulumi CLI.",
  STATE_TOO_NEW: "The stack was last changed by a newer version of pulumi-sluice.",
  OBJECT_ABSENT: "The object that should be read does not exist.",
  INTERNAL_ERROR: "Something happened that pulumi-sluice does not know; the error carries the stack to report.",
  TIMEOUT_REACHED: "A wait reached its limit; the error says what was waited for and why it still waits.",

  OWNERSHIP_FOREIGN: "The object exists and belongs to another resource or stack.",
  OWNERSHIP_MARKER_UNREADABLE: "The file that says whose a directory is cannot be read.",
  OWNERSHIP_OTHER_STATE: "The object belongs to a resource of the same name in another Pulumi state.",
  OWNERSHIP_UNMARKED: "The object exists and carries no marker of Sluice.",

  STORAGE_DIRECTORY_NOT_EMPTY: "The directory holds files that are not ours.",
  STORAGE_KIND_DIFFERS: "The directory's file system is of another kind than the declared one.",
  STORAGE_FULL: "The file system ran out of space.",
  STORAGE_DATA_LINKED: "The data directory is a symbolic link: what it points to is not ours to remove.",
  STORAGE_DATA_MISSING: "The server was seeded, and its data is not there any more.",
  STORAGE_NOT_MOUNTED:
    "What was made is not in its directory, and the file system that it was on is not mounted there.",
  STORAGE_DIRECTORY_UNREACHABLE: "The user that mysqld runs as may not enter the directory.",
  STORAGE_PATH_UNSAFE: "Root would read, write or run something through a path that another user can change.",
  STORAGE_DIRECTORY_NESTED: "The directory lies inside the directory or the data of another MySQL server.",
  STORAGE_DATA_FOREIGN: "The directory that `adopt` names holds data that is not MySQL's.",

  SERVER_PORT_TAKEN: "Another process listens on the port.",
  SERVER_CONFINED: "AppArmor or SELinux denies mysqld its directory or its port.",
  SERVER_BINARY_MISSING: "No mysqld was found on the host, or it is too old.",
  SERVER_START_FAILED: "mysqld ended before it answered.",
  SERVER_NOT_ANSWERING: "mysqld runs, but does not answer as the intended user.",
  SERVER_STOP_TIMEOUT: "mysqld did not stop in time and may not be killed.",
  SERVER_LOGIN_REFUSED: "The server refused the user or the password.",
  SERVER_TLS_FAILED: "No TLS connection to the server could be made as it was asked for.",
  SERVER_PRIVILEGE_MISSING: "The user lacks privileges.",
  SERVER_QUERY_FAILED: "A statement failed.",
  SERVER_LEFT_WRITABLE:
    "The server may be writable: super_read_only was lifted for a moment and could not be set back.",
  SERVER_OPTION_REJECTED: "mysqld does not know an option, or refuses its value.",
  SERVER_RUNNING_ELSEWHERE: "The server's state was changed by somebody else.",

  SOURCE_UNREACHABLE: "The source does not answer.",
  SOURCE_LOGIN_REFUSED: "The source refused the user or the password.",
  SOURCE_BINLOG_OFF: "The source writes no binary log.",
  SOURCE_GTID_OFF: "The source writes no GTIDs, and the channel is to find its place by them.",
  SOURCE_BINLOG_FORMAT: "The source does not log rows, and the channel has filters.",
  SOURCE_SERVER_ID_ZERO: "The source's server_id is 0.",
  SOURCE_TLS_FAILED: "No trusted TLS connection to the source could be made.",
  SOURCE_NOT_SUPPORTED: "The source is of a version or flavour that cannot do what is asked.",
  SOURCE_ROWS_INEXACT:
    "A dump would bring rows with other values than the source has, and the program does not accept it.",
  SOURCE_BUSY: "Statements on the source leave no moment for a dump, or waited for it; the dump gave way.",

  SEED_FILE_MISSING: "The backup file does not exist on the staging host.",
  SEED_FILE_CORRUPT: "The backup file cannot be decompressed or read as SQL to its end.",
  SEED_FILE_INCOMPLETE: "The backup file does not end as a finished dump does.",
  SEED_FILE_NOT_FULL: "The backup file is no full dump: it holds no database of the declaration.",
  SEED_FAILED: "Seeding ended with an error.",
  SEED_POSITION_DOUBTFUL:
    "The moment of a dump is not certain: its GTID set is missing, cannot be read, or it holds dumps of different moments.",
  SEED_OTHER_REQUEST: "A seeding that was begun for another declaration is still on the host.",
  SEED_DATABASE_NEEDED: "Views or foreign keys of the declared databases need a database that is not declared.",
  SEED_DATABASE_MISSING: "A declared database does not exist on the source.",
  SEED_DEFINITION_REFUSED:
    "Objects of the source cannot be dumped, or the new server refuses them; a trial without rows found them.",
  SEED_IGNORED_TABLE: "`ignoreObjects` names a table.",

  CHANNEL_SETTINGS_REFUSED: "The replica refused the settings of the channel.",
  CHANNEL_RECEIVER_FAILED: "The receiver stopped on an error.",
  CHANNEL_APPLIER_FAILED: "The applier stopped on an error.",
  CHANNEL_SERVER_ID_EQUAL: "Source and replica have the same server id.",
  CHANNEL_SERVER_UUID_EQUAL: "Source and replica have the same server uuid.",
  CHANNEL_SOURCE_TAKEN: "The replica already follows the source through another channel.",
  CHANNEL_SOURCE_LOG_MISSING: "The source no longer has the binary log that is needed (error 1236).",
  CHANNEL_BEGINS_TOO_EARLY: "From the place that `start` names, the replica would apply rows a second time.",
  CHANNEL_REPLICA_DIFFERS:
    "Another socket or port of `replica` leads to another server than the one the channel is on.",
  CHANNEL_REPLICA_NOT_READY: "The replica lacks a setting that replication needs.",

  GTID_UNREADABLE: "A text is no GTID set.",
  GTID_PURGED: "The source purged transactions that the replica has not executed.",
  GTID_DIVERGED: "The replica executed transactions that the source never had.",
} as const;

export type Code = keyof typeof codes;
