import type { ServerReach } from "./schema/connection";

/**
 * What an object is in the topology: a server, or a channel by which rows flow from one server into another.
 * Plain facts for `sluice status`; a fact that was not seen is null.
 */
export type Status = ServerStatus | ChannelStatus;

export interface ServerStatus {
  readonly is: "server";
  readonly server: ServerSeen;
  readonly health: Health;
}

export interface ChannelStatus {
  readonly is: "channel";
  readonly channel: string;
  readonly source: ServerSeen;
  readonly replica: ServerSeen;
  readonly lagSeconds: number | null;
  readonly health: Health;
}

/** A server as others see it. `endpoint` is the same text wherever the same server is meant. */
export interface ServerSeen {
  readonly endpoint: string;
  readonly version: string | null;
  readonly isReadOnly: boolean | null;
  readonly binlogFormat: string | null;
  readonly hasGtids: boolean | null;
}

export interface Health {
  /** As declared: a channel that is declared stopped and is stopped is well. */
  readonly isWell: boolean;
  /** `running, lag 0 s`; `applier-failed: 1062 duplicate key in billing.invoice`. */
  readonly words: string;
  /** What the reader can do where it is not well. */
  readonly fix?: string | undefined;
}

const loopback = /^(localhost|127(\.\d+){3}|::1)$/;

/** `address:port`; a server on its own host's loopback, or behind a socket there, is named by the host. */
export function endpointOf({ host, address, port = 3306 }: Pick<ServerReach, "host" | "address" | "port">): string {
  const hostName = typeof host === "object" ? host.address : "local";
  const name = address === undefined || loopback.test(address) ? hostName : address;
  return `${name}:${String(port)}`;
}

/** Where nothing but the address is known. */
export const unseen = (endpoint: string): ServerSeen => ({
  endpoint,
  version: null,
  isReadOnly: null,
  binlogFormat: null,
  hasGtids: null,
});
