import type { ServerFacts } from "../capabilities";
import { numberIn, textIn } from "../cells";
import { errnoOf } from "../fault/fault";
import { noGtids, parseGtidSet, type GtidSet } from "../gtid";
import type { MysqlReader } from "../reader";
import { sql } from "../sql";

/** What the source says about itself, asked as the channel's user, through the replica's host. */
export interface ChannelSource {
  readonly server: ServerFacts;
  readonly uuid: string;
  readonly serverId: number;
  readonly logsBinary: boolean;
  readonly binlogFormat: string;
  readonly isReadOnly: boolean;
  readonly gtidMode: string;
  readonly executed: GtidSet;
  readonly purged: GtidSet;
  /** SHOW GRANTS, roles that are on included. */
  readonly grants: readonly string[];
  /** `repl@%` */
  readonly account: string;
  /** The binary logs it keeps; null if not asked, or if the user has no privilege to see them. */
  readonly logs: readonly LogFile[] | null;
}

export interface LogFile {
  readonly name: string;
  readonly sizeBytes: bigint;
}

/** `withLogs`: the channel begins at a file and a position. */
export async function readChannelSource(mysql: MysqlReader, withLogs: boolean): Promise<ChannelSource> {
  if (mysql.server.flavour === "mariadb") return { ...nothingKnown, server: mysql.server };
  const [row, grants] = await Promise.all([
    mysql.queryRow(
      sql`SELECT @@GLOBAL.server_uuid AS uuid, @@GLOBAL.server_id AS serverId, @@GLOBAL.log_bin AS logsBinary,
        @@GLOBAL.binlog_format AS binlogFormat, @@GLOBAL.gtid_mode AS gtidMode, @@GLOBAL.gtid_executed AS executed,
        @@GLOBAL.gtid_purged AS purged, @@GLOBAL.read_only AS isReadOnly, CURRENT_USER() AS account`,
    ),
    mysql.query(sql`SHOW GRANTS`),
  ]);
  const logsBinary = numberIn(row, "logsBinary") === 1;
  return {
    server: mysql.server,
    uuid: textIn(row, "uuid"),
    serverId: numberIn(row, "serverId"),
    logsBinary,
    binlogFormat: textIn(row, "binlogFormat"),
    isReadOnly: numberIn(row, "isReadOnly") === 1,
    gtidMode: textIn(row, "gtidMode"),
    executed: parseGtidSet(textIn(row, "executed")),
    purged: parseGtidSet(textIn(row, "purged")),
    grants: grants.map((line) => String(Object.values(line)[0])),
    account: textIn(row, "account"),
    logs: withLogs && logsBinary ? await readLogs(mysql) : null,
  };
}

/** A MariaDB source is refused by its flavour; it lacks the other variables. */
const nothingKnown = {
  uuid: "",
  serverId: 0,
  logsBinary: false,
  binlogFormat: "",
  isReadOnly: false,
  gtidMode: "OFF",
  executed: noGtids,
  purged: noGtids,
  grants: [],
  account: "",
  logs: null,
};

async function readLogs(mysql: MysqlReader): Promise<readonly LogFile[] | null> {
  try {
    const rows = await mysql.query(sql`SHOW BINARY LOGS`);
    return rows.map((row) => ({ name: textIn(row, "Log_name"), sizeBytes: BigInt(textIn(row, "File_size")) }));
  } catch (error) {
    if (errnoOf(error) === 1227) return null; // REPLICATION CLIENT is needed for this, and not for following
    throw error;
  }
}
