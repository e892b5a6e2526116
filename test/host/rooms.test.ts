import { mkdir } from "node:fs/promises";
import path from "node:path";
import { shell, typeToken } from "../../provider/pulumi/shell";
import { rooms } from "../../resources/rooms";
import { everyRoom, identityOf } from "../contract/samples";
import { declare, settled, settledChannel } from "../samples/replication-channel";
import { startDynamicHost, type DynamicHost } from "../harness/dynamic-host";

jest.setTimeout(60_000); // a provider process starts in 0.4 s on an idle machine; the other floors run beside this one

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** A folder of the checkout: there `pulumi-sluice` is the checkout itself, compiled. */
const program = path.resolve(__dirname, "..", "..", ".cache", "host");
const samples = everyRoom
  .filter(({ room }) => rooms.includes(room))
  .map((sample) => [sample.room.kind, sample] as const);

let host: DynamicHost;

beforeAll(async () => {
  await mkdir(program, { recursive: true });
  host = await startDynamicHost(program);
});
afterAll(() => host.close());
beforeEach(() => {
  host.lines.length = 0;
});

const urnOf = (kind: string) => `urn:pulumi:dev::shop::${typeToken(kind)}::orders`;
const beside = (kind: string) => ({ __provider: shell(kind), __urn: urnOf(kind), __preview: true });

/** A dynamic provider gets secrets plain. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if ("4dabf18193072939515e22adb298388d" in value) return plain((value as { value?: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
};
const inputsOf = async (kind: string, written: Record<string, unknown>) => {
  const { inputs, failures } = await host.check({ ...written, ...beside(kind) });
  expect(failures).toEqual([]);
  return inputs;
};

describe.each(samples)("%s, as the package serves it", (kind, { written, settled: seenBefore }) => {
  test("is found by its constant name", () => {
    expect(shell(kind)).toBe(`exports.handler = () => require("pulumi-sluice/dynamic").provider("${kind}");`);
  });

  test("a new one's plan is printed under its URN, and no secret in it or in what is sent back plain", async () => {
    for (const raw of written) {
      const inputs = await inputsOf(kind, raw);
      const marked = /"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","value":"[^"]*"/g;
      expect(JSON.stringify(inputs).replaceAll(marked, "")).not.toContain("secret:");
    }
    expect(host.lines.map(({ urn }) => urn)).toEqual(host.lines.map(() => urnOf(kind)));
    const texts = host.lines.map(({ text }) => text).join("\n");
    expect(texts).toMatch(/: \d+ steps?\n {2}1\. /);
    expect(`${texts}${host.printed()}`).not.toContain("secret:");
  });

  test("a first preview that knows nothing yet fails nowhere", async () => {
    for (const raw of written) for (const key of Object.keys(raw)) await inputsOf(kind, { ...raw, [key]: unknown });
    expect(host.lines.map(({ text }) => text).join("\n")).not.toContain(unknown);
  });

  test("a diff of the same is none where nothing is to be done, and never prints a secret", async () => {
    for (const raw of written) {
      const inputs = plain(await inputsOf(kind, raw)) as Record<string, unknown>;
      for (const seen of seenBefore) {
        const state = {
          ...inputs,
          __sluice: { stateVersion: 2, identity: identityOf(kind), settled: JSON.stringify(seen) },
        };
        const answer = await host.diff("id", state, inputs).catch((error: unknown) => String(error));
        if (typeof answer !== "string") expect(answer).toMatchObject({ replaces: [], deleteBeforeReplace: false });
        else expect(answer).toMatch(/\([A-Z]+_[A-Z_]+\)/);
      }
    }
    expect(`${host.lines.map(({ text }) => text).join("\n")}${host.printed()}`).not.toContain("secret:");
  });

  test("another identity replaces, one that is not known yet too", async () => {
    const inputs = plain(await inputsOf(kind, written[0] ?? {})) as Record<string, unknown>;
    const state = {
      ...inputs,
      __sluice: { stateVersion: 2, identity: identityOf(kind), settled: JSON.stringify(seenBefore[0]) },
    };
    const identity = kind === "StagingDatabase" ? "directory" : "channel";
    for (const value of [unknown, kind === "StagingDatabase" ? "/srv/elsewhere" : "elsewhere"])
      expect(await host.diff("id", state, { ...inputs, [identity]: value })).toEqual({
        changes: "some",
        replaces: [identity],
        deleteBeforeReplace: true,
      });
  });
});

test("a start that only `up` will know is not a change of the channel, and another one is recorded", async () => {
  const kind = "ReplicationChannel";
  const wanted = declare({ start: { gtidSet: "11111111-1111-1111-1111-111111111111:1-5" } });
  const seen = settled(settledChannel(wanted));
  const inputs = { ...wanted, ...beside(kind) };
  const state = {
    ...inputs,
    __sluice: { stateVersion: 2, identity: { ...identityOf(kind), seal: null }, settled: JSON.stringify(seen) },
  };
  const same = { changes: "none", replaces: [], deleteBeforeReplace: false };
  host.lines.length = 0;
  for (const start of [wanted.start, unknown, { gtidSet: unknown }, { file: unknown, position: unknown }])
    expect(await host.diff("id", state, { ...inputs, start })).toEqual(same);
  expect(host.lines).toEqual([]);
  expect(await host.diff("id", state, { ...inputs, start: "auto" })).toMatchObject({ changes: "some", replaces: [] });
  expect(await host.diff("id", state, { ...inputs, delaySeconds: unknown })).toMatchObject({ changes: "some" });
});

describe("the channel's name, where a program gives none", () => {
  const kind = "ReplicationChannel";
  const written = {
    replica: { host: "local", socket: "/srv/a/run/mysqld.sock", user: "sluice" },
    source: { address: "db-1", user: "repl" },
  };
  const named = (name: string) => ({ ...beside(kind), __urn: urnOf(kind).replace(/orders$/, name) });
  const checked = async (name: string, olds: Record<string, unknown> = {}) => {
    const { inputs } = await host.check({ ...written, ...named(name) }, olds);
    return plain(inputs) as Record<string, unknown>;
  };

  test("stays what it was when the resource gets another one by an alias, once or twice", async () => {
    const made = await checked("orders");
    expect(made).toMatchObject({ channel: "orders" });
    const renamed = await checked("stock", made);
    expect(renamed).toMatchObject({ channel: "orders", __name: "orders", __urn: named("stock").__urn });
    const state = { ...made, __sluice: { stateVersion: 2, identity: identityOf(kind), settled: null } };
    expect(await host.diff("id", state, renamed)).toMatchObject({ replaces: [] });
    expect(await checked("shop", renamed)).toMatchObject({ channel: "orders", __name: "orders" });
    const back = await checked("orders", renamed);
    expect([back["channel"], back["__name"]]).toEqual(["orders", undefined]);
  });

  test("is the new one when the resource is replaced", async () => {
    expect(await checked("stock")).toMatchObject({ channel: "stock" });
  });
});

test("a kind that the installed version does not know is named", async () => {
  await expect(host.check({ ...beside("Elsewhere") })).rejects.toThrow("pulumi-sluice has no resource Elsewhere");
});
