import type { ServerReach } from "./schema/connection";

/** MySQL's registered port. */
export const defaultPort = 3306;

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The one text of an address and a port: `db-1:3306`, `[2001:db8::1]:3306`. It is in marks of hosts, so it never changes. */
export const renderEndpoint = ({ address, port }: Endpoint): string =>
  `${address.includes(":") ? `[${address}]` : address}:${String(port)}`;

const loopback = /^(localhost|127(\.\d+){3}|::1)$/;

/** The same text wherever the same server is meant: a server on the loopback of its host, or behind a socket there, is named by the host. */
export function endpointOf({
  host,
  address,
  port = defaultPort,
}: Pick<ServerReach, "host" | "address" | "port">): string {
  const hostName = typeof host === "object" ? host.address : "local";
  return renderEndpoint({ address: address === undefined || loopback.test(address) ? hostName : address, port });
}
