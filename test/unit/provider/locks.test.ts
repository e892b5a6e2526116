import { SluiceError } from "../../../provider/errors";
import type { Host, LockOptions } from "../../../provider/host/host";
import { sortLocks, underLocks } from "../../../provider/locks";
import { silent } from "../../../provider/report";
import type { Drivers, Lock } from "../../../provider/room";

const stage = (user: string) => ({ address: "stage-1", user, password: "secret" });
const server = (address: string, socket?: string) => ({ address, port: 3306, user: "ana", socket });

const onHost = (name: string, mode: "exclusive" | "shared" = "exclusive", user = "ana"): Lock => ({
  host: stage(user),
  name,
  mode,
});
const inServer = (name: string, address = "db-1"): Lock => ({ server: server(address), name, mode: "exclusive" });

/** Drivers that write down what is taken and freed; `silentServers` do not answer. */
function drivers({ silentServers = false } = {}) {
  const events: string[] = [];
  const lost = new Map<string, AbortController>();
  const hold = async <T>(name: string, work: (lost: AbortSignal) => Promise<T>): Promise<T> => {
    const controller = new AbortController();
    lost.set(name, controller);
    events.push(`take ${name}`);
    try {
      return await work(controller.signal);
    } finally {
      events.push(`free ${name}`);
    }
  };
  const host = {
    withLock: (name: string, { mode }: LockOptions, work: (lost: AbortSignal) => Promise<unknown>) =>
      hold(`${mode ?? "exclusive"} ${name}`, work),
  } as unknown as Host;
  const all: Drivers = {
    object: "thing a",
    signal: new AbortController().signal,
    report: silent,
    host: () => Promise.resolve(host),
    mysql: () => Promise.reject(new Error("no server")),
    withServerLock: (_server, name, _wait, work) =>
      silentServers
        ? Promise.reject(new SluiceError({ code: "SERVER_NOT_ANSWERING", object: "server db-1", what: "is silent" }))
        : hold(`server ${name}`, work),
    disconnect: () => Promise.resolve(),
  };
  return { all, events, lost };
}

describe("the order of locks", () => {
  const names = (locks: readonly Lock[]) => sortLocks(locks).map((lock) => `${lock.mode} ${lock.name}`);

  test("is hosts before servers, then by name, however they are declared", () => {
    const locks = [inServer("a"), onHost("z"), onHost("b"), inServer("A")];
    expect(names(locks)).toEqual(["exclusive b", "exclusive z", "exclusive A", "exclusive a"]);
    expect(sortLocks([...locks].reverse())).toEqual(sortLocks(locks));
  });

  test("has equal locks once, exclusive if one of them is", () => {
    expect(names([onHost("a", "shared"), onHost("a"), onHost("a", "shared")])).toEqual(["exclusive a"]);
    expect(names([onHost("a", "shared"), onHost("a", "shared")])).toEqual(["shared a"]);
    expect(names([onHost("a"), onHost("a", "shared", "ben")])).toEqual(["exclusive a"]);
    expect(names([inServer("a"), inServer("a")])).toEqual(["exclusive a"]);
  });

  test("keeps locks of one name in different places apart", () => {
    expect(sortLocks([inServer("a", "db-1"), inServer("a", "db-2"), onHost("a")])).toHaveLength(3);
    expect(sortLocks([onHost("a"), { host: "local", name: "a", mode: "exclusive" }])).toHaveLength(2);
  });
});

describe("work under locks", () => {
  test("begins when all are held, and frees them in the opposite order", async () => {
    const { all, events } = drivers();
    const locks = [inServer("c"), onHost("b", "shared"), onHost("a")];
    expect(await underLocks(locks, "shop/dev/a", all, () => (events.push("work"), Promise.resolve("worked")))).toBe(
      "worked",
    );
    expect(events).toEqual([
      "take exclusive a",
      "take shared b",
      "take server c",
      "work",
      "free server c",
      "free shared b",
      "free exclusive a",
    ]);
  });

  test.each(["exclusive a", "shared b", "server c"])("is told to stop when %s is lost", async (name) => {
    const { all, lost } = drivers();
    await underLocks([onHost("a"), onHost("b", "shared"), inServer("c")], "shop/dev/a", all, async ({ signal }) => {
      expect(signal.aborted).toBe(false);
      lost.get(name)?.abort(new Error(`${name} is lost`));
      expect(signal.reason).toEqual(new Error(`${name} is lost`));
    });
  });

  test("continues without the lock of a server that does not answer", async () => {
    const { all, events } = drivers({ silentServers: true });
    expect(await underLocks([inServer("c"), onHost("a")], "shop/dev/a", all, () => Promise.resolve("worked"))).toBe(
      "worked",
    );
    expect(events).toEqual(["take exclusive a", "free exclusive a"]);
  });

  test("is not done twice when it fails because a server does not answer", async () => {
    const { all, events } = drivers();
    const silence = new SluiceError({ code: "SERVER_NOT_ANSWERING", object: "server db-1", what: "is silent" });
    const work = () => (events.push("work"), Promise.reject(silence));
    await expect(underLocks([inServer("c")], "shop/dev/a", all, work)).rejects.toBe(silence);
    expect(events).toEqual(["take server c", "work", "free server c"]);
  });

  test("takes no lock when it is already told to stop", async () => {
    const { all, events } = drivers();
    const signal = AbortSignal.abort(new Error("the engine is gone"));
    await expect(underLocks([onHost("a")], "shop/dev/a", { ...all, signal }, () => Promise.resolve())).rejects.toThrow(
      "engine",
    );
    expect(events).toEqual([]);
  });
});
