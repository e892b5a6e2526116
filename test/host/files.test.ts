import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { startDynamicHost, type CallFailure, type DynamicHost } from "../harness/dynamic-host";
import { beside, fileUrn, makeFileProgram, type FileProgram } from "../harness/file-program";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const signature = "4dabf18193072939515e22adb298388d";
const secret = (value: unknown) => ({ [signature]: "1b47061264138c4ac30d75fd1eb44270", value });

jest.setTimeout(60_000); // a provider process starts in 0.4 s on an idle machine; the other floors run beside this one

let files: FileProgram;
let host: DynamicHost;

beforeAll(async () => {
  files = await makeFileProgram();
  host = await startDynamicHost(files.program);
});
afterAll(async () => {
  await host.close();
  await files.remove();
});
beforeEach(() => {
  host.lines.length = 0;
});

const failureOf = async (call: Promise<unknown>): Promise<CallFailure> =>
  call.then(
    () => {
      throw new Error("the call did not fail");
    },
    (failure: unknown) => failure as CallFailure,
  );

const inputsOf = async (properties: Record<string, unknown>, name = "one") => {
  const { inputs, failures } = await host.check({ host: "local", ...properties, ...beside(name, false) });
  expect(failures).toEqual([]);
  return inputs;
};

/** What the engine sends in a later call: a dynamic provider gets secrets plain. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (signature in value) return plain((value as { value?: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
};
const bag = (value: Record<string, unknown>) => plain(value) as Record<string, unknown>;

describe("a resource's life", () => {
  test("create, read, update, delete", async () => {
    const directory = files.place("life");
    const inputs = await inputsOf({ directory, password: "hunter2" });
    const created = await host.create(bag(inputs));
    expect(created.id).toBe(`local:${directory}`);
    const { identity } = created.properties["__sluice"] as { identity: { seal: string } };
    const { seal } = identity;
    expect(seal).toMatch(/^[0-9a-f-]{36}$/);
    expect(created.properties).toEqual({
      ...inputs,
      count: "2",
      text64: Buffer.from("hello").toString("base64"),
      __sluice: {
        stateVersion: 2,
        identity: { kind: "FileRoom", name: "shop/dev/one", seal },
        settled: JSON.stringify({ owner: "shop/dev/one", seal, parts: 2, text: "hello", passwordMatches: true }),
      },
    });
    expect(readdirSync(directory).sort()).toEqual(["marker", "part-1", "part-2", "password", "seal", "text"]);

    const state = bag(created.properties);
    expect(await host.read(created.id, state)).toEqual(created);
    expect(await host.diff(created.id, state, bag(inputs))).toEqual({
      changes: "none",
      replaces: [],
      deleteBeforeReplace: false,
    });

    const news = bag(await inputsOf({ directory, password: "hunter3", parts: 3 }));
    expect((await host.diff(created.id, state, news)).changes).toBe("some");
    const { properties } = await host.update(created.id, state, news);
    expect(properties).toMatchObject({ parts: 3, count: "3", password: secret("hunter3") });
    expect(readFileSync(`${directory}/password`, "utf8")).toBe("hunter3");
    expect(readFileSync(`${directory}/part-1`, "utf8")).toBe("1\n");

    await host.delete(created.id, bag(properties));
    expect(existsSync(directory)).toBe(false);
    await host.delete(created.id, bag(properties));
    expect(await host.read(created.id, bag(properties))).toMatchObject({ id: "" });
  });

  test("refresh shows what was changed by hand, and the next update repairs exactly that", async () => {
    const directory = files.place("drift");
    const inputs = bag(await inputsOf({ directory }));
    const created = await host.create(inputs);
    writeFileSync(`${directory}/text`, "changed");
    const seen = await host.read(created.id, bag(created.properties));
    expect(seen.properties).toMatchObject({ text: "changed", directory, parts: 2 });
    expect(await host.diff(created.id, bag(seen.properties), inputs)).toMatchObject({ changes: "some", replaces: [] });
    host.lines.length = 0;
    await host.update(created.id, bag(seen.properties), inputs);
    expect(readFileSync(`${directory}/text`, "utf8")).toBe("hello");
    expect(
      host.lines
        .filter(({ ephemeral, severity }) => !ephemeral && severity > 0)
        .map(({ text }) => text.replace(/\d\.\d s/, "T s")),
    ).toEqual(["1/1 write the text · T s"]);
  });

  test("a resource that is looked for by its id must be there", async () => {
    const properties = { host: "local", directory: files.place("nowhere"), ...beside() };
    const { message } = await failureOf(host.read("local:nowhere", properties));
    expect(message.split("\n")[0]).toBe("files nowhere@local: cannot be read, it does not exist (OBJECT_ABSENT)");
  });

  test("what belongs to another resource is refused, and delete leaves it", async () => {
    const directory = files.place("foreign");
    const created = await host.create(bag(await inputsOf({ directory })));
    const { message, initFailed } = await failureOf(host.create(bag(await inputsOf({ directory }, "two"))));
    expect(message.split("\n")[0]).toBe(
      `files foreign@local: cannot use directory ${directory}, another resource owns it (OWNERSHIP_FOREIGN)`,
    );
    expect(initFailed).toBeUndefined();
    const stolen = { ...bag(created.properties), __sluice: { stateVersion: 1, owner: "shop/dev/two", settled: null } };
    await host.delete(created.id, stolen);
    expect(existsSync(directory)).toBe(true);
  });

  test("a resource that is renamed keeps its object", async () => {
    const directory = files.place("renamed");
    const created = await host.create(bag(await inputsOf({ directory })));
    const news = bag(await inputsOf({ directory, text: "new" }, "other-name"));
    const { properties } = await host.update(created.id, bag(created.properties), news);
    expect(properties).toMatchObject({
      text: "new",
      __urn: fileUrn("other-name"),
      __sluice: { identity: { name: "shop/dev/one" } },
    });
  });
});

describe("check", () => {
  test("fills in, marks secrets, and lets through what is unknown", async () => {
    const news = {
      host: { address: "stage-1", privateKey: "KEY" },
      directory: unknown,
      password: unknown,
      access: { token: "TOKEN" },
      text: null,
      parts: unknown,
      ...beside("one", true),
    };
    expect(await host.check(news)).toEqual({
      failures: [],
      inputs: {
        host: { address: "stage-1", port: 22, user: "root", privateKey: secret("KEY") },
        directory: unknown,
        password: secret(unknown),
        access: { user: "nobody", token: secret("TOKEN") },
        text: "hello",
        parts: unknown,
        partSeconds: 60,
        failure: "none",
        label: unknown,
        ...beside(),
      },
    });
  });

  test("names no property and shows no value: the engine would print it", async () => {
    const news = {
      host: "local",
      directory: "relative",
      parts: 99,
      password: 5,
      access: { tokn: "TOKEN" },
      colour: "red",
      ...beside(),
    };
    const { failures } = await host.check(news);
    expect(failures).toEqual(
      [
        "directory: must be an absolute path",
        "parts: must be at most 20",
        "password: must be a text",
        "access: has no property tokn; did you mean token?",
        "has no property colour",
      ].map((reason) => ({ property: "", reason })),
    );
  });

  test("knows what properties have to do with each other, once all are known", async () => {
    const news = { host: "local", directory: "/a", text: "same", password: "same", ...beside() };
    expect((await host.check(news)).failures).toEqual([{ property: "", reason: "text: must not be the password" }]);
    expect((await host.check({ ...news, directory: unknown })).failures).toEqual([]);
  });
});

describe("preview", () => {
  test("prints the plan of a new resource under its URN", async () => {
    await host.check({ host: "local", directory: "/srv/new", password: "hunter2", ...beside("one", true) });
    expect(host.lines).toEqual([
      {
        urn: fileUrn("one"),
        severity: 1,
        ephemeral: false,
        text: [
          "files new@local: 5 steps",
          "  1. claim the directory",
          "  2. add part 1",
          "  3. add part 2",
          "  4. write the text                           ! nobody can read it meanwhile",
          "                                              text nothing → hello",
          "  5. set the password                         password changed",
        ].join("\n"),
      },
      { urn: fileUrn("one"), severity: 0, ephemeral: false, text: "files new@local: statements\n  WRITE 'it'" },
    ]);
  });

  test("says in words what is only known during up", async () => {
    await host.check({ host: "local", directory: unknown, text: unknown, ...beside("one", true) });
    const text = host.lines.map((line) => line.text).join("\n");
    expect(text).toContain("files (known during up)@local: 4 steps");
    expect(text).toContain("text nothing → (known during up)");
    expect(text).not.toContain(unknown);
  });

  const remembered = (seen: object) => ({
    stateVersion: 1,
    owner: "shop/dev/one",
    settled: JSON.stringify({ owner: "shop/dev/one", seal: null, parts: 2, passwordMatches: false, ...seen }),
  });
  const olds = {
    host: "local",
    directory: "/srv/old",
    text: "hello",
    parts: 2,
    partSeconds: 60,
    failure: "none",
    label: "old",
    count: "2",
    ...beside(),
    __sluice: remembered({ text: "hello" }),
  };
  const previewing = async (changes: Record<string, unknown>, isPreview = true) => {
    const { directory, text } = olds;
    const { inputs } = await host.check(
      { host: "local", directory, text, ...changes, ...beside("one", isPreview) },
      olds,
    );
    return { answer: await host.diff("local:/srv/old", olds, bag(inputs)), text: host.lines.map((line) => line.text) };
  };

  test("says nothing when nothing will be done", async () => {
    expect(await previewing({})).toEqual({
      answer: { changes: "none", replaces: [], deleteBeforeReplace: false },
      text: [],
    });
  });

  test("prints the plan of a change", async () => {
    const { answer, text } = await previewing({ parts: 3 });
    expect(answer).toEqual({ changes: "some", replaces: [], deleteBeforeReplace: false });
    expect(text).toEqual(["files old@local: 1 step\n  1. add part 3"]);
  });

  test("says of what up may still find more to do", async () => {
    const { text } = await previewing({ parts: unknown, access: { user: unknown } });
    expect(text).toEqual(["files old@local: parts, access.user are known only during up and may add steps"]);
  });

  test("a change that needs no step is still a change: state must learn it", async () => {
    expect(await previewing({ partSeconds: 90 })).toMatchObject({ answer: { changes: "some" }, text: [] });
  });

  test("of another identity says that the object is replaced", async () => {
    const { answer, text } = await previewing({ directory: "/srv/new" });
    expect(answer).toEqual({ changes: "some", replaces: ["directory"], deleteBeforeReplace: true });
    expect(text).toEqual([
      "files old@local is replaced (removed, then created again), because directory changes: 1 step\n" +
        "  1. remove files old@local                   ! its files are gone",
    ]);
  });

  test("an identity that is not known yet may change, so what depends on it is removed first", async () => {
    const { answer, text } = await previewing({ directory: unknown });
    expect(answer).toEqual({ changes: "some", replaces: ["directory"], deleteBeforeReplace: true });
    expect(text[0]).toContain("because directory may change (known during up)");
  });

  test("in up itself prints no plan again: the steps say what they do", async () => {
    const { answer, text } = await previewing({ parts: 3 }, false);
    expect([answer.changes, text]).toEqual(["some", []]);
    await host.check({ host: "local", directory: "/srv/new", ...beside("one", false) });
    expect(host.lines).toEqual([]);
  });

  test("in a refresh says what the next up would do", async () => {
    const seen = { ...olds, text: "drift", __sluice: remembered({ text: "drift" }) };
    const { __sluice, count, ...inputs } = olds;
    expect([__sluice.stateVersion, count]).toEqual([1, "2"]);
    await using refresh = await startDynamicHost(files.program);
    expect(await refresh.diff("local:/srv/old", seen, inputs)).toMatchObject({ changes: "some" });
    expect(refresh.lines[0]?.text.split("\n")[0]).toBe("files old@local, at the next `pulumi up`: 1 step");
  });

  test("state of an older version without fields that have a default today is not a change", async () => {
    const { partSeconds, failure, label, ...older } = olds;
    expect([partSeconds, failure, label]).toEqual([60, "none", "old"]);
    const { inputs } = await host.check({ host: "local", directory: "/srv/old", ...beside("one", true) }, older);
    expect((await host.diff("local:/srv/old", older, bag(inputs))).changes).toBe("none");
  });

  test("state of a newer version is refused by every call that gets it", async () => {
    const newer = { ...olds, __sluice: { ...olds.__sluice, stateVersion: 3 } };
    const calls = [
      host.diff("a", newer, olds),
      host.update("a", newer, olds),
      host.read("a", newer),
      host.delete("a", newer),
    ];
    for (const call of calls)
      expect((await failureOf(call)).message.split("\n")[0]).toBe(
        "sluice: cannot read the stack's state, a newer pulumi-sluice wrote it (STATE_TOO_NEW)",
      );
  });
});
