import { SluiceError } from "../../errors";
import { sayUnreached, type Unreached } from "../fault/unreachable";
import { containsGtidSet, isGtidSet, parseGtidSet, type GtidSet } from "../gtid";
import { isPassing, threadFailure } from "./errors/errors";
import type { ThreadError } from "./facts";
import { outsideStatement } from "./outside";
import { sayPosition, type Position } from "./settings";
import type { ChannelSource } from "./source";
import type { ChannelNames } from "./errors/thread";

/** A replica that does not answer, in the words of the channel that cannot be changed or removed. */
export function unanswered(problem: SluiceError, object: string, hinders: "change" | "removal"): SluiceError {
  const words = {
    change: {
      what: "cannot be changed while the replica does not answer",
      fix: 'start the replica first: set `state: "running"` of the StagingDatabase and run `pulumi up` for that resource',
    },
    removal: {
      what: "cannot be removed while the replica does not answer: the channel would start again with the replica",
      fix: 'start the replica (set `state: "running"` of the StagingDatabase, run `pulumi up`), then remove the channel. To destroy both while the replica is stopped: set the option `{ deletedWith: <the StagingDatabase> }` on the channel, run `pulumi up`, then `pulumi destroy`',
    },
  };
  return new SluiceError({ ...problem.problem, object, needs: "a running replica", ...words[hinders] });
}

/** The source, which must answer. */
export function requireAnswering(
  { source, sourceProblem }: { readonly source: ChannelSource | null; readonly sourceProblem: SluiceError | null },
  place: Unreached,
): ChannelSource {
  if (source !== null) return source;
  const { object, endpoint } = place;
  const error =
    sourceProblem ?? new SluiceError({ code: "SOURCE_UNREACHABLE", object, what: "the server does not answer" });
  if (error.code === "SOURCE_UNREACHABLE") throw sayUnreached(error, place);
  throw new SluiceError({ ...error.problem, object, what: `cannot follow ${endpoint}: ${error.problem.what}` });
}

/** A server and how it is reached: its socket, or address and port. */
export interface PlacedServer {
  readonly uuid: string;
  readonly place: string;
}

/**
 * Another socket or port may lead to another server: the old channel would keep running, outside of any program.
 * Another server at the same address was rebuilt there.
 */
export function requireSameServer(was: PlacedServer, is: PlacedServer, object: string): void {
  if (was.uuid === is.uuid || was.place === is.place) return;
  throw new SluiceError({
    code: "CHANNEL_REPLICA_DIFFERS",
    object,
    what: "cannot move to another server, the channel would keep running on the old one",
    found: `at ${is.place}: server_uuid ${is.uuid}`,
    needs: `server_uuid ${was.uuid}, as at ${was.place}`,
    fix: "to remove the channel there and create it here: `pulumi up --replace '<its URN>'` (`pulumi stack --show-urns`), or give the resource another name; if the old server is lost for good: `pulumi state delete '<its URN>'` first",
  });
}

/** A position in the binary log of one server means nothing in another's. `start` is what the mark records. */
export function requireOtherStart(
  start: string | null,
  position: Position | null,
  { object, source }: Pick<ChannelNames, "object" | "source">,
): void {
  if (position?.by !== "file" || start !== sayPosition(position)) return;
  throw new SluiceError({
    code: "DECLARATION_INVALID",
    object,
    what: `cannot be pointed at ${source}, \`start\` still names a position in the old source's binary log`,
    found: `start ${sayPosition(position)}`,
    needs: "file and position in the new source's binary log",
    fix: "set `start` to the new source's file and position after the last transaction that the replica has applied",
  });
}

/** A failed transaction is retried only after an error that can pass without a repair: a person may be repairing it. */
export function requireApplierSound(error: ThreadError | null, executed: GtidSet, names: ChannelNames): void {
  if (error === null || isPassing("applier", error, names) || outsideStatement(error, names.rules) !== null) return;
  const { transaction } = error;
  const passedOver =
    isGtidSet(transaction) && transaction !== "" && containsGtidSet(executed, parseGtidSet(transaction));
  if (!passedOver) throw threadFailure("applier", error, names);
}
