import type { Code } from "../../provider/error-codes";
import { oldestVersions } from "../../provider/mysql/capabilities";

/** Texts of a reference page that are in neither schema nor plan. */
export interface RoomText {
  readonly kind: string;
  /** The room's folder and the page's name. */
  readonly folder: string;
  /** In the order in which they are checked; the first that is not met is the error. */
  readonly requirements: readonly Requirement[];
  /** Related tasks, each with a title. */
  readonly recipes?: readonly { readonly title: string; readonly text: string }[];
  readonly removes: string;
  /** A declaration whose preview is shown. */
  readonly sample: Readonly<Record<string, unknown>>;
}

export interface Requirement {
  readonly needs: string;
  readonly code: Code;
}

const source = { address: "db-prod-1", port: 3306, user: "sluice", password: "not shown" };
const host = { address: "stage-1", user: "sluice", hostKey: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" };

export const roomTexts: readonly RoomText[] = [
  {
    kind: "StagingDatabase",
    folder: "staging-database",
    requirements: [
      { needs: "The declaration is valid. Checked in `preview`, without the network.", code: "DECLARATION_INVALID" },
      { needs: "The host answers, shows the pinned key and accepts the login.", code: "HOST_UNREACHABLE" },
      { needs: "No other run works on the same directory.", code: "LOCK_TAKEN" },
      { needs: "If the directory is missing: its file system is mounted.", code: "STORAGE_NOT_MOUNTED" },
      { needs: "No other resource owns the directory.", code: "OWNERSHIP_FOREIGN" },
      { needs: "The directory is absent, empty, or owned by this resource.", code: "STORAGE_DIRECTORY_NOT_EMPTY" },
      { needs: "The port is free.", code: "SERVER_PORT_TAKEN" },
      { needs: "The file system is of the declared `storage`.", code: "STORAGE_KIND_DIFFERS" },
      {
        needs: `mysqld is installed on the host, ${oldestVersions.managed} or newer. Not needed to stop, refresh or remove a server.`,
        code: "SERVER_BINARY_MISSING",
      },
      { needs: "To seed: the source answers and accepts the login, over TLS as declared.", code: "SOURCE_UNREACHABLE" },
      { needs: "To seed: the source's version fits the method.", code: "SOURCE_NOT_SUPPORTED" },
      { needs: "To seed: the source writes a binary log.", code: "SOURCE_BINLOG_OFF" },
      { needs: "To seed: the source's server_id is not 0.", code: "SOURCE_SERVER_ID_ZERO" },
      {
        needs: "To seed: the user has the privileges; the error prints the missing GRANT.",
        code: "SERVER_PRIVILEGE_MISSING",
      },
      { needs: "To seed by dump: every declared database exists on the source.", code: "SEED_DATABASE_MISSING" },
      { needs: "To seed by dump: views and foreign keys need no other database.", code: "SEED_DATABASE_NEEDED" },
      { needs: "To seed by dump: all rows arrive exactly, or `inexactRows` accepts it.", code: "SOURCE_ROWS_INEXACT" },
      { needs: "To seed by dump: no session of the source holds its tables for long.", code: "SOURCE_BUSY" },
      { needs: "To seed by dump: `ignoreObjects` names no table.", code: "SEED_IGNORED_TABLE" },
      {
        needs: "To seed by dump: an empty server with the same settings accepts every definition.",
        code: "SEED_DEFINITION_REFUSED",
      },
    ],
    recipes: [
      {
        title: "A backup file for `seed: { file }`",
        text: `Made by mysqldump, for a list of databases:

    mysqldump --host=db1.example.net --user=sluice --password --single-transaction --source-data=2 --set-gtid-purged=ON \\
      --routines --triggers --events --hex-blob --databases shop analytics | zstd >/backup/full.sql.zst

* \`--set-gtid-purged=ON --source-data=2\` write the position into the file; a channel starts there. If the source has
* gtid_mode off, leave out \`--set-gtid-purged=ON\`. \`--databases\` (or \`--all-databases\`) makes the file create its
* databases. One file, from one run: concatenated files of several runs have several positions. The file is on the
* staging host, as \`.sql\`, \`.sql.gz\` or \`.sql.zst\`, readable by root. If \`databases\` is not \`"ALL"\`, the file
* must hold those databases.`,
      },
      {
        title: "Related tasks",
        text: "Log in, create accounts, protect the data, fill the server by hand, clean up: [day to day](../operations.md). What the user of the source must be granted: [privileges](../privileges.md).",
      },
    ],
    removes:
      "`pulumi destroy` stops the server, ends a seeding, and removes the systemd unit and everything that Sluice created in the directory: **all data of the staging database**. Foreign files stay. A file system that is mounted at `data` is emptied and stays mounted. If `data` is a symlink, nothing is removed until the link is (`STORAGE_DATA_LINKED`). The mark is removed last, so an interrupted removal continues with the next run.\nThe source is not touched. A directory with another owner's mark is left alone too.",
    sample: { host, directory: "/srv/mysql/orders", port: 3307, source, databases: ["orders"] },
  },
  {
    kind: "ReplicationChannel",
    folder: "replication-channel",
    requirements: [
      { needs: "The declaration is valid. Checked in `preview`, without the network.", code: "DECLARATION_INVALID" },
      { needs: "The replica answers as the declared user.", code: "SERVER_NOT_ANSWERING" },
      { needs: "A changed socket or port of the replica leads to the same server.", code: "CHANNEL_REPLICA_DIFFERS" },
      { needs: "No other resource owns the channel of this name.", code: "OWNERSHIP_FOREIGN" },
      {
        needs: "If a channel of this name exists without a mark of Sluice: `adopt: true`.",
        code: "OWNERSHIP_UNMARKED",
      },
      {
        needs: "The source answers through the replica's host and accepts the login, over TLS as declared.",
        code: "SOURCE_UNREACHABLE",
      },
      {
        needs: `The replica is MySQL or Percona Server, ${oldestVersions.replica} or newer.`,
        code: "CHANNEL_REPLICA_NOT_READY",
      },
      { needs: "The replica is of the source's kind and not older than it.", code: "SOURCE_NOT_SUPPORTED" },
      { needs: "The source writes a binary log.", code: "SOURCE_BINLOG_OFF" },
      { needs: "The source's server_id is not 0.", code: "SOURCE_SERVER_ID_ZERO" },
      { needs: "Source and replica have different server uuids.", code: "CHANNEL_SERVER_UUID_EQUAL" },
      { needs: "Source and replica have different server ids.", code: "CHANNEL_SERVER_ID_EQUAL" },
      { needs: "No other channel of the replica follows the same source.", code: "CHANNEL_SOURCE_TAKEN" },
      { needs: "The user may follow the source; the error prints the GRANT.", code: "SERVER_PRIVILEGE_MISSING" },
      { needs: "By GTID: the source has gtid_mode on.", code: "SOURCE_GTID_OFF" },
      {
        needs: "By GTID: the source still has the transactions that the replica has not executed.",
        code: "GTID_PURGED",
      },
      { needs: "By GTID: the replica has no errant transactions.", code: "GTID_DIVERGED" },
      {
        needs: "By file and position: the source still has that file, and has written that position.",
        code: "CHANNEL_SOURCE_LOG_MISSING",
      },
      {
        needs: "By file and position: no earlier channel has applied transactions after that position.",
        code: "CHANNEL_BEGINS_TOO_EARLY",
      },
      { needs: "With filters: the source has binlog_format ROW.", code: "SOURCE_BINLOG_FORMAT" },
    ],
    removes:
      "`pulumi destroy` stops the channel and removes its settings, position, relay logs, filters and mark.\nFor a channel by file and position one row stays in the replica, in `sluice.ownership`: the position it reached. A channel of the same name continues there, so that no row is applied twice. The row is deleted with the replica's data.\n**The data that arrived stays.** The source is not touched.\nA channel whose `replica` is the `server` of a StagingDatabase that is destroyed in the same run is removed with that server's data, and is not stopped before (Pulumi's `deletedWith`, which the class sets; `deletedWith: undefined` unsets it). So a stack whose server is stopped can be destroyed.",
    sample: {
      replica: {
        host,
        socket: "/srv/mysql/orders/run/mysqld.sock",
        port: 3307,
        user: "sluice",
        holds: { databases: ["orders"], accounts: false },
      },
      channel: "orders",
      source,
    },
  },
];
