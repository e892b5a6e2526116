import type { TlsMode } from "../address";
import type { ServerFacts } from "../capabilities";
import type { Account, Grants } from "../privileges";

/** How the staging host reaches the source. */
export interface SourceAddress {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly tls: TlsMode;
}

/** What matters about a source before anything is taken from it. No secret. */
export interface SourceFacts {
  /** `db-1:3306` */
  readonly endpoint: string;
  readonly server: ServerFacts;
  readonly account: Account;
  readonly grants: Grants;
  readonly serverId: number;
  readonly serverUuid: string;
  readonly binlogOn: boolean;
  readonly gtidOn: boolean;
  /** Off on some managed services: then metadata locks cannot be seen. */
  readonly hasPerformanceSchema: boolean;
  /** Its user databases that the account can see. */
  readonly databases: readonly DatabaseFacts[];
  /** Tables that are not InnoDB's, as `shop.log (MyISAM)`; the first ones. */
  readonly foreignTables: readonly string[];
  /** server_ids of the replicas that are connected; empty too where the account may not ask. */
  readonly replicaIds: readonly number[];
  /** Active plugins that came from a library, by name. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
}

export interface DatabaseFacts {
  readonly name: string;
  /** Rows and indexes as the server estimates them. */
  readonly bytes: number;
  /** Of it, rows: about what a dump has to carry. */
  readonly rowBytes: number;
}

/** Schemas of the server itself. */
export const systemDatabases = ["information_schema", "mysql", "performance_schema", "sys"];
/** Where we keep books on a server; it means nothing on another one. */
export const bookDatabase = "sluice";
