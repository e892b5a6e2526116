import type { ServerFacts } from "../../provider/mysql/capabilities";
import type { Binaries } from "../../provider/mysql/instance/binaries";
import type { Instance, Runtime } from "../../provider/mysql/instance/instance";
import { layoutOf } from "../../provider/mysql/instance/layout";
import type { SettledInstance } from "../../provider/parts/instance/facts";

export const sourceUuid = "11111111-1111-1111-1111-111111111111";
export const replicaUuid = "22222222-2222-2222-2222-222222222222";
export const otherUuid = "33333333-3333-3333-3333-333333333333";

export const mysql = { flavour: "mysql", version: "9.7.4" } as const satisfies ServerFacts;

export const asRoot: Runtime = { osUser: "mysql", connectedUser: "root", supervisor: "systemd", asRoot: true };
export const withoutRoot: Runtime = { osUser: "ana", connectedUser: "ana", supervisor: "process", asRoot: false };

/** A server on a host with root and systemd, of the version that Debian packages. */
export function instanceOf(changes: Partial<Instance> & { readonly directory?: string } = {}): Instance {
  const { directory = "/srv/mysql/orders", ...rest } = changes;
  return {
    object: "staging database orders@stage-1:3307",
    owner: "shop/dev/orders",
    layout: layoutOf(directory),
    runtime: asRoot,
    binaries: binariesOf(),
    port: 3307,
    ...rest,
  };
}

export function binariesOf(changes: Partial<Binaries> & { readonly version?: string } = {}): Binaries {
  const { version = mysql.version, ...rest } = changes;
  const server = { ...mysql, version };
  return {
    mysqld: "/usr/sbin/mysqld",
    server,
    baseDirectory: null,
    pluginDirectory: "/usr/lib/mysql/plugin",
    hasAuthSocket: true,
    hasClone: true,
    notifies: true,
    mysql: { path: "/usr/bin/mysql", server },
    mysqldump: { path: "/usr/bin/mysqldump", server },
    ...rest,
  };
}

/** A server that runs on data that is there, before its files were read. */
export const runningInstance: SettledInstance = {
  running: true,
  data: "ready",
  dataLink: null,
  optionText: null,
  unitText: null,
  init: null,
  refusesUs: false,
};
