import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { shell } from "../../../../provider/pulumi/shell";
import { ReplicationChannel, StagingDatabase } from "../../../../resources";
import { FileRoom } from "../../../harness/file-room-resource";

const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const urnOf = (type: string, name: string) => `urn:pulumi:dev::shop::${type}::${name}`;
const type = "pulumi-nodejs:dynamic/sluice:FileRoom";

/** What the SDK sends to the engine for a resource: the raw request. Mocks themselves see secrets unwrapped. */
async function requestOf(make: () => pulumi.Resource, isPreview = false, of = type): Promise<RegisterResourceRequest> {
  const mocks = { newResource: ({ inputs }: { inputs: object }) => ({ id: "id", state: inputs }), call: () => ({}) };
  await pulumi.runtime.setMocks(mocks, "shop", "dev", isPreview);
  const monitor = pulumi.runtime.getMonitor() as unknown as Record<
    "registerResource",
    (request: RegisterResourceRequest, done: unknown) => unknown
  >;
  const register = monitor.registerResource.bind(monitor);
  const requests: RegisterResourceRequest[] = [];
  monitor.registerResource = (request, done) => {
    requests.push(request);
    return register(request, done);
  };
  const resource = make();
  await new Promise((resolve) => {
    resource.urn.apply(resolve);
  });
  const found = requests.find((request) => request.getType() === of);
  if (found === undefined) throw new Error("the resource was not registered");
  return found;
}

const inputsOf = async (
  args: ConstructorParameters<typeof FileRoom>[1],
  isPreview = false,
): Promise<Record<string, unknown>> => {
  const request = await requestOf(() => new FileRoom("one", args), isPreview);
  const { __provider, __urn, __preview, ...inputs } = (request.getObject()?.toJavaScript() ?? {}) as Record<
    string,
    unknown
  >;
  expect([__provider, __urn, __preview]).toEqual([shell("FileRoom"), urnOf(type, "one"), isPreview]);
  return inputs;
};

/** What only `up` knows, as an Output of another resource has it in a preview. */
const later = <T>(value: T): pulumi.Output<T> => {
  const isKnown = Promise.resolve(false);
  return new (pulumi.Output as unknown as new (...parts: unknown[]) => pulumi.Output<T>)(
    new Set(),
    Promise.resolve(value),
    isKnown,
    Promise.resolve(false),
    Promise.resolve(new Set()),
  );
};

describe("secrets of a program", () => {
  const machine = { address: "stage-1", privateKey: "KEY", proxy: { address: "jump", password: "JUMP" } };
  const marked = {
    address: "stage-1",
    privateKey: secret("KEY"),
    proxy: { address: "jump", password: secret("JUMP") },
  };

  test("are marked leaf by leaf, whether the program marked them or not", async () => {
    expect(await inputsOf({ host: machine, directory: "/a", password: "P", access: { token: "T" } })).toEqual({
      host: marked,
      directory: "/a",
      password: secret("P"),
      access: { token: secret("T") },
    });
    const said = {
      ...machine,
      privateKey: pulumi.secret("KEY"),
      proxy: { address: "jump", password: pulumi.secret("JUMP") },
    };
    expect(await inputsOf({ host: said, directory: "/a" })).toEqual({ host: marked, directory: "/a" });
  });

  test.each([
    ["an Output", (value: object) => pulumi.output(value)],
    ["a Promise", (value: object) => Promise.resolve(value)],
    ["an Output inside an Output", (value: object) => pulumi.output(Promise.resolve(pulumi.output(value)))],
  ] as const)("are marked leaf by leaf in an object that comes as %s", async (_kind, wrap) => {
    expect(await inputsOf({ host: wrap(machine) as pulumi.Output<typeof machine>, directory: "/a" })).toEqual({
      host: marked,
      directory: "/a",
    });
    const halfway = { ...machine, proxy: wrap(machine.proxy) as pulumi.Output<typeof machine.proxy> };
    expect(await inputsOf({ host: halfway, directory: "/a" })).toEqual({ host: marked, directory: "/a" });
  });

  test("of an object that is a secret as a whole stay so", async () => {
    const { host } = await inputsOf({ host: pulumi.secret(machine), directory: "/a" });
    expect(host).toEqual(secret(expect.objectContaining({ address: "stage-1" })));
  });

  test("are found where another form of the property has none", async () => {
    expect(await inputsOf({ host: pulumi.output("local" as const), directory: "/a" })).toEqual({
      host: "local",
      directory: "/a",
    });
  });

  test("what is only known during up stays unknown in a preview", async () => {
    const args = {
      host: later(machine),
      directory: later("/a"),
      password: later("P"),
      access: { user: later("u"), token: "T" },
    };
    expect(await inputsOf(args, true)).toEqual({
      host: unknown,
      directory: unknown,
      password: unknown,
      access: { user: unknown, token: secret("T") },
    });
  });

  test("the program's own object is left as it was", async () => {
    const args = { host: machine, directory: "/a", password: "P" };
    const before = structuredClone(args);
    await inputsOf(args);
    expect(args).toEqual(before);
  });
});

