/** The lab's source, reached as users do: through ssh, as root without a password on its socket, over TCP from the staging host. */
import { readFile } from "node:fs/promises";
import type { LabHost } from "../../lab/index.ts";
import type { Host } from "../../provider/host/host";
import { borrowHost } from "../../provider/host/pool";
import type { ServerAddress } from "../../provider/mysql/address";
import { requireLab } from "../harness/lab";

export interface SourceInLab {
  /** The source's own host, as root. */
  readonly host: Host;
  /** The same host as the ssh user `sluice`. */
  readonly hostAsSluice: Host;
  /** Another host, from which the source is a name on the network. */
  readonly staging: Host;
  readonly socket: string;
  readonly root: ServerAddress;
  /** Over TCP, with a password; TLS by default. */
  readonly tcp: ServerAddress;
  /** PEM of the authority that signed the source's certificate. */
  readonly ca: string;
}

export async function sourceInLab(): Promise<SourceInLab> {
  const lab = await requireLab();
  const source = lab.host("source");
  if (source.mysql === undefined) throw new Error("the lab's source has no MySQL");
  const socket = "/run/mysqld/mysqld.sock"; // Debian's, which the lab's source uses
  return {
    host: await hostOf(source, "root"),
    hostAsSluice: await hostOf(source, "sluice"),
    staging: await hostOf(lab.host("staging"), "sluice"),
    socket,
    root: { socket, user: "root" },
    tcp: {
      address: source.address,
      port: source.mysql.port,
      user: source.mysql.user,
      password: (await readFile(source.mysql.passwordPath, "utf8")).trim(),
    },
    ca: await readFile(source.mysql.caPath, "utf8"),
  };
}

async function hostOf(host: LabHost, user: string): Promise<Host> {
  const privateKey = await readFile(host.privateKeyPath, "utf8");
  return borrowHost({ address: host.address, user, privateKey, hostKey: host.hostPublicKey }).host;
}
