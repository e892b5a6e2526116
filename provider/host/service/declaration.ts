import type { Command } from "../command";
import type { Timer } from "./timer";

/** Where a service is on its host. This is enough to observe, stop and remove it, also after its program was removed. */
export interface ServicePlace {
  /** The name of its unit without `.service`; unique on the host. */
  readonly name: string;
  readonly supervisor: "systemd" | "process";
  /** Whether its files and processes are handled as root. */
  readonly asRoot: boolean;
  /** The unix user it runs as. */
  readonly user: string;
  /** When it runs. Without a timer it runs all the time. */
  readonly timer?: Timer | undefined;
  /** A word of its command line that no other process has: the process may outlive its supervisor. */
  readonly knownBy: string;
  readonly files: SupervisorFiles;
}

/** Used if there is no systemd. */
export interface SupervisorFiles {
  /** The supervisor, a shell script, in a directory that only root or the connected user can change. */
  readonly script: string;
  /** The supervisor's process and what it does, in a directory of the service's user. */
  readonly state: string;
  /** What the service prints, in a directory of the service's user. */
  readonly output: string;
}

/** A program that is supervised on a host. Plain data: the same data is the same text of a unit or of a supervisor. */
export interface Service extends ServicePlace {
  /** Written into the files, for administrators of the host. */
  readonly owner: string;
  readonly description: string;
  /**
   * `notify`: the program tells systemd when it is ready. `oneshot`: it ends without a signal; a timed service must be
   * one.
   */
  readonly type: "notify" | "exec" | "oneshot";
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The only directories it may write to. */
  readonly writable: readonly string[];
  /** What it reads or runs elsewhere. Home and temporary directories are hidden from it unless one of these is there. */
  readonly reads: readonly string[];
  /** It starts after the file systems of these paths are mounted. */
  readonly mounts: readonly string[];
  /** Removed before each start. */
  readonly removesFirst?: { readonly paths: readonly string[]; readonly why: string };
  /** Without it a program that ended stays ended. */
  readonly restart?: Restart;
  /** Kept by the kernel, under systemd only. */
  readonly memoryMaxBytes?: number | undefined;
  /** Under systemd only. */
  readonly openFiles?: { readonly limit: number; readonly why: string };
  /** Under systemd only: a supervisor without systemd does not survive a reboot. */
  readonly startsWithMachine: boolean;
}

/** A program that ended with an error, or was killed, is started again. */
export interface Restart {
  readonly why: string;
  /** Exit codes that ask for another start. They do not count as a crash. */
  readonly wantedBy: readonly number[];
  /** Exit codes after which another start would end the same way. */
  readonly uselessAfter: readonly number[];
  /** A program that crashes more often is not started again, until an administrator starts it. */
  readonly crashLimit: { readonly times: number; readonly withinSeconds: number };
  /** The environment variable that tells the program of its supervisor. */
  readonly toldIn: string;
}

export interface ServiceFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** What runs of a service. */
export interface ServiceFacts {
  /** Its process is there; of a timed service: its timer runs. */
  readonly running: boolean;
  readonly pid: number | null;
  /** How the last process failed; null while one runs, before the first, and after one that succeeded. */
  readonly exit: string | null;
  /** Starts with the machine. */
  readonly enabled: boolean;
}

/** One way to supervise: systemd, or a shell script. */
export interface Supervision {
  /** The file of the service itself comes first. */
  render(service: Service): readonly ServiceFile[];
  /** Run by root where the service is handled as root, when files have changed. */
  readonly reload: Command;
  /** Run by `startsAs`. Does nothing while the service runs. */
  start(service: Service): Command;
  startsAs(place: ServicePlace): { readonly asRoot?: boolean; readonly asUser?: string };
  /** TERM, and no start with the machine. Does not wait. */
  stop(place: ServicePlace): Command;
  kill(place: ServicePlace): Command;
  /** Prints what `parseServiceLook` reads, and sets `pid`, which is 0 where no process runs. */
  look(place: ServicePlace): Command;
  /** Prints the end of what the service printed. */
  output(place: ServicePlace, lines: number): Command;
  remove(place: ServicePlace): Command;
}
