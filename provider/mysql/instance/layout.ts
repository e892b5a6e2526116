import { createHash } from "node:crypto";
import { posix } from "node:path";
import { unitFileOf } from "../../host/service/systemd";

/** The account that the server's owner works with; it exists on this machine only. */
export const managementAccount = "sluice";

/** The job that fills the server. */
export const seedJob = "seed";

/** The job that tries the source's definitions before data is deleted for them. */
export const trialJob = "trial";

/** Every path of a managed server. All but the unit's file are below one directory. */
export interface Layout {
  readonly directory: string;
  /** Who owns the directory; written first, removed last. */
  readonly mark: string;
  readonly optionFile: string;
  /** A new option file until mysqld has accepted it. */
  readonly optionDraft: string;
  /** Statements that mysqld runs before it answers anybody. */
  readonly initFile: string;
  /** Option file (0600) with the management account's password, where the server has no auth_socket. */
  readonly accountFile: string;
  readonly data: string;
  /** Where a data directory is made; renamed when it is whole. */
  readonly dataInitialising: string;
  readonly run: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly log: string;
  readonly errorLog: string;
  /** What mysqld prints before its error log is open. */
  readonly startLog: string;
  readonly tmp: string;
  /** A temporary server on which definitions are tried. */
  readonly trial: string;
  /** One directory for each job: seeding, and the trial before it. */
  readonly job: string;
  readonly tls: string;
  /** Option files of channels: filters, which mysqld keeps only as start options. my.cnf includes them. */
  readonly optionDirectory: string;
  /** `sluice-mysql-orders-1f0c9a2b` */
  readonly unitName: string;
  readonly unitFile: string;
  /** Keeps mysqld running if there is no systemd. */
  readonly supervisorFile: string;
  /** The supervisor's process and the moment it began. */
  readonly supervisorState: string;
  /** Of a private boot: the only way in. No longer than `socket`, which must fit into a unix address. */
  readonly privateSocket: string;
  /** The same three of a private boot, if there is no systemd. */
  readonly privateSupervisorFile: string;
  readonly privateSupervisorState: string;
  readonly privateStartLog: string;
}

export function layoutOf(directory: string): Layout {
  const root = posix.normalize(directory).replace(/(?<=.)\/+$/, "");
  const below = (...parts: readonly string[]) => posix.join(root, ...parts);
  const unitName = unitNameOf(root);
  return {
    directory: root,
    mark: below("sluice.json"),
    optionFile: below("my.cnf"),
    optionDraft: below("my.cnf.draft"),
    initFile: below("init.sql"),
    accountFile: below("sluice-account.cnf"),
    data: below("data"),
    dataInitialising: below("data.initialising"),
    run: below("run"),
    socket: below("run", "mysqld.sock"),
    pidFile: below("run", "mysqld.pid"),
    log: below("log"),
    errorLog: below("log", "mysqld.err"),
    startLog: below("log", "start.out"),
    tmp: below("tmp"),
    trial: below("trial"),
    job: below("job"),
    tls: below("tls"),
    optionDirectory: below("conf.d"),
    unitName,
    unitFile: unitFileOf(unitName),
    supervisorFile: below("supervise.sh"),
    supervisorState: below("run", "supervisor"),
    privateSocket: below("run", "boot.sock"),
    privateSupervisorFile: below("supervise-private.sh"),
    privateSupervisorState: below("run", "supervisor-private"),
    privateStartLog: below("log", "start-private.out"),
  };
}

/** The layout that a data directory is part of, if it is the data directory of a managed server. */
export const layoutAround = (dataDirectory: string): Layout =>
  layoutOf(posix.dirname(dataDirectory.replace(/(?<=.)\/+$/, "")));

/** The directory of the managed server that listens on this socket; null if no managed server has such a socket. */
export function directoryOfSocket(socket: string): string | null {
  const directory = posix.dirname(posix.dirname(socket));
  return layoutOf(directory).socket === socket ? directory : null;
}

/** Names directly below the directory that Sluice creates; everything else is foreign. */
export const ownEntries: readonly string[] = [
  "sluice.json",
  "my.cnf",
  "my.cnf.draft",
  "init.sql",
  "sluice-account.cnf",
  "supervise.sh",
  "supervise-private.sh",
  "data",
  "data.initialising",
  "run",
  "log",
  "tmp",
  "trial",
  "job",
  "tls",
  "conf.d",
];

/** Readable and, by the hash, different for directories that end alike. */
function unitNameOf(directory: string): string {
  const readable = posix
    .basename(directory)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 24);
  const hash = createHash("sha256").update(directory).digest("hex").slice(0, 8);
  return ["sluice-mysql", readable, hash].filter((part) => part !== "").join("-");
}

const socketPathBytes = 107; // sun_path of struct sockaddr_un holds 108 bytes, the last is NUL: unix(7)

/** A socket whose path is too long cannot be bound: mysqld says error 2005 or cuts it. */
export function refusedDirectory(directory: string): string | undefined {
  const { socket } = layoutOf(directory);
  const excess = Buffer.byteLength(socket) - socketPathBytes;
  return excess > 0
    ? `is ${excess} bytes too long: the socket ${socket} must fit into ${socketPathBytes} bytes`
    : undefined;
}
