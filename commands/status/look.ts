import { asProblem, SluiceError } from "../../provider/errors";
import { saying, type Plan } from "../../provider/plan/plan";
import { complete, objectOf } from "../../provider/pulumi/border";
import { identityIn, takeApart } from "../../provider/pulumi/state";
import { parseUrn } from "../../provider/pulumi/urn";
import { scrub, silent } from "../../provider/report";
import type { AnyRoom, Observed, Readers } from "../../provider/room";
import { openSharedReaders, type SharedReaders } from "../../provider/readers";
import { secretsOf } from "../../provider/schema/schema";
import type { Status } from "../../provider/status";
import { within } from "../../provider/wait";
import type { StackObject } from "./stack";

/** What was seen of one object of the stack. */
export interface Sight {
  /** The resource's name in the program. */
  readonly name: string;
  readonly kind: string;
  /** As errors call it. */
  readonly object: string;
  /** Null if no room of this version knows the kind. */
  readonly status: Status | null;
  /** What `pulumi up --refresh` would do to make it as declared, in the preview's words. */
  readonly steps: readonly string[];
  /** Why it could not be looked at, without secrets. */
  readonly problem: SluiceError | null;
}

const unlimited = new AbortController().signal; // the end of the whole look ends what still asks
const lookSeconds = 30; // connecting may take 20 s (HostAddress.connectSeconds); then a handful of round trips

/** Looks at every object at once; what they ask of the same server is asked once, and one that does not answer holds up no other. */
export async function lookAround(objects: readonly StackObject[], rooms: readonly AnyRoom[]): Promise<Sight[]> {
  const shared = openSharedReaders("until closed");
  try {
    return await Promise.all(objects.map((object) => lookAt(object, rooms, shared)));
  } finally {
    await shared.close();
  }
}

async function lookAt(found: StackObject, rooms: readonly AnyRoom[], shared: SharedReaders): Promise<Sight> {
  const { kind } = found;
  const { name } = parseUrn(found.urn);
  const object = `${kind} ${name}`;
  const room = rooms.find((known) => known.kind === kind);
  if (room === undefined || !hasStatus(room))
    return { name, kind, object, status: null, steps: [], problem: unknownKind(object) };
  try {
    return await lookInto(room, found, name, shared);
  } catch (error) {
    return { name, kind, object, status: null, steps: [], problem: asProblem(object, error) }; // state that a newer version wrote
  }
}

type ShownRoom = AnyRoom & Required<Pick<AnyRoom, "status">>;
const hasStatus = (room: AnyRoom): room is ShownRoom => room.status !== undefined;

async function lookInto(
  room: ShownRoom,
  { kind, inputs, outputs }: StackObject,
  name: string,
  shared: SharedReaders,
): Promise<Sight> {
  const { remembered } = takeApart(room, outputs);
  const bag = { ...takeApart(room, inputs), remembered };
  const declared = complete(room, bag).inputs;
  const settled = remembered?.settled ?? null;
  const sight = { name, kind, object: objectOf(room, bag, declared), steps: [] };
  const secrets = secretsOf(room.schema.declaration, declared);
  try {
    const readers = shared.for({ object: sight.object, signal: unlimited, report: silent });
    const seen = await observe(room, declared, settled, readers);
    const unseen = room.unseenBecause?.(seen, sight.object);
    if (unseen !== undefined) throw unseen;
    const status = room.status(declared, seen, sight.object);
    if (!status.health.isWell) return { ...sight, status, problem: null };
    try {
      const context = { identity: identityIn(room, bag), before: { declared, settled }, object: sight.object };
      const plan = room.plan(declared, seen, context) as Plan;
      const steps = plan.steps.map((step) => scrub(saying(room.say, step).what, secrets));
      return { ...sight, status: withSteps(status, steps), steps, problem: null };
    } catch (error) {
      return { ...sight, status, problem: withoutSecrets(error, sight.object, secrets) }; // `up` would refuse
    }
  } catch (error) {
    const status = room.status(declared, { settled: settled ?? (room.blank as object), live: null }, sight.object);
    return { ...sight, status, problem: withoutSecrets(error, sight.object, secrets) };
  }
}

/** It runs, and something in it is not as declared: what `up` would change is what differs. */
function withSteps(status: Status, steps: readonly string[]): Status {
  if (steps.length === 0) return status;
  const words = [status.health.words, `differs from its declaration: ${steps.join(", ")}`];
  const fix = "run `pulumi up --refresh`: its preview says what differs";
  return { ...status, health: { isWell: false, words: words.filter((text) => text !== "").join(", "), fix } };
}

async function observe(
  room: AnyRoom,
  declared: object,
  remembered: object | null,
  readers: Readers,
): Promise<Observed<object, object>> {
  const seen = room.observe(declared, readers, remembered) as Promise<Observed<object, object>>;
  return within(lookSeconds, seen, () => {
    throw tookTooLong(readers.object);
  });
}

const tookTooLong = (object: string): SluiceError =>
  new SluiceError({
    code: "TIMEOUT_REACHED",
    object,
    what: `did not answer within ${String(lookSeconds)} s`,
    fix: "check its host: load, network, disk",
  });

const unknownKind = (object: string): SluiceError =>
  new SluiceError({
    code: "STATE_TOO_NEW",
    object,
    what: "cannot be read, this version of pulumi-sluice does not know its kind",
    fix: "install the version of pulumi-sluice that the stack was last changed with, or a newer one",
  });

/** Made again with scrubbed words: an error holds its words in more than one place. */
function withoutSecrets(thrown: unknown, object: string, secrets: readonly string[]): SluiceError {
  const { problem } = asProblem(object, thrown);
  const texts = Object.entries(problem).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const scrubbed = Object.fromEntries(texts.map(([key, text]) => [key, scrub(text, secrets)]));
  return new SluiceError({ ...problem, ...scrubbed });
}
