import type { Role } from "./address.ts";
import type { RunOptions, RunResult } from "./run.ts";

/** The production-like MySQL server of a source host, with the account `sluice` for replication, dump and clone. */
export interface LabServer {
  readonly port: number;
  readonly user: string;
  /** File with the password and nothing else, mode 0600. */
  readonly passwordPath: string;
  /** The CA that signed the server's certificate, PEM. */
  readonly caPath: string;
  readonly serverId: number;
  /** Option file with address, user, password and CA for any MySQL client of this machine, mode 0600. */
  readonly optionFile: string;
}

export interface LabHost {
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly sshPort: number;
  /** Non-root with sudo without a password; `root` has the same key. */
  readonly user: string;
  readonly privateKeyPath: string;
  /** File with the password of `user`, mode 0600. */
  readonly sshPasswordPath: string;
  /** `SHA256:...`, what `ssh-keygen -lf` prints. */
  readonly hostKeyFingerprint: string;
  /** `ssh-ed25519 AAAA...` */
  readonly hostPublicKey: string;
  readonly mysql?: LabServer;
  isRunning(): Promise<boolean>;
  /** Runs a program inside the host as root, past ssh: it works with the network cut. */
  run(command: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** A power cut: every process of the host ends at once, nothing is stopped cleanly. */
  powerOff(): Promise<void>;
  /** Shuts down cleanly. */
  shutDown(): Promise<void>;
  /** Boots; returns when ssh lets `user` in and, on a source, MySQL answers. Does nothing when the host is up. */
  start(): Promise<void>;
  /** Every process is frozen; the network still accepts packets, but no process answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Pulls the network cable: packets vanish, connections hang. */
  cutNetwork(): Promise<void>;
  restoreNetwork(): Promise<void>;
}
