import { SluiceError } from "../../../provider/errors";
import type { Host } from "../../../provider/host/host";
import { converge, look, PartlyDone, remove } from "../../../provider/lifecycle";
import { isOurs, type Identity } from "../../../provider/mark/mark";
import { requireOurs } from "../../../provider/mark/refusals";
import { absent, compare, inOrder, type Difference } from "../../../provider/plan/plan";
import { silent } from "../../../provider/report";
import { defineRoom, type AnyRoom, type Drivers, type Operation } from "../../../provider/room";

interface Declared {
  readonly name: string;
  readonly parts: number;
  readonly text: string;
}
interface Thing {
  owner: string;
  seal: string | null;
  parts: number;
  text: string;
  running: boolean;
}
interface Settled {
  readonly thing: Readonly<Thing> | null;
}
type Step =
  | { readonly kind: "claim" }
  | { readonly kind: "add-part"; readonly number: number }
  | { readonly kind: "set-text"; readonly because: readonly Difference[] }
  | { readonly kind: "start" }
  | { readonly kind: "remove" };

const owner = "project/stack/a";

const identityOf = (thing: Readonly<Thing>): Identity => ({ kind: "Thing", name: thing.owner, seal: thing.seal });

/** Things by their name, and everything that was done to them. */
class World {
  readonly things = new Map<string, Thing>();
  readonly done: string[] = [];
  readonly locks: string[] = [];
  observed = 0;
  /** Called before each step; may throw. */
  beforeStep: (step: Step) => void = () => undefined;
  /** Called after each step, with its change already made: a crash here has done the step. */
  afterStep: (step: Step) => void = () => undefined;
  /** True: text that is set does not stay. */
  forgets = false;
  beforeObserve: () => void = () => undefined;

  thing(name: string): Thing {
    const thing = this.things.get(name);
    if (thing === undefined) throw new Error(`${name} is not there`);
    return thing;
  }
}

/** A room over a World; its `start` is only planned once the observation shows everything else in place. */
function roomOf(world: World): AnyRoom {
  const act =
    (change: (step: never, context: { declared: Declared; identity: Identity }) => void) =>
    async (step: Step, context: never) => {
      world.beforeStep(step);
      change(step as never, context);
      world.done.push(step.kind === "add-part" ? `add-part ${String(step.number)}` : step.kind);
      world.afterStep(step);
      return Promise.resolve();
    };
  return defineRoom<Declared, Settled, object, Step>({
    kind: "Thing",
    schema: { declaration: null as never, outputs: {} },
    object: ({ name }) => `thing ${name}`,
    id: ({ name }) => name,
    locks: ({ name }) => [{ host: "local", name: `thing:${name}`, mode: "exclusive" }],
    blank: { thing: null },
    observe: ({ name }) => {
      world.beforeObserve();
      world.observed += 1;
      const thing = world.things.get(name);
      return Promise.resolve({ settled: { thing: thing === undefined ? null : { ...thing } }, live: {} });
    },
    exists: ({ thing }) => thing !== null,
    seal: {
      of: ({ thing }) => thing?.seal ?? null,
      write: (seal, { declared: { name } }) => {
        world.thing(name).seal = seal;
        return Promise.resolve({ thing: { ...world.thing(name) } });
      },
    },
    plan: (wanted, { settled: { thing } }, context) => {
      if (wanted === absent)
        return inOrder<Step>(thing !== null && isOurs(identityOf(thing), context.identity) && { kind: "remove" });
      if (thing !== null)
        requireOurs({
          object: context.object,
          identity: context.identity,
          found: identityOf(thing),
          adopt: false,
          thing: "it",
          another: "another",
        });
      const missing = Array.from(
        { length: wanted.parts - (thing?.parts ?? 0) },
        (_, index) => (thing?.parts ?? 0) + index + 1,
      );
      const because = compare({ text: wanted.text }, { text: thing?.text ?? null });
      return inOrder<Step>(
        thing === null && { kind: "claim" },
        ...missing.map((number) => ({ kind: "add-part", number }) as const),
        because.length > 0 && { kind: "set-text", because },
        thing !== null && missing.length === 0 && because.length === 0 && !thing.running && { kind: "start" },
      );
    },
    say: {
      claim: () => ({ what: "claim it" }),
      "add-part": ({ number }) => ({ what: `add part ${String(number)}` }),
      "set-text": ({ because }) => ({ what: "set its text", because }),
      start: () => ({ what: "start it" }),
      remove: () => ({ what: "remove it" }),
    },
    perform: {
      claim: act(
        (_step, { declared, identity }) =>
          void world.things.set(declared.name, {
            owner: identity.name,
            seal: null,
            parts: 0,
            text: "",
            running: false,
          }),
      ),
      "add-part": act(
        (step: { number: number }, { declared }) => void (world.thing(declared.name).parts = step.number),
      ),
      "set-text": act(
        (_step, { declared }) => void (world.forgets ? undefined : (world.thing(declared.name).text = declared.text)),
      ),
      start: act((_step, { declared }) => void (world.thing(declared.name).running = true)),
      remove: act((_step, { declared }) => void world.things.delete(declared.name)),
    } as never,
    withinSeconds: () => 60,
    outputs: () => ({}),
    asDeclared: () => ({}),
  });
}

