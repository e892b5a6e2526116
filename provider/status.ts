import type { Code } from "./error-codes";
import type { Problem } from "./errors";

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

/** A server as other objects see it. `endpoint` is always the same text for the same server. */
export interface ServerSeen {
  readonly endpoint: string;
  readonly version: string | null;
  readonly isReadOnly: boolean | null;
  readonly binlogFormat: string | null;
  readonly hasGtids: boolean | null;
  /** Why the server could not be asked; null if it was asked, or not tried. */
  readonly health: Health | null;
}

export interface Health {
  /** As declared: a channel that is declared stopped and is stopped is healthy. */
  readonly isWell: boolean;
  /** `running, lag 0 s`; `applier failed: a row of the source is already there on the replica (1062)`. */
  readonly words: string;
  /** The error's code (docs/errors.md), where an error is the reason. */
  readonly code?: Code | undefined;
  /** What the reader can do if it is not healthy. */
  readonly fix?: string | undefined;
}

/** Where nothing but the address is known. `health`: why. */
export const unseen = (endpoint: string, health: Health | null = null): ServerSeen => ({
  endpoint,
  version: null,
  isReadOnly: null,
  binlogFormat: null,
  hasGtids: null,
  health,
});

export const isUnseen = ({ version, isReadOnly, binlogFormat, hasGtids }: ServerSeen): boolean =>
  version === null && isReadOnly === null && binlogFormat === null && hasGtids === null;

/**
 * The health of an object that could not be read because of an error. `about`: the object under which the words are
 * printed.
 */
export const unwell = ({ object, what, code, fix }: Problem, about?: string): Health => ({
  isWell: false,
  words: object === about ? what : `${object}: ${what}`,
  code,
  fix,
});
