import type { SluiceError } from "./errors";
import type { Host, HostAddress, HostReader, LockMode, LockWait } from "./host/host";
import type { Identity } from "./mark/mark";
import type { MysqlClient, MysqlReader } from "./mysql/reader";
import type { ServerRole } from "./mysql/fault/fault";
import type { Absent, Plan, Sayings, Step } from "./plan/plan";
import type { Report } from "./report";
import type { ServerReach } from "./schema/connection";
import type { Schema } from "./schema/schema";
import type { Status } from "./status";

/**
 * The observation. `settled` stays true until a user or session changes it and is stored in Pulumi's state (so: plain
 * JSON data, no secret, no fact that changes every second); `live` is true for a moment and is null inside `diff`,
 * which has no network.
 */
export interface Observed<Settled, Live> {
  readonly settled: Settled;
  readonly live: Live | null;
}

/** The object of an operation, its abort signal, and where its lines go. */
export interface Subject {
  /** What errors call the object. */
  readonly object: string;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** Hosts and servers by their address; everything is closed when the operation ends. */
export interface Readers extends Subject {
  /** The host; the connection is shared by all resources of the update. */
  host(address: HostAddress): Promise<HostReader>;
  /** A server through its host (or directly from here if it has none). Opened at the first call, kept for the operation. */
  mysql(server: ServerReach, role?: ServerRole): Promise<MysqlReader>;
}

/** What steps work with. */
export interface Drivers extends Omit<Readers, "host" | "mysql"> {
  host(address: HostAddress): Promise<Host>;
  mysql(server: ServerReach, role?: ServerRole): Promise<MysqlClient>;
  /**
   * Holds the lock `name` in the server while `work` runs. `lost` is aborted, with the error as its reason, when the lock is
   * lost. Throws LOCK_TAKEN.
   */
  withServerLock<T>(
    server: ServerReach,
    name: string,
    wait: LockWait,
    work: (lost: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** Closes a server's connection, because the server was restarted or its accounts changed. */
  disconnect(server: ServerReach): Promise<void>;
}

/** One performer for each kind of step. Each is safe to repeat. */
export type Performers<Declared, Settled, Live, S extends Step> = {
  readonly [K in S["kind"]]: (
    step: Extract<S, { readonly kind: K }>,
    context: StepContext<Declared, Settled, Live>,
  ) => Promise<void>;
};

export interface StepContext<Declared, Settled, Live> extends Drivers {
  readonly declared: Declared;
  readonly identity: Identity;
  /** The observation the plan was made from. */
  readonly seen: Observed<Settled, Live>;
}

/** A room: one resource, as six files, fulfils this. `declared` is always the parsed declaration with defaults. */
export interface Room<Declared extends object, Settled extends object, Live extends object, S extends Step> {
  /** The Pulumi type name: `StagingDatabase`. */
  readonly kind: string;
  readonly schema: Schema<Declared>;
  /** What errors call it, by the resource's name: `staging database orders@stage-1:3307`. Needs no network; may meet unknowns. */
  object(declared: Declared, name: string): string;
  /** Pulumi's id: an address that can be grepped for on the host; never secret. */
  id(declared: Declared): string;
  /** What create, update and delete hold while they work, in any order (`locks.ts` sorts). */
  locks(declared: Declared): readonly Lock[];
  /** Inputs that can be computed from others without the network; filled in by `check` so that previews know them. */
  derive?(inputs: Readonly<Record<string, unknown>>, urn: Urn): Readonly<Record<string, unknown>>;
  /** Relations between fields; each problem is `path: what`. Runs only when nothing is unknown. */
  refine?(declared: Declared): readonly string[];
  /** The observation of an object that does not exist yet. */
  readonly blank: Settled;
  /** `settled` as state version 1 has it, in the form of today. Absent if nothing changed. */
  migrate?(settled: Readonly<Record<string, unknown>>): Settled;
  /** Reads only. `remembered` is what state holds, for facts that cannot be seen now (a stopped server's version). */
  observe(declared: Declared, look: Readers, remembered: Settled | null): Promise<Observed<Settled, Live>>;
  /** Why the object cannot be seen where it is remembered to be: then nothing is concluded from what was not found. */
  unseenBecause?(seen: Observed<Settled, Live>, object: string): SluiceError | undefined;
  /** False when nothing of the object is left. */
  exists(settled: Settled): boolean;
  /** What `converge` writes into the mark of a complete object. */
  readonly seal: Seal<Declared, Settled, Live>;
  /**
   * Pure. Throws SluiceError for what is refused. `live` is null in `diff`: requirements that need it wait for `up`.
   * In a preview a field of the declaration may hold the unknown sentinel string in place of any value.
   */
  plan(wanted: Declared | Absent, seen: Observed<Settled, Live>, context: PlanContext<Declared, Settled>): Plan<S>;
  readonly say: Sayings<S>;
  readonly perform: Performers<Declared, Settled, Live, S>;
  /** Longest time one step may take, in seconds. */
  withinSeconds(step: S, declared: Declared): number;
  /** Output-only properties, from what was seen. Plain JSON. */
  outputs(declared: Declared, settled: Settled): Readonly<Record<string, unknown>>;
  /**
   * What is really set, in the declaration's own words: `read` puts it in place of the inputs, so drift is an ordinary
   * difference.
   */
  asDeclared(declared: Declared, settled: Settled): Readonly<Record<string, unknown>>;
  /** What it is in the topology of `sluice status`. Pure; `live` is null if it could not be looked at. */
  status?(declared: Declared, seen: Observed<Settled, Live>, object: string): Status;
}

/** One lock that an operation holds. Its name must never change: runs of different versions meet in it. */
export type Lock = HostLock | ServerLock;

export interface HostLock {
  readonly host: HostAddress;
  readonly name: string;
  /** "shared": for an object that is only read. Any number of operations hold it at once, and none that is exclusive. */
  readonly mode: LockMode;
}

/** For an object in a server that is reached in more than one way. A server that does not answer is not locked. */
export interface ServerLock {
  readonly server: ServerReach;
  readonly name: string;
  /** GET_LOCK has no shared mode. */
  readonly mode: "exclusive";
}

export interface Seal<Declared, Settled, Live> {
  /** The one in the mark, or null. */
  of(settled: Settled): string | null;
  /** Writes the seal, and returns the seal that the mark then has. */
  write(seal: string, context: StepContext<Declared, Settled, Live>): Promise<Settled>;
}

export interface PlanContext<Declared, Settled = unknown> {
  readonly identity: Identity;
  /** What state holds. Null on create. */
  readonly before: Before<Declared, Settled> | null;
  readonly object: string;
}

export interface Before<Declared, Settled> {
  /** The declaration of the last try, secrets included: to see whether a password changed. */
  readonly declared: Declared;
  /** What was seen last; null if never stored. */
  readonly settled: Settled | null;
}

export interface Urn {
  readonly text: string;
  readonly project: string;
  readonly stack: string;
  readonly name: string;
}

/** One resource in one operation. */
export interface Operation {
  readonly room: AnyRoom;
  readonly declared: object;
  readonly identity: Identity;
  /** What state holds. Null on create. */
  readonly before: Before<object, object> | null;
  readonly drivers: Drivers;
}

/** A room whose types the house does not know. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the house handles any room; each room is checked where it is defined
export type AnyRoom = Room<any, any, any, any>;

export const defineRoom = <Declared extends object, Settled extends object, Live extends object, S extends Step>(
  room: Room<Declared, Settled, Live, S>,
): Room<Declared, Settled, Live, S> => room;
