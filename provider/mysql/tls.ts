import { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import type { ServerAddress } from "./address";

/** What the driver takes, in Node's words. */
export interface DriverTls {
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized: boolean;
  verifyIdentity?: boolean;
}

/** Undefined for a connection that is not encrypted by MySQL: a unix socket, or `tls: "off"`. */
export function tlsOptions(server: ServerAddress): DriverTls | undefined {
  const tls = server.tls ?? "required";
  if (server.socket !== undefined || tls === "off") return undefined;
  if (tls === "required") return { rejectUnauthorized: false };
  return {
    ca: tls.ca,
    ...(tls.cert !== undefined && { cert: tls.cert }),
    ...(tls.key !== undefined && { key: tls.key }),
    rejectUnauthorized: true,
    verifyIdentity: tls.verifyIdentity ?? true,
  };
}

/**
 * Node compares a certificate with `servername`, which cannot be an IP address, and else with the `_host` of the stream
 * below (lib/_tls_wrap.js, onConnectSecure); without it an IP address would be checked as "localhost".
 */
export function nameStream(stream: Duplex, address: string): void {
  Object.assign(stream, { _host: address });
}

/** Node ignores a `ca` it cannot read and then trusts no certificate: report it here, before the server is blamed. */
export function certificateProblem(server: ServerAddress): { code: string; message: string } | undefined {
  if (typeof server.tls !== "object" || server.socket !== undefined) return undefined;
  for (const [name, pem] of [["tls.ca", server.tls.ca] as const, ["tls.cert", server.tls.cert] as const]) {
    if (pem !== undefined && !isCertificate(pem)) {
      return { code: "TLS_UNREADABLE", message: `${name} holds no certificate in PEM` };
    }
  }
  return undefined;
}

function isCertificate(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}
