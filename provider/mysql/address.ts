import { defaultPort, renderEndpoint } from "../endpoint";

/** How to reach one MySQL server, as seen from the host that its connection goes through. */
export interface ServerAddress {
  /** A unix socket on the host. Where it is given, address and port are only a name. */
  readonly socket?: string | undefined;
  /** Name or address, reached from the host. */
  readonly address?: string | undefined;
  /** @default 3306, MySQL's own */
  readonly port?: number | undefined;
  readonly user: string;
  /** Absent for accounts that the server knows by their unix user (auth_socket, unix_socket). */
  readonly password?: string | undefined;
  /** @default "required" for an address; a unix socket needs none */
  readonly tls?: TlsMode | undefined;
}

/**
 * - `"required"`: encrypted; the certificate is not verified.
 * - `"off"`: not encrypted between the host and the server.
 * - trust: encrypted, and the server's certificate is signed by this CA.
 */
export type TlsMode = "required" | "off" | TlsTrust;

export interface TlsTrust {
  /** The CA's certificates, PEM. */
  readonly ca: string;
  /** The client's certificate, PEM, for accounts that REQUIRE X509. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /**
   * Whether the certificate must be for `address`.
   * The certificates that mysqld creates automatically name no address: with those, set it to false.
   * @default true
   */
  readonly verifyIdentity?: boolean | undefined;
}

/** `repl@db-1:3306` or `root@/run/mysqld/mysqld.sock`: greppable, secret-free. */
export function renderServerAddress({
  user,
  socket,
  address = "localhost",
  port = defaultPort,
}: ServerAddress): string {
  return `${user}@${socket ?? renderEndpoint({ address, port })}`;
}