describe("a channel into a staging database's server", () => {
  const type = "pulumi-nodejs:dynamic/sluice:ReplicationChannel";
  const staging = () => new StagingDatabase("orders", { host: "local", directory: "/srv/orders", seed: "none" });
  const source = { address: "db-1", user: "sync" };
  const deletedWith = async (make: () => pulumi.Resource) => (await requestOf(make, false, type)).getDeletedwith();

  test("is deleted with it, so that a stopped one can be destroyed", async () => {
    const made = deletedWith(() => new ReplicationChannel("feed", { replica: staging().server, source }));
    expect(await made).toBe(urnOf("pulumi-nodejs:dynamic/sluice:StagingDatabase", "orders"));
  });

  test("is deleted by itself where the program says so, and into any other server", async () => {
    const own = { deletedWith: undefined } as unknown as pulumi.CustomResourceOptions;
    const replica = { address: "db-2", user: "admin" };
    expect(await deletedWith(() => new ReplicationChannel("feed", { replica: staging().server, source }, own))).toBe(
      "",
    );
    expect(await deletedWith(() => new ReplicationChannel("feed", { replica, source }))).toBe("");
  });
});

describe("one resource feeds the next", () => {
  const host = { address: "stage-1", privateKey: "KEY" };
  const source = { address: "db-1", user: "sync", password: "P", tls: { ca: "CA", key: "K", cert: "C" } };
  const make = () => {
    const orders = new StagingDatabase("orders", { host, directory: "/srv/orders", source });
    return new ReplicationChannel("orders", { replica: orders.server, source, start: orders.seedPosition });
  };
  const channel = "pulumi-nodejs:dynamic/sluice:ReplicationChannel";

  test("only the secret leaves of `server` are hidden from the reader of a diff", async () => {
    const request = await requestOf(make, false, channel);
    const { replica, source: from } = (request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>;
    expect(replica).toMatchObject({ host: { address: "stage-1", privateKey: secret("KEY") } });
    expect(from).toEqual({ ...source, password: secret("P"), tls: { ca: "CA", key: secret("K"), cert: "C" } });
  });

  test("a channel waits for its staging database", async () => {
    const request = await requestOf(make, false, channel);
    expect(request.getDependenciesList()).toEqual([urnOf("pulumi-nodejs:dynamic/sluice:StagingDatabase", "orders")]);
  });
});

describe("options of a resource", () => {
  test("its URN is known under a parent, too", async () => {
    const parent = () => new pulumi.ComponentResource("my:shop:Component", "parent");
    const request = await requestOf(
      () => new FileRoom("one", { host: "local", directory: "/a" }, { parent: parent() }),
    );
    const sent = request.getObject()?.toJavaScript() as Record<string, unknown>;
    expect(sent["__urn"]).toBe(urnOf(`my:shop:Component$${type}`, "one"));
  });

  test("reach the engine", async () => {
    const opts = {
      aliases: [{ name: "old" }],
      protect: true,
      retainOnDelete: true,
      replaceOnChanges: ["text"],
      ignoreChanges: ["parts"],
      additionalSecretOutputs: ["count"],
      customTimeouts: { create: "1h" },
    };
    const request = await requestOf(() => new FileRoom("one", { host: "local", directory: "/a" }, opts));
    expect(request.getProtect()).toBe(true);
    expect(request.getRetainondelete()).toBe(true);
    expect(request.getReplaceonchangesList()).toEqual(["text"]);
    expect(request.getIgnorechangesList()).toEqual(["parts"]);
    expect(request.getAdditionalsecretoutputsList()).toEqual(["count"]);
    expect(
      [...request.getAliasesList().map((alias) => alias.getSpec()?.getName()), ...request.getAliasurnsList()].join(),
    ).toContain("old");
  });
});

describe("outputs", () => {
  test("inputs, what check fills in, and outputs are properties of the resource", async () => {
    let made: FileRoom | undefined;
    await requestOf(() => (made = new FileRoom("one", { host: "local", directory: "/a", text: "hi" })));
    expect(made?.directory).toBeInstanceOf(Object);
    for (const key of ["directory", "text", "password", "label", "count", "text64"])
      expect(pulumi.Output.isInstance(made?.[key as keyof FileRoom])).toBe(true);
  });
});

/** Compiled by `npm run check`: what a program may write, and what it may not. */
export const programs = (): void => {
  const config = new pulumi.Config();
  const place = pulumi.output("/a");
  new FileRoom("plain", { host: "local", directory: "/a" });
  new FileRoom("defaults are left out", { host: { address: "stage-1" }, directory: "/a", access: {} });
  new FileRoom("outputs", { host: pulumi.output("local" as const), directory: place, parts: pulumi.output(3) });
  new FileRoom("outputs below", {
    host: {
      address: place,
      privateKey: config.requireSecret("key"),
      proxy: { address: "jump", port: pulumi.output(22) },
    },
    directory: pulumi.interpolate`${place}/b`,
    access: pulumi.output({ user: "a", token: "b" }),
  });
  new FileRoom("objects that come later", {
    host: config.requireSecretObject<{ address: string }>("host"),
    directory: "/a",
  });
  new FileRoom("promises", { host: "local", directory: Promise.resolve("/a") });
  // @ts-expect-error: the directory is missing
  new FileRoom("incomplete", { host: "local" });
  // @ts-expect-error: there is no such property
  new FileRoom("stranger", { host: "local", directory: "/a", directry: "/b" });
  // @ts-expect-error: a number
  new FileRoom("wrong type", { host: "local", directory: "/a", parts: "3" });
  // @ts-expect-error: a number, inside an Output too
  new FileRoom("wrong type later", { host: "local", directory: "/a", parts: pulumi.output("3") });
  // @ts-expect-error: not a form of host
  new FileRoom("wrong form", { host: "remote", directory: "/a" });
};
