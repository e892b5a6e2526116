import type { Duplex } from "node:stream";
import type { Command } from "./command";

/** How a machine is reached: this one, or one behind ssh. */
export type HostAddress = "local" | SshAddress;

export interface SshAddress {
  readonly address: string;
  /** Default 22. */
  readonly port?: number | undefined;
  readonly user: string;
  /** The text of a private key (OpenSSH, PEM or PPK), not its path. Tried before agent and password. */
  readonly privateKey?: string | undefined;
  /** Opens `privateKey`. */
  readonly passphrase?: string | undefined;
  /** The socket of an ssh agent; true is the one of SSH_AUTH_SOCK. */
  readonly agent?: string | true | undefined;
  readonly password?: string | undefined;
  /** `SHA256:...` as `ssh-keygen -l` prints it, or a public key line. Several lines: each of them is right. */
  readonly hostKey?: string | undefined;
  /** Without `hostKey`: believe the first key the host shows, remember it, and insist on it from then on. */
  readonly trustOnFirstUse?: boolean | undefined;
  /** The host through which this one is reached. */
  readonly proxy?: SshAddress | undefined;
  /** May become root through `sudo -n`. Default true. */
  readonly sudo?: boolean | undefined;
  /** Seconds for connecting and logging in. Default 20: ssh2's own readyTimeout. */
  readonly connectSeconds?: number | undefined;
  /** Seconds between keepalives; three unanswered ones end the connection. Default 15: the example of ssh_config(5). */
  readonly keepaliveSeconds?: number | undefined;
}

/** What a finished command left behind. `stdout` and `stderr` are decoded as UTF-8, untrimmed. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Bytes for the command's standard input; secrets go here, never into the command. */
  readonly stdin?: string | Buffer;
  /** Run as root: through sudo where the ssh user is not root. Default false. */
  readonly asRoot?: boolean;
  /** Run as this user, which takes root if it is not the connected one. For files in directories of that user. */
  readonly asUser?: string | undefined;
  /**
   * Seconds until the command is ended on the host and TIMEOUT_REACHED thrown. Default 60: every longer work is a
   * detached job (job.ts). The limit covers the command, not the wait for a connection or a free session.
   */
  readonly withinSeconds?: number;
  /** Exit codes that are answers and not errors. Default [0]. */
  readonly accept?: readonly number[];
  /** Called with each chunk of standard output as it arrives; a repeated query calls it again from the start. */
  readonly onStdout?: (text: string) => void;
}

export interface FileOptions {
  /** Permission bits, for example 0o600. */
  readonly mode: number;
  /** `user:group`; needs root. Default: the user who writes. */
  readonly owner?: string;
  readonly asRoot?: boolean;
  /** Written by this user, into a directory of its own. */
  readonly asUser?: string | undefined;
}

export interface ReadOptions {
  readonly asRoot?: boolean;
  readonly asUser?: string | undefined;
}

/** What is at a path; a symlink is followed. `absent` has mode 0, empty names and no size. */
export interface PathFacts {
  readonly kind: "absent" | "file" | "directory" | "socket" | "other";
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
}

/** The machine, read once a connection. */
export interface HostFacts {
  /** The name errors use: the address for ssh, "local" for this machine. */
  readonly name: string;
  readonly user: string;
  readonly uid: number;
  /** True if `asRoot` works: the user is root, or sudo needs no password. */
  readonly canBecomeRoot: boolean;
  readonly hasSystemd: boolean;
  readonly kernel: string;
  readonly cores: number;
  readonly memoryBytes: number;
}

/** The reading half: all that `observe` may use. */
export interface HostReader {
  /** `root@stage-1:22`, or `local`; greppable, secret-free. */
  readonly name: string;
  /** Machine facts; read once and kept. */
  facts(): Promise<HostFacts>;
  /**
   * Runs a command that changes nothing, so it is repeated once when the connection is lost.
   * Throws COMMAND_FAILED with the last 20 lines of stderr.
   */
  query(command: Command, options?: RunOptions): Promise<CommandResult>;
  /** The file's text, or undefined if there is none. Root refuses a path that another user can change. */
  readFile(path: string, options?: ReadOptions): Promise<string | undefined>;
  inspect(path: string, options?: ReadOptions): Promise<PathFacts>;
  /**
   * A byte stream to an address as seen from the host, or to a unix socket on it, opened by the connected user (never
   * by root through sudo). Throws HOST_DIAL_REFUSED. The stream ends with `close` when the connection is lost.
   */
  dial(target: DialTarget): Promise<Duplex>;
}

/** `{ socketPath }` is a unix socket on the host; `{ address, port }` is reached from the host. */
export type DialTarget = { readonly socketPath: string } | { readonly address: string; readonly port: number };

/** The whole host. A lost connection is made again by the next call. */
export interface Host extends HostReader {
  /** Runs a command once. Throws HOST_CONNECTION_LOST if its result is unknown; the host then ends it. */
  run(command: Command, options?: RunOptions): Promise<CommandResult>;
  /**
   * Atomic: written next to the target with its final mode and owner, flushed, then renamed. Throws STORAGE_FULL, and
   * STORAGE_PATH_UNSAFE where root would write through a path that another user can change.
   */
  writeFile(path: string, content: string | Buffer, options: FileOptions): Promise<void>;
  /**
   * Holds the lock `name` on the host while `work` runs; the kernel frees it when this process or its connection dies.
   * A lost connection is made again and the lock taken again; `lost` is aborted (with the error as its reason) when
   * another holder may have changed what it protects in between. Throws LOCK_TAKEN.
   */
  withLock<T>(name: string, lock: LockOptions, work: (lost: AbortSignal) => Promise<T>): Promise<T>;
  /** Frees every lock and ends every command. The next call connects again. */
  close(): Promise<void>;
}

/** Any number of shared holders at once, or one exclusive holder. */
export type LockMode = "exclusive" | "shared";

/** How to wait for a lock that another run holds. */
export interface LockWait {
  /** Seconds to wait for another holder before LOCK_TAKEN. */
  readonly withinSeconds: number;
  /** Written into the lock file so that a waiting run can print the holder. No secret. */
  readonly holder: string;
  /** Called with a sentence while waiting. */
  readonly onWait?: (why: string) => void;
  /** Aborted: the wait for another holder ends at once with the signal's reason. It does not stop work that has started. */
  readonly signal?: AbortSignal | undefined;
}

export interface LockOptions extends LockWait {
  /** Default "exclusive". */
  readonly mode?: LockMode;
}
