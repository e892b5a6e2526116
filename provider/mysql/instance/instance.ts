import type { HostFacts } from "../../host/host";
import type { MysqlClient } from "../reader";
import type { Binaries } from "./binaries";
import type { Layout } from "./layout";

/** A managed server: what every function of this folder needs to know. Plain data. */
export interface Instance {
  /** What errors call it: `staging database orders@stage-1:3307`. */
  readonly object: string;
  /** `project/stack/name`; written into the unit, for administrators of the host. */
  readonly owner: string;
  readonly layout: Layout;
  readonly runtime: Runtime;
  readonly binaries: Binaries;
  readonly port: number;
  /** Upper limit of the server's memory, kept by the kernel. Only under systemd. */
  readonly memoryMaxBytes?: number | undefined;
}

/** Where a server is. This is enough to observe, stop and remove it: its programs may be missing on the host. */
export type InstancePlace = Pick<Instance, "object" | "layout" | "runtime" | "port">;

/** How a server is run on this host. */
export interface Runtime {
  /** The unix user mysqld runs as. */
  readonly osUser: string;
  /** The unix user our connection to the host has: the one that auth_socket lets in. */
  readonly connectedUser: string;
  /** Its number; absent in a state of an earlier version. */
  readonly connectedUid?: number | undefined;
  readonly supervisor: "systemd" | "process";
  /** Whether files and processes are handled as root. */
  readonly asRoot: boolean;
}

/** mysqld refuses to run as root; if we are root it runs as `mysql`, the user's name in every distribution. */
export const serverUser = "mysql";

export function runtimeOf(facts: HostFacts): Runtime {
  const asRoot = facts.canBecomeRoot;
  return {
    osUser: asRoot ? serverUser : facts.user,
    connectedUser: facts.user,
    connectedUid: facts.uid,
    supervisor: asRoot && facts.hasSystemd ? "systemd" : "process",
    asRoot,
  };
}

/** Runs a command as the user of mysqld: root does not touch files in directories of that user. */
export const asServer = ({ asRoot, osUser }: Runtime): { readonly asUser?: string } =>
  asRoot ? { asUser: osUser } : {};

/** Opens a connection as the management account, again: what was open before the server ended is of no use. */
export type Connect = () => Promise<MysqlClient>;
