import type { TlsMode } from "../../address";
import type { ServerFacts } from "../../capabilities";
import type { ManagedService } from "../../managed-service";
import type { Account, Grants } from "../../privileges/privileges";

/** How the staging host reaches the source. */
export interface SourceAddress {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly tls: TlsMode;
}

/** Facts of a source, read before a seeding. No secret. */
export interface SeedSource {
  /** `db-1:3306` */
  readonly endpoint: string;
  readonly server: ServerFacts;
  readonly account: Account;
  readonly grants: Grants;
  readonly serverId: number;
  readonly serverUuid: string;
  readonly binlogOn: boolean;
  readonly gtidOn: boolean;
  /**
   * Whether performance_schema shows metadata locks. It is off on some managed services; 5.7 has it without the instrument that
   * metadata locks need.
   */
  readonly hasPerformanceSchema: boolean;
  /** Its user databases that the account can see. */
  readonly databases: readonly DatabaseFacts[];
  /** Tables that are not InnoDB's, as `shop.log (MyISAM)`. */
  readonly foreignTables: readonly SourceObject[];
  /** Columns whose values a dump rounds, as `shop.places.latitude`. */
  readonly floatColumns: readonly SourceObject[];
  /** Views and foreign keys that reach into another database. */
  readonly crossReferences: readonly CrossReference[];
  /** A user's table with the name of Sluice's table of marks. */
  readonly takenBooks: readonly SourceObject[];
  /** Null for a server that its owner administers. */
  readonly managedService: ManagedService | null;
  /** server_ids of the replicas that are connected; empty too if the account lacks the privilege. */
  readonly replicaIds: readonly number[];
  /** Active plugins that came from a library, by name. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
}

export interface SourceObject {
  readonly database: string;
  /** As errors name it. */
  readonly name: string;
}

export interface CrossReference extends SourceObject {
  /** The other database. */
  readonly needs: string;
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
