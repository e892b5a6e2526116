import type { Binaries } from "../../../../../provider/mysql/instance/binaries";
import type { Instance } from "../../../../../provider/mysql/instance/instance";
import { layoutOf } from "../../../../../provider/mysql/instance/layout";

/** A server on a host with root and systemd, of the version that Debian packages. */
export function instanceOf(changes: Partial<Instance> & { readonly directory?: string } = {}): Instance {
  const { directory = "/srv/mysql/orders", ...rest } = changes;
  return {
    object: "staging database orders@stage-1:3307",
    owner: "shop/dev/orders",
    layout: layoutOf(directory),
    runtime: { osUser: "mysql", connectedUser: "root", supervisor: "systemd", asRoot: true },
    binaries: binariesOf(),
    port: 3307,
    ...rest,
  };
}

export function binariesOf(changes: Partial<Binaries> & { readonly version?: string } = {}): Binaries {
  const { version = "9.7.4", ...rest } = changes;
  const server = { flavour: "mysql", version } as const;
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
