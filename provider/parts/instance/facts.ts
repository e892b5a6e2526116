import { parseMarkFile } from "../../mark/file";
import type { Mark } from "../../mark/mark";
import type { SluiceError } from "../../errors";
import { accountsAsSeen } from "../../mysql/instance/accounts/accounts";
import type { Binaries } from "../../mysql/instance/binaries";
import type { Confinement } from "../../mysql/instance/confine/confinement";
import type { InstanceFacts } from "../../mysql/instance/facts";
import type { InitFile } from "../../mysql/instance/init-file";
import type { Runtime } from "../../mysql/instance/instance";
import type { InstanceRecord } from "../../mysql/instance/record";
import type { RunningFacts } from "../../mysql/instance/running";
import { isDrifted, isSameValue } from "../../mysql/options/variables";
import type { Observed, PlanContext } from "../../room";
import type { ServerReach } from "../../schema/connection";
import { notMounted, type Mount, type Unmounted } from "../../storage/mount";
import type { InstanceDeclaration } from "./schema";

/** What is remembered of a managed server. `Record`: what the resource's marks record. */
export interface InstanceSettled<Record extends InstanceRecord = InstanceRecord> {
  readonly directory: "absent" | "empty" | "ours" | "foreign files";
  readonly mark: Mark<Record> | null;
  readonly storageKind: string | null;
  /** The file system that the data is on, or would be. */
  readonly mount: Mount | null;
  /** The last ones seen, if mysqld is missing now; null if none were ever seen. */
  readonly binaries: Binaries | null;
  readonly runtime: Runtime | null;
  /** A data directory without a mark: `adopt` takes it over as it is. */
  readonly unclaimedData: boolean;
  /** The files and the process on the host; null before the directory is claimed. */
  readonly instance: SettledInstance | null;
  /** Facts of the server; while it is stopped those of its last run. */
  readonly server: RunningFacts | null;
}

export interface SettledInstance {
  readonly running: boolean;
  readonly data: InstanceFacts["data"];
  readonly dataLink: string | null;
  readonly optionText: string | null;
  readonly unitText: string | null;
  readonly init: InitFile | null;
  /** The server runs, and refuses its management account. */
  readonly refusesUs: boolean;
  /** Paths of root's that another user can change. Absent in a state of an earlier version. */
  readonly loose?: InstanceFacts["loose"];
}

/** What is true only at the moment of the observation. */
export interface InstanceLive {
  readonly strangers: readonly string[];
  readonly portListener: InstanceFacts["portListener"];
  readonly surroundings: InstanceFacts["surroundings"];
  /** Null if mysqld is neither to be started nor to listen on another port: nothing is read then. */
  readonly confinement: Confinement;
  /** Why there is no mysqld that could be started; null if there is one. */
  readonly binariesProblem: SluiceError | null;
  /** The server is missing, and so is the file system that held it. `settled` is then the stored observation. */
  readonly unmounted: Unmounted | null;
}

export type Seen = Observed<InstanceSettled, InstanceLive>;

export type Context = PlanContext<InstanceDeclaration, InstanceSettled>;

export const blankInstance: InstanceSettled<never> = {
  directory: "absent",
  mark: null,
  storageKind: null,
  mount: null,
  binaries: null,
  runtime: null,
  unclaimedData: false,
  instance: null,
  server: null,
};

/** In a state of version 1 owner, seal and record are side by side in the property `marker`. */
export const migrateInstance = ({ marker, ...settled }: Readonly<Record<string, unknown>>): object => ({
  ...settled,
  mark: marker == null ? null : parseMarkFile(JSON.stringify(marker), ""),
});

export const instanceExists = ({ directory }: Pick<InstanceSettled, "directory">): boolean => directory === "ours";

/** Why the server cannot be observed in its directory. */
export const unseenInstance = ({ live }: Seen, object: string): SluiceError | undefined =>
  live?.unmounted == null ? undefined : notMounted(object, live.unmounted);

/** As the management account of the server. */
export const serverOf = ({ host, socket, user, passwordFile, port }: InstanceDeclaration): ServerReach => ({
  host,
  socket,
  user,
  passwordFile,
  port,
});

export const instanceOutputs = ({ mark, server, storageKind }: InstanceSettled) => ({
  version: server?.version ?? null,
  serverUuid: server?.uuid ?? null,
  allocatedServerId: mark?.record.serverId ?? null,
  storageKind,
});

/** The observed settings, in the form of the declaration: a difference is drift. */
export function instanceAsDeclared(
  declared: InstanceDeclaration,
  { mark, instance, server }: InstanceSettled,
): Record<string, unknown> {
  const variables = server?.variables ?? {};
  const seen = (name: string, value: unknown) => {
    const variable = variableName(name);
    const drifted = isDrifted(variable, String(value), variables[variable], mark?.record.adjusted);
    return drifted ? variables[variable] : value;
  };
  const password = declared.rootPassword !== undefined && server !== null && !server.rootPasswordMatches;
  const sealed = variables["super_read_only"];
  return {
    state: instance?.running === true ? "running" : "stopped",
    config: Object.fromEntries(Object.entries(declared.config).map(([name, value]) => [name, seen(name, value)])),
    ...(sealed !== undefined &&
      !isSameValue("super_read_only", declared.readOnly ? "ON" : "OFF", sealed) && { readOnly: !declared.readOnly }),
    ...(password && { rootPassword: "(changed outside of Pulumi)" }),
    ...(server?.accounts !== undefined && { accounts: accountsAsSeen(declared.accounts, server.accounts) }),
  };
}

export const variableName = (option: string): string =>
  option
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/^loose_/, "");
