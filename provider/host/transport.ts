import type { Duplex, Readable, Writable } from "node:stream";
import type { DialTarget } from "./host";

/** How a process ended. `lost`: the connection was cut, so its result is unknown. */
export type Ending =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "signalled"; readonly signal: string }
  | { readonly kind: "lost"; readonly why: string };

/** A process on the host. Both outputs must be read, or `ended` never settles. */
export interface HostProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process has ended and its output is complete. Never rejects. */
  readonly ended: Promise<Ending>;
  /** Closes the process's streams. What was started through `wrap` ends by that. */
  end(): void;
}

/** Which gate a process passes: short commands, or the one session that holds the locks. */
export type Lane = "command" | "lock";

/** All that differs between a host behind ssh and this machine. ShellHost makes a Host of it. */
export interface Transport {
  /** `root@stage-1:22` or `local`. */
  readonly name: string;
  /** The address alone, or `local`. */
  readonly address: string;
  /** False if the declaration forbids sudo. */
  readonly sudoAllowed: boolean;
  /** Seconds a lost connection may take to be made again. */
  readonly connectSeconds: number;
  start(argv: readonly string[], lane: Lane): Promise<HostProcess>;
  dial(target: DialTarget): Promise<Duplex>;
  close(): Promise<void>;
}
