import { SluiceError } from "../../errors";
import { sayUnreached, type Unreached } from "../unreachable";
import { containsGtidSet, isGtidSet, parseGtidSet, type GtidSet } from "../gtid";
import { isPassing, threadFailure } from "./errors";
import type { ThreadError } from "./facts";
import { outsideStatement } from "./outside";
import { sayPosition, type Position } from "./settings";
import type { SourceFacts } from "./source-facts";
import type { ChannelNames } from "./thread-error";

/** What does not answer as it should, in the words of whom it hinders. */
export function unanswered(problem: SluiceError, object: string, hinders: "change" | "removal"): SluiceError {
  const words = {
    change: {
      what: "cannot be changed while the replica's server does not answer",
      fix: 'start the server: `state: "running"` of the StagingDatabase, and `pulumi up` of that resource first',
    },
    removal: {
      what: "cannot be removed while the replica's server does not answer: it would start with the server again",
      fix: 'start the server (`state: "running"` of the StagingDatabase, `pulumi up`) and remove the channel then; to destroy both, stopped as it is: the option `{ deletedWith: <the StagingDatabase> }` on the channel, `pulumi up`, `pulumi destroy`',
    },
  };
  return new SluiceError({ ...problem.problem, object, needs: "a running replica", ...words[hinders] });
}

/** The source, which must answer. */
export function requireSource(
  { source, sourceProblem }: { readonly source: SourceFacts | null; readonly sourceProblem: SluiceError | null },
  place: Unreached,
): SourceFacts {
  if (source !== null) return source;
  const { object, endpoint } = place;
  const error =
    sourceProblem ?? new SluiceError({ code: "SOURCE_UNREACHABLE", object, what: "the server does not answer" });
  if (error.code === "SOURCE_UNREACHABLE") throw sayUnreached(error, place);
  throw new SluiceError({ ...error.problem, object, what: `cannot follow ${endpoint}: ${error.problem.what}` });
}

/** A server at a place: its socket, or address and port. */
export interface PlacedServer {
  readonly uuid: string;
  readonly place: string;
}

/**
 * By another socket or port a program may mean another server: there the old channel would run on, and nobody would know it.
 * Another server at the same place was rebuilt there.
 */
export function requireSameServer(was: PlacedServer, is: PlacedServer, object: string): void {
  if (was.uuid === is.uuid || was.place === is.place) return;
  throw new SluiceError({
    code: "CHANNEL_REPLICA_DIFFERS",
    object,
    what: "cannot move to another server, the channel would go on running on the old one",
    found: `at ${is.place}: server_uuid ${is.uuid}`,
    needs: `server_uuid ${was.uuid}, as at ${was.place}`,
    fix: "to remove it there and make it here: `pulumi up --replace '<its URN>'` (`pulumi stack --show-urns`), or give the resource another name; if the old server is gone for good: `pulumi state delete '<its URN>'` first",
  });
}

/** A place in the log of one server means nothing in the log of another. `start` is what the mark knows. */
export function requireOtherStart(
  start: string | null,
  position: Position | null,
  { object, source }: Pick<ChannelNames, "object" | "source">,
): void {
  if (position?.by !== "file" || start !== sayPosition(position)) return;
  throw new SluiceError({
    code: "DECLARATION_INVALID",
    object,
    what: `cannot be pointed at ${source}, start still names the place in the old source's log`,
    found: `start ${sayPosition(position)}`,
    needs: "file and position in the new source's log",
    fix: "set `start` to where the new source's log goes on from what the replica has applied",
  });
}

/** A transaction that somebody may be looking at is not tried again and again; what passes by itself is. */
export function requireApplierSound(error: ThreadError | null, executed: GtidSet, names: ChannelNames): void {
  if (error === null || isPassing("applier", error, names) || outsideStatement(error, names.rules) !== null) return;
  const { transaction } = error;
  const passedOver =
    isGtidSet(transaction) && transaction !== "" && containsGtidSet(executed, parseGtidSet(transaction));
  if (!passedOver) throw threadFailure("applier", error, names);
}
