import { z } from "zod";
import { lookAround } from "../../../../commands/status/look";
import { SluiceError } from "../../../../provider/errors";
import { closeHosts } from "../../../../provider/host/pool";
import { absent, inOrder, nothing } from "../../../../provider/plan/plan";
import { defineRoom } from "../../../../provider/room";
import { unseen } from "../../../../provider/status";

afterAll(closeHosts);

interface Seen {
  readonly version: string;
}

const declaration = z.strictObject({
  host: z.string(),
  password: z.string().meta({ secret: true }),
  port: z.int().default(3306),
});
type Declared = z.output<typeof declaration>;

/** A room whose servers answer, refuse, or break, by the name of their host. */
type SetBack = { readonly kind: "set-back"; readonly to: string };

const room = defineRoom<Declared, Seen, object, SetBack>({
  kind: "TestServer",
  schema: { declaration, outputs: {} },
  object: ({ host, port }) => `server ${host}:${String(port)}`,
  id: ({ host }) => host,
  locks: ({ host }) => [{ host: "local", name: host, mode: "exclusive" }],
  blank: { version: "never seen" },
  observe: ({ host, password }) => {
    if (host === "refuses")
      throw new SluiceError({
        code: "SERVER_LOGIN_REFUSED",
        object: host,
        what: "lets nobody in",
        found: `with ${password}`,
      });
    if (host === "breaks") throw new Error(`cannot read properties of ${password}`);
    return Promise.resolve({ settled: { version: "9.7.4" }, live: {} });
  },
  exists: () => true,
  seal: { of: () => null, write: (_seal, { seen }) => Promise.resolve(seen.settled) },
  plan: (wanted, _seen, { object }) => {
    if (wanted === absent) return nothing;
    if (wanted.host === "taken") throw new SluiceError({ code: "OWNERSHIP_FOREIGN", object, what: "is another's" });
    return inOrder<SetBack>(wanted.host === "drifted" && { kind: "set-back", to: wanted.password });
  },
  say: { "set-back": ({ to }) => ({ what: `set ${to} back` }) },
  perform: { "set-back": () => Promise.resolve() },
  withinSeconds: () => 1,
  outputs: () => ({}),
  asDeclared: () => ({}),
  status: ({ host, port }, { settled }) => ({
    shows: { server: { ...unseen(`${host}:${String(port)}`), version: settled.version } },
    health: { isWell: true, words: "running" },
    json: {},
  }),
});

const object = (host: string, more: object = {}, kind = "TestServer") => ({
  urn: `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/sluice:${kind}::${host}`,
  kind,
  inputs: { host, password: "hunter2hunter2", __provider: "..." },
  outputs: { host, password: "hunter2hunter2", __provider: "...", ...more },
});

const look = async (...objects: ReturnType<typeof object>[]) => lookAround(objects, [room]);

describe("looking at a stack's objects", () => {
  test("asks each with what state holds, defaults filled in that it lacks", async () => {
    const [sight] = await look(object("db-1"));
    expect(sight).toMatchObject({
      name: "db-1",
      object: "server db-1:3306",
      status: { shows: { server: { endpoint: "db-1:3306", version: "9.7.4" } } },
      problem: null,
    });
  });

  test("takes for declared what the program said, and not what a refresh found", async () => {
    const [sight] = await look(object("db-1", { port: 9999 }));
    expect(sight).toMatchObject({ status: { shows: { server: { endpoint: "db-1:3306" } } } });
  });

  test("calls one that runs and is not as declared not healthy, with what `up` would do", async () => {
    const [sight] = await look(object("drifted"));
    expect(sight).toMatchObject({
      status: { health: { isWell: false, words: "running, differs from its declaration: set «secret» back" } },
      steps: ["set «secret» back"],
      problem: null,
    });
  });

  test("keeps what was seen of one that `up` would refuse, and says why it would", async () => {
    const [sight] = await look(object("taken"));
    expect(sight).toMatchObject({
      status: { shows: { server: { version: "9.7.4" } } },
      problem: { code: "OWNERSHIP_FOREIGN" },
    });
  });

  test("shows what is remembered of one that refuses, and the others as they are", async () => {
    const remembered = { __sluice: { stateVersion: 1, owner: "shop/dev/refuses", settled: '{"version":"8.4.6"}' } };
    const [refuses, blank, well] = await look(object("refuses", remembered), object("refuses"), object("db-1"));
    expect(refuses).toMatchObject({
      status: { shows: { server: { version: "8.4.6" } } },
      problem: { code: "SERVER_LOGIN_REFUSED" },
    });
    expect(blank).toMatchObject({ status: { shows: { server: { version: "never seen" } } } });
    expect(well?.problem).toBeNull();
  });

  test("lets no secret into an error, expected or not", async () => {
    const sights = await look(object("refuses"), object("breaks"));
    expect(sights[1]?.problem?.code).toBe("INTERNAL_ERROR");
    for (const { problem } of sights) {
      expect(problem?.message).toContain("«secret»");
      expect(JSON.stringify(problem?.problem)).not.toContain("hunter2");
    }
  });

  test("says of state that a newer version wrote what it is, and shows the others", async () => {
    const [newer, well] = await look(object("db-2", { __sluice: { stateVersion: 99 } }), object("db-1"));
    expect(newer).toMatchObject({ name: "db-2", status: null, problem: { code: "STATE_TOO_NEW" } });
    expect(well?.problem).toBeNull();
  });

  test("names what it does not know instead of leaving it out", async () => {
    const [sight] = await look(object("daily", {}, "Snapshot"));
    expect(sight).toMatchObject({ name: "daily", status: null, problem: { code: "STATE_TOO_NEW" } });
  });
});
