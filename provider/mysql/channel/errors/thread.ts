import type { Code } from "../../../error-codes";
import type { ServerFacts } from "../../capabilities";
import type { ReplicaThread } from "../../terms";
import type { ThreadError } from "../facts";
import type { FilterRules } from "../filters";

/** Names used in the texts of errors. */
export interface ChannelNames {
  /** `channel orders@stage-1:3307` */
  readonly object: string;
  readonly channel: string;
  /** `db-1:3306` */
  readonly source: string;
  readonly user: string;
  /** The replica's; decides the words of statements. */
  readonly server: ServerFacts;
  /** What a person types to log in to the replica. */
  readonly login: string;
  /** Whether the replica is super_read_only. */
  readonly isSealed: boolean;
  /** The channel's filters as they are set. */
  readonly rules: FilterRules;
}

/** Errors of a thread with a text of their own. */
export interface ErrorEntry {
  readonly thread: ReplicaThread;
  readonly errnos?: readonly number[];
  readonly says?: RegExp;
  readonly when?: (names: ChannelNames, error: ThreadError) => boolean;
  readonly code: Code;
  /** Reads on from the object. */
  readonly what: string | ((names: ChannelNames) => string);
  readonly fix: (names: ChannelNames, error: ThreadError) => string;
  /** True if waiting or trying again may be enough. */
  readonly passes?: boolean;
}
