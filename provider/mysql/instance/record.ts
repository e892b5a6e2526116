import type { Confined } from "./confine/confine";
import type { Adjusted } from "../options/variables";

/** What the mark of a managed server records of it, whatever resource made it. */
export interface InstanceRecord {
  readonly directory: string;
  /** `complete`: all data of its making is in, and it is configured as declared. */
  readonly phase: "claimed" | "complete";
  readonly serverId: number;
  /** Settings of the source that data and replication depend on. */
  readonly sourceVariables: Readonly<Record<string, string>>;
  /** We set the password of root@localhost, or were about to. */
  readonly hasRootPassword: boolean;
  /** The server has tables of time zones. Absent if an older version made it. */
  readonly hasTimeZones?: boolean;
  /** What was changed in AppArmor's or SELinux's policy for it. */
  readonly confined?: Confined;
  /** By variable: what the server made of a value that it does not take as it is. */
  readonly adjusted?: Readonly<Record<string, Adjusted>>;
}
