import type { Code } from "./error-codes";
import type { Problem } from "./errors";

/**
 * An object in the topology of `sluice status`. The topology knows servers, lines below a server, and flows from one server into
 * another; the room says what its object is. A fact that was not seen is null.
 */
export interface Status {
  readonly shows: ServerShown | LineShown;
  readonly health: Health;
  /** The same facts for `--json`, by the room's own names. Keys are only ever added. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** The object is a server: its name and health stand on the server's line. */
export interface ServerShown {
  readonly server: ServerSeen;
}

/** The object has a line below a server. */
export interface LineShown {
  /** `channel`; its plural ends with an `s`. */
  readonly noun: string;
  /** May be empty, for the unnamed channel. */
  readonly name: string;
  readonly below: ServerSeen;
  /** Rows flow through the object into the server above the line; null if nothing flows. */
  readonly flow: Flow | null;
}

export interface Flow {
  readonly from: ServerSeen;
  readonly lagSeconds: number | null;
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
  /** `running, lag 0 s`; `applier failed: a row of the source already exists on the replica (1062)`. */
  readonly words: string;
  /** The error's code (docs/errors.md), if an error is the reason. */
  readonly code?: Code | undefined;
  /** What the reader can do if it is not healthy. */
  readonly fix?: string | undefined;
}

/** A server of which only the address is known. `health`: why. */
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
