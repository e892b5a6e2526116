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
  HOST_KEY_MISMATCH: "The host's key is not the pinned one.",
  HOST_OTHER_MACHINE: "The host shows the pinned key, but the object was created on another machine.",
  HOST_LOGIN_REFUSED: "The host refused the login: key, agent and password, as far as they are declared.",
  HOST_CONNECTION_LOST: "The connection to the host was cut and could not be restored in time.",
  HOST_SUDO_REFUSED: "The host's user cannot run `sudo` without a password.",
  HOST_LACKS_PROGRAM: "A program that is needed is not installed on the host.",
  HOST_DIAL_REFUSED: "The host could not open a connection to an address or socket.",

  COMMAND_FAILED: "A command on the host ended with an error.",

  LOCK_TAKEN: "Another run works on the same object and did not finish in time.",
  ENGINE_GONE: "The Pulumi engine that started this provider is gone; the work stopped at a step boundary.",
  STATE_NOT_CONVERGING: "The steps ran, and the object still differs from its declaration.",
  STATE_UNREADABLE: "`sluice status` could not read the stack's state through the Pulumi CLI.",
  STATE_TOO_NEW: "The stack was last changed by a newer version of pulumi-sluice.",
  OBJECT_ABSENT: "The object to read does not exist.",
  INTERNAL_ERROR: "An unexpected error: a bug in pulumi-sluice. The error carries the stack trace to report.",
  TIMEOUT_REACHED: "A wait reached its limit; the error says what was waited for and why it still waits.",

  OWNERSHIP_FOREIGN: "The object exists, and another resource or stack owns it.",
  OWNERSHIP_MARKER_UNREADABLE: "The file `sluice.json`, which names the owner of a directory, cannot be read.",
  OWNERSHIP_OTHER_STATE: "The object belongs to a resource of the same name in another Pulumi state.",
  OWNERSHIP_UNMARKED: "The object exists and has no mark of Sluice.",

  STORAGE_DIRECTORY_NOT_EMPTY: "The directory holds files that Sluice did not create.",
  STORAGE_KIND_DIFFERS: "The directory's file system is not of the declared kind.",
  STORAGE_FULL: "The file system ran out of space.",
  STORAGE_DATA_LINKED: "The data directory is a symlink; Sluice does not remove what it points to.",
  STORAGE_DATA_MISSING: "The server was seeded, and its data directory is missing.",
  STORAGE_NOT_MOUNTED: "The server's files are missing, and the file system that held them is not mounted.",
  STORAGE_DIRECTORY_UNREACHABLE: "The user that mysqld runs as has no permission to enter the directory.",
  STORAGE_PATH_UNSAFE: "Root would read, write or run something through a path that another user can change.",
  STORAGE_DIRECTORY_NESTED: "The directory is inside the directory or the data directory of another MySQL server.",
  STORAGE_DATA_FOREIGN: "The directory to adopt holds data that is not MySQL's.",

  SERVER_PORT_TAKEN: "Another process listens on the port, or another server of Sluice on the host has it.",
  SERVER_ID_TAKEN: "Another server of Sluice on the host has the declared server id.",
  SERVER_CONFINED: "AppArmor or SELinux denies mysqld its directory or its port.",
  SERVER_BINARY_MISSING: "No mysqld was found on the host, or it is too old.",
  SERVER_START_FAILED: "mysqld ended before it answered.",
  SERVER_NOT_ANSWERING: "mysqld runs, but does not answer as the intended user.",
  SERVER_STOP_TIMEOUT: "mysqld did not stop in time, and `allowKill` is false.",
  SERVER_LOGIN_REFUSED: "The server refused the user or the password.",
  SERVER_TLS_FAILED: "The TLS connection to the server that is declared could not be made.",
  SERVER_PRIVILEGE_MISSING: "The user lacks privileges.",
  SERVER_QUERY_FAILED: "A statement failed.",
  SERVER_LEFT_WRITABLE:
    "The server may be writable: super_read_only was lifted for a moment and could not be set back.",
  SERVER_OPTION_REJECTED: "mysqld does not know an option, or refuses its value.",
  SERVER_RUNNING_ELSEWHERE: "Another session or user changed the server while the step ran.",

  SOURCE_UNREACHABLE: "The source does not answer.",
  SOURCE_LOGIN_REFUSED: "The source refused the user or the password.",
  SOURCE_BINLOG_OFF: "The source writes no binary log.",
  SOURCE_GTID_OFF: "The source has gtid_mode off, and the channel is to start by GTID.",
  SOURCE_BINLOG_FORMAT: "The source's binlog_format is not ROW, and the channel has filters.",
  SOURCE_SERVER_ID_ZERO: "The source's server_id is 0.",
  SOURCE_TLS_FAILED: "No trusted TLS connection to the source could be made.",
  SOURCE_NOT_SUPPORTED: "The source's version or flavour does not support what is declared.",
  SOURCE_ROWS_INEXACT: "A dump would change values of rows, and `inexactRows` does not accept that.",
  SOURCE_BUSY: "Sessions of the source kept the dump from starting, or waited for it, so the dump was ended.",

  SEED_FILE_MISSING: "The backup file does not exist on the staging host.",
  SEED_FILE_CORRUPT: "The backup file cannot be decompressed or read as SQL to its end.",
  SEED_FILE_INCOMPLETE: "The backup file does not end like a complete dump.",
  SEED_FILE_NOT_FULL: "The backup file is not a full dump: a database is missing in it.",
  SEED_FAILED: "Seeding ended with an error.",
  SEED_POSITION_DOUBTFUL:
    "The dump's position is not certain: its GTID set is missing or unreadable, or the file holds dumps of different positions.",
  SEED_OTHER_REQUEST: "A seeding that was started for another declaration is still on the host.",
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
  CHANNEL_BEGINS_TOO_EARLY: "From the position in `start`, the replica would apply transactions a second time.",
  CHANNEL_REPLICA_DIFFERS:
    "The new socket or port of `replica` leads to another server than the one that has the channel.",
  CHANNEL_REPLICA_NOT_READY: "The replica lacks a setting that replication needs.",

  GTID_UNREADABLE: "A text is not a GTID set.",
  GTID_PURGED: "The source purged transactions that the replica has not executed.",
  GTID_DIVERGED: "The replica executed transactions that the source never had.",
} as const;

export type Code = keyof typeof codes;