const declared: Declared = { name: "a", parts: 2, text: "hello" };

function operation(
  world: World,
  { signal, seal = null, ...changes }: Partial<Operation> & { signal?: AbortSignal; seal?: string | null } = {},
): Operation {
  const host = {
    withLock: async <T>(name: string, _options: unknown, work: (lost: AbortSignal) => Promise<T>): Promise<T> => {
      world.locks.push(`lock ${name}`);
      try {
        return await work(new AbortController().signal);
      } finally {
        world.locks.push(`free ${name}`);
      }
    },
  } as unknown as Host;
  const drivers: Drivers = {
    object: `thing ${declared.name}`,
    signal: signal ?? new AbortController().signal,
    report: silent,
    host: () => Promise.resolve(host),
    mysql: () => Promise.reject(new Error("no server")),
    withServerLock: (_server, _name, _options, work) => work(new AbortController().signal),
    disconnect: () => Promise.resolve(),
  };
  const identity = { kind: "Thing", name: owner, seal };
  return { room: roomOf(world), declared, identity, before: null, drivers, ...changes };
}

const finished = { owner, seal: expect.any(String) as string, parts: 2, text: "hello", running: true };
const allSteps = ["claim", "add-part 1", "add-part 2", "set-text", "start"];

const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("create and update", () => {
  test("wait for the lock no longer than the engine is there", async () => {
    const signal = new AbortController().signal;
    const { drivers, ...rest } = operation(new World(), { signal });
    const withLock = jest.fn().mockRejectedValue(new Error("the engine is gone"));
    const host = () => Promise.resolve({ withLock } as unknown as Host);
    await expect(converge({ ...rest, drivers: { ...drivers, host } })).rejects.toThrow("the engine is gone");
    expect(withLock.mock.calls).toEqual([["thing:a", expect.objectContaining({ signal }), expect.any(Function)]]);
  });

  test("run the plan, look again, and continue until nothing is left", async () => {
    const world = new World();
    const { settled, seal } = await converge(operation(world));
    expect(settled).toEqual({ thing: { ...finished, seal } });
    expect(world.done).toEqual(allSteps);
    expect(world.observed).toBe(3);
    expect(world.locks).toEqual(["lock thing:a", "free thing:a"]);
  });

  test("a second time runs no step", async () => {
    const world = new World();
    const { settled, seal } = await converge(operation(world));
    world.done.length = 0;
    expect(await converge(operation(world, { before: { declared, settled }, seal }))).toEqual({ settled, seal });
    expect(world.done).toEqual([]);
  });

  test("repair what was changed by hand, and only that", async () => {
    const world = new World();
    const { settled, seal } = await converge(operation(world));
    world.thing("a").text = "changed";
    world.done.length = 0;
    await converge(operation(world, { before: { declared, settled }, seal }));
    expect(world.done).toEqual(["set-text"]);
  });

  describe("what no preview has shown", () => {
    const said = async (world: World, before: Operation["before"], seal?: string): Promise<string[]> => {
      const lines: string[] = [];
      const { drivers } = operation(world);
      const report = { ...silent, say: (text: string) => lines.push(text) };
      await converge(
        operation(world, { before, drivers: { ...drivers, report }, ...(seal !== undefined && { seal }) }),
      );
      return lines.filter((line) => line.includes("found during up"));
    };

    test("is printed with its values before it runs", async () => {
      const world = new World();
      const { settled, seal } = await converge(operation(world));
      world.thing("a").text = "changed by hand";
      const [plan] = await said(world, { declared, settled }, seal);
      expect(plan).toMatch(/^thing a, found during up: 1 step\n {2}1\. set its text +text changed by hand → hello$/);
    });

    test("does not include what a new object needs, nor what state remembered", async () => {
      const world = new World();
      expect(await said(world, null)).toEqual([]);
      world.thing("a").text = "changed by hand";
      const settled = { thing: { ...world.thing("a") } };
      expect(await said(world, { declared, settled }, world.thing("a").seal ?? undefined)).toEqual([]);
    });
  });

  describe.each(["before", "after"] as const)("a crash %s step k", (when) => {
    test.each(allSteps.map((_, index) => index))(
      "k = %i: the next run ends in the same state, no step done twice",
      async (k) => {
        const world = new World();
        const crash = () => {
          if (world.done.length === (when === "before" ? k : k + 1)) throw new Error("killed");
        };
        world[when === "before" ? "beforeStep" : "afterStep"] = crash;
        expect(await errorOf(converge(operation(world)))).toBeDefined();
        world.beforeStep = world.afterStep = () => undefined;
        await converge(operation(world));
        expect(world.thing("a")).toEqual(finished);
        expect(world.done).toEqual(allSteps);
      },
    );
  });

  test("do not run the same steps again when they change nothing", async () => {
    const world = new World();
    world.forgets = true;
    const error = await errorOf(converge(operation(world)));
    expect(world.done).toEqual(["claim", "add-part 1", "add-part 2", "set-text", "set-text"]);
    expect(error).toBeInstanceOf(PartlyDone);
    expect((error as Error).message).toMatchInlineSnapshot(`
"thing a: still differs from its declaration, 1 step would have to run again (STATE_NOT_CONVERGING)
  found   set its text (text nothing → hello)
  needs   nothing left to do after the steps have run
  fix     find the program or administrator that changes the same object; if there is none, this is a bug in pulumi-sluice"
`);
  });

  test("refuse what another resource owns before anything is done", async () => {
    const world = new World();
    world.things.set("a", { ...finished, seal: "one", owner: "other/stack/b" });
    const error = await errorOf(converge(operation(world)));
    expect(error).toBeInstanceOf(SluiceError);
    expect((error as SluiceError).code).toBe("OWNERSHIP_FOREIGN");
    expect(world.done).toEqual([]);
    expect(world.locks).toEqual(["lock thing:a", "free thing:a"]);
  });

  test("refuse what is complete and what this state does not know: two people's stacks may have one name", async () => {
    const world = new World();
    await converge(operation(world));
    const error = await errorOf(converge(operation(world)));
    expect((error as SluiceError).code).toBe("OWNERSHIP_OTHER_STATE");
    await remove(operation(world));
    expect(world.thing("a")).toEqual(finished);
  });

  test("are not complete when they are stopped behind the last step", async () => {
    const world = new World();
    const stop = new AbortController();
    world.afterStep = ({ kind }) => {
      if (kind === "start") stop.abort(new Error("gone"));
    };
    expect(await errorOf(converge(operation(world, { signal: stop.signal })))).toBeInstanceOf(PartlyDone);
    expect(world.thing("a").seal).toBeNull();
    expect((await converge(operation(world))).seal).toEqual(expect.any(String));
  });

  test("do not begin, not even to lock, when already stopped", async () => {
    const world = new World();
    const gone = new SluiceError({ code: "ENGINE_GONE", object: "sluice", what: "stopped" });
    expect(await errorOf(converge(operation(world, { signal: AbortSignal.abort(gone) })))).toBe(gone);
    expect([world.locks, world.observed]).toEqual([[], 0]);
  });

  test("stop at the next step when the operation is stopped", async () => {
    const world = new World();
    const stop = new AbortController();
    const gone = new SluiceError({ code: "ENGINE_GONE", object: "sluice", what: "stopped" });
    world.afterStep = ({ kind }) => {
      if (kind === "claim") stop.abort(gone);
    };
    const error = (await errorOf(converge(operation(world, { signal: stop.signal })))) as PartlyDone;
    expect(world.done).toEqual(["claim"]);
    expect(error.failure.code).toBe("ENGINE_GONE");
  });
});

describe("a failure half-way", () => {
  const failAt = (world: World, kind: string) => {
    world.beforeStep = (step) => {
      if (step.kind === kind) throw new SluiceError({ code: "STORAGE_FULL", object: "disk", what: "is full" });
    };
  };

  test("carries what is really there, for Pulumi to keep", async () => {
    const world = new World();
    failAt(world, "set-text");
    const error = (await errorOf(converge(operation(world)))) as PartlyDone;
    expect(error).toBeInstanceOf(PartlyDone);
    expect(error.settled).toEqual({ thing: { owner, seal: null, parts: 2, text: "", running: false } });
    expect(error.message).toBe("disk: is full (STORAGE_FULL)\n  step    4 of 4, set-text; steps 1-3 are done");
  });

  test("of a create that made nothing leaves nothing for Pulumi to keep", async () => {
    const world = new World();
    failAt(world, "claim");
    const error = await errorOf(converge(operation(world)));
    expect(error).not.toBeInstanceOf(PartlyDone);
    expect((error as SluiceError).problem.step).toBe("1 of 4, claim; no step is done");
  });

  test("keeps the last observation if nothing can be observed now", async () => {
    const world = new World();
    failAt(world, "add-part");
    world.beforeObserve = () => {
      if (world.observed === 1) throw new Error("host is gone");
    };
    const error = (await errorOf(converge(operation(world)))) as PartlyDone;
    expect(error.settled).toEqual({ thing: null });
    expect(error.failure.code).toBe("STORAGE_FULL");
  });

  test("keeps nothing that another resource has claimed in between", async () => {
    const world = new World();
    world.beforeStep = ({ kind }) => {
      if (kind !== "claim") return;
      world.things.set("a", { ...finished, owner: "other/stack/b" });
      throw new SluiceError({ code: "OWNERSHIP_FOREIGN", object: "thing a", what: "is somebody else's" });
    };
    const error = await errorOf(converge(operation(world)));
    expect(error).toBeInstanceOf(SluiceError);
    expect(error).not.toBeInstanceOf(PartlyDone);
  });

  test("of the last look is a failure too: nothing was proven", async () => {
    const world = new World();
    world.beforeObserve = () => {
      if (world.observed === 1) throw new TypeError("x is undefined");
    };
    const error = (await errorOf(converge(operation(world)))) as PartlyDone;
    expect(error).toBeInstanceOf(PartlyDone);
    expect(error.failure.code).toBe("INTERNAL_ERROR");
  });
});

describe("delete", () => {
  test("removes, and a second time finds nothing to do", async () => {
    const world = new World();
    const { seal } = await converge(operation(world));
    await remove(operation(world, { seal }));
    await remove(operation(world, { seal }));
    expect(world.things.size).toBe(0);
    expect(world.done).toEqual([...allSteps, "remove"]);
  });

  test("leaves an object with another owner's mark alone", async () => {
    const world = new World();
    world.things.set("a", { ...finished, seal: "one", owner: "other/stack/b" });
    const said: string[] = [];
    const { drivers } = operation(world);
    const report = { ...silent, say: (text: string) => said.push(text) };
    await remove(operation(world, { drivers: { ...drivers, report } }));
    expect(world.done).toEqual([]);
    expect(world.thing("a").owner).toBe("other/stack/b");
    expect(said).toEqual(["thing a: not removed, another resource owns it"]);
  });

  test("that fails says so plainly: Pulumi keeps what it could not delete", async () => {
    const world = new World();
    const { seal } = await converge(operation(world));
    world.beforeStep = () => {
      throw new SluiceError({ code: "HOST_UNREACHABLE", object: "host", what: "is away" });
    };
    const error = await errorOf(remove(operation(world, { seal })));
    expect(error).toBeInstanceOf(SluiceError);
    expect(error).not.toBeInstanceOf(PartlyDone);
  });
});

describe("read", () => {
  test("returns what exists, without a lock and without a step", async () => {
    const world = new World();
    await converge(operation(world));
    world.locks.length = world.done.length = 0;
    expect((await look(operation(world)))?.settled).toEqual({ thing: finished });
    expect([world.locks, world.done]).toEqual([[], []]);
  });

  test("knows when nothing is left", async () => {
    expect(await look(operation(new World()))).toBeUndefined();
  });

  test("takes an error for an error, never for absence", async () => {
    const world = new World();
    world.beforeObserve = () => {
      throw new SluiceError({ code: "HOST_UNREACHABLE", object: "host", what: "is away" });
    };
    expect(await errorOf(look(operation(world)))).toMatchObject({ code: "HOST_UNREACHABLE" });
  });
});
