import { markOf, type Identity } from "../../../../provider/mark/mark";
import { SluiceError } from "../../../../provider/errors";
import { absent } from "../../../../provider/plan/plan";
import { renderPlan } from "../../../../provider/plan/render";
import { checkInputs } from "../../../../provider/schema/check";
import {
  asDeclared,
  blank,
  type Live,
  type Observed,
  type Settled,
} from "../../../../resources/staging-database/facts";
import { plan, say } from "../../../../resources/staging-database/plan";
import { derive, object, schema, type Declaration } from "../../../../resources/staging-database/schema";
import { expectGolden } from "../../../harness/golden";
import { binariesOf, runningInstance } from "../../../samples/server";
import {
  context,
  declare,
  half,
  identity,
  quiet,
  record,
  settled as converged,
} from "../../../samples/staging-database";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const kinds = (wanted: Declaration | typeof absent, seen: Observed, before: Declaration | null = null): string[] =>
  plan(wanted, seen, context(before)).steps.map(({ kind }) => kind);

describe("a new staging database", () => {
  test("gets its root password only after the seed, which may bring accounts", () => {
    expect(kinds(declare({ rootPassword: "x" }), { settled: blank, live: null }).slice(-2)).toEqual([
      "seed",
      "set-root-password",
    ]);
  });

  test("reads as a DBA would say it", () => {
    const declared = declare();
    const text = renderPlan(object(declared, "orders"), plan(declared, { settled: blank, live: null }, context()), say);
    expectGolden("plans/staging-database-new.txt", text);
  });

  test.each([["host"], ["directory"], ["source"], ["seed"], ["port"]])("can be planned while %s is unknown", (key) => {
    const given = { host: "local", directory: "/srv/a", source: { address: "db-1", user: "u" }, [key]: unknown };
    const { inputs, problems } = checkInputs(schema, { ...derive(given), ...given });
    expect(problems).toEqual([]);
    expect(kinds(inputs as Declaration, { settled: blank, live: null })).toContain("seed");
  });

  test("names an unknown source as unknown", () => {
    const wanted = { ...declare(), source: unknown } as unknown as Declaration;
    const text = renderPlan("orders", plan(wanted, { settled: blank, live: null }, context()), say);
    expect(text).toContain("seed by a dump of (known during up)");
  });
});

describe("a crash while seeding", () => {
  test("before the data directory was made goes on without throwing anything away", () => {
    expect(
      kinds(declare(), {
        settled: half({ instance: { ...runningInstance, data: "absent", running: false } }),
        live: quiet,
      }),
    ).toEqual(["try-definitions", "configure", "initialise-data", "start-server", "seed"]);
  });

  test("with a dead seed begins with empty data", () => {
    const live: Live = { ...quiet, seed: { state: "failed", request: null } };
    expect(kinds(declare(), { settled: half(), live })).toEqual([
      "try-definitions",
      "stop-server",
      "empty-data",
      "configure",
      "initialise-data",
      "start-server",
      "seed",
    ]);
  });
});

describe("a seeded staging database", () => {
  test("that is as declared needs nothing, in preview and in up", () => {
    const declared = declare({ rootPassword: "x" });
    const settled = converged(declared);
    expect(kinds(declared, { settled, live: null }, declared)).toEqual([]);
    expect(kinds(declared, { settled, live: quiet }, declared)).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    ["a dynamic setting", { config: { max_connections: 99 } }, ["configure", "set-variables"]],
    ["a setting fixed at start", { config: { innodb_buffer_pool_instances: 2 } }, ["configure", "restart-server"]],
    ["a setting that the server may not know", { config: { "loose-x": 2 } }, ["configure", "restart-server"]],
    ["another port", { port: 3307 }, ["configure", "restart-server"]],
    ["another server id", { serverId: 5 }, ["configure", "restart-server"]],
    ["a memory limit", { memoryMaxBytes: 2 ** 30 }, ["configure", "restart-server"]],
    ["writable", { readOnly: false }, ["configure", "set-variables"]],
    ["stopped", { state: "stopped" }, ["stop-server"]],
    [
      "another source, databases and seed: only the next seeding",
      { source: { address: "db-2", user: "u" }, databases: ["a"], seed: "dump" },
      [],
    ],
  ])("%s", (_name, change, expected) => {
    expect(kinds(declare(change), { settled: converged(declare()), live: quiet }, declare())).toEqual(expected);
  });

  test("a dynamic setting that was not declared before has the same steps in preview and in up, whatever value runs", () => {
    const wanted = declare({ config: { max_connections: 99 } });
    const known = converged(declare());
    const running = (value: string): Settled => ({
      ...known,
      server: known.server && { ...known.server, variables: { ...known.server.variables, max_connections: value } },
    });
    const seen = [
      { settled: known, live: null },
      ...["151", "99"].map((value) => ({ settled: running(value), live: quiet })),
    ];
    for (const one of seen) expect(kinds(wanted, one, declare())).toEqual(["configure", "set-variables"]);
    const [preview] = seen.map((one) => plan(wanted, one, context(declare())).steps.at(-1));
    expect(preview).toMatchObject({ because: [{ property: "max_connections", from: "default", to: "99" }] });
  });

  test("a dynamic setting taken out goes back to the server's own before the file forgets it; a start-only one restarts", () => {
    const [old, next] = [declare({ config: { max_connections: 99 } }), declare()];
    const steps = plan(next, { settled: converged(old), live: quiet }, context(old)).steps;
    expect(steps.map(({ kind }) => kind)).toEqual(["set-variables", "configure"]);
    expect(steps[0]).toMatchObject({ because: [{ property: "max_connections", from: "99", to: "default" }] });
    const plugged = declare({ config: { "plugin-load-add": "x.so" } });
    expect(kinds(plugged, { settled: converged(next), live: quiet }, next)).toEqual(["configure", "restart-server"]);
  });

  test("with a new reseed is emptied and seeded again, and says what that costs", () => {
    const wanted = declare({ reseed: "2026-11" });
    const seen = { settled: converged(declare()), live: quiet };
    expect(kinds(wanted, seen, declare())).toEqual([
      "try-definitions",
      "stop-server",
      "empty-data",
      "configure",
      "initialise-data",
      "start-server",
      "seed",
    ]);
    const text = renderPlan(object(wanted, "orders"), plan(wanted, seen, context(declare())), say);
    expectGolden("plans/staging-database-reseed.txt", text);
  });

  test("keeps its data when the reseed text is taken out of the program", () => {
    const settled = { ...converged(declare()), mark: markOf(identity, { ...record, reseed: "2026-11" }) };
    expect(kinds(declare(), { settled, live: quiet }, declare({ reseed: "2026-11" }))).toEqual([]);
  });

  test("takes no result of an earlier seeding for that of the new one", () => {
    const seen = {
      settled: converged(declare()),
      live: { ...quiet, seed: { state: "finished" as const, request: null } },
    };
    expect(kinds(declare({ reseed: "2" }), seen, declare())).toContain("empty-data");
  });

  test("is as declared with what the server makes of a value, and not with what somebody set", () => {
    const declared = declare({ config: { innodb_buffer_pool_size: "300M" } });
    const adjusted = { innodb_buffer_pool_size: { asked: "300M", got: "402653184" } };
    const running = (bytes: string): Settled => {
      const settled = converged(declared);
      const server = settled.server && {
        ...settled.server,
        variables: { ...settled.server.variables, innodb_buffer_pool_size: bytes },
      };
      return { ...settled, mark: markOf(identity, { ...record, adjusted }), server };
    };
    expect(kinds(declared, { settled: running("402653184"), live: quiet })).toEqual([]);
    expect(asDeclared(declared, running("402653184"))).toMatchObject({ config: declared.config });
    expect(kinds(declared, { settled: running("134217728"), live: quiet })).toEqual(["set-variables"]);
    expect(asDeclared(declared, running("134217728"))).toMatchObject({
      config: { innodb_buffer_pool_size: "134217728" },
    });
  });

  test("that runs and does not answer is waited for", () => {
    const settled = { ...converged(declare()), server: null };
    expect(kinds(declare(), { settled, live: quiet })).toEqual(["start-server"]);
  });

  test("is not stopped for a port that another process has", () => {
    const live = { ...quiet, portListener: { pid: 7, command: "nginx", ours: false } };
    expect(() => kinds(declare({ port: 3307 }), { settled: converged(declare()), live })).toThrow(/port 3307/);
    expect(kinds(declare(), { settled: converged(declare()), live })).toEqual([]);
  });

  test("that somebody stopped is started, and one that somebody made writable is made read-only", () => {
    const declared = declare();
    const settled = converged(declared);
    const stopped = { ...settled, instance: settled.instance && { ...settled.instance, running: false } };
    expect(kinds(declared, { settled: stopped, live: quiet })).toEqual(["start-server"]);
    const writable = converged(declared, {
      server: { version: "9.7.4", uuid: "u", rootPasswordMatches: false, variables: { super_read_only: "OFF" } },
    });
    expect(kinds(declared, { settled: writable, live: quiet })).toEqual(["set-variables"]);
  });

  test("is restarted for another user of its host, who is let in by the init file only; a preview knows that too", () => {
    const [old, next] = [declare(), declare({ host: { address: "stage-1", user: "ana" } })];
    const because = [{ property: "management account", from: "unix user root", to: "unix user ana" }];
    const steps = [
      { kind: "configure", because },
      { kind: "restart-server", because },
    ];
    const settled = converged(old);
    expect(plan(next, { settled, live: null }, context(old)).steps).toEqual(steps);
    const seen: Settled = {
      ...settled,
      runtime: settled.runtime && { ...settled.runtime, connectedUser: "ana" },
      instance: settled.instance && { ...settled.instance, refusesUs: true },
      server: null,
    };
    expect(plan(next, { settled: seen, live: quiet }, context(old)).steps).toEqual(steps);
    const namesake = declare({ host: { address: "stage-1", user: "sluice" } });
    expect(kinds(namesake, { settled, live: null }, old)).toEqual(["configure"]);
  });

  test("that refuses its management account makes it anew at a restart; an init file that was edited waits for the next one", () => {
    const settled = converged(declare());
    const instance = (change: Partial<NonNullable<Settled["instance"]>>): Settled => ({
      ...settled,
      instance: settled.instance && { ...settled.instance, ...change },
    });
    const refused = { ...instance({ refusesUs: true }), server: null };
    expect(kinds(declare(), { settled: refused, live: quiet })).toEqual(["configure", "restart-server"]);
    for (const init of [null, { osUser: "root", digest: "edited" }])
      expect(kinds(declare(), { settled: instance({ init }), live: quiet })).toEqual(["configure"]);
  });

  test("with another password: a preview compares declarations, up asks the server", () => {
    const [old, next] = [declare({ rootPassword: "a" }), declare({ rootPassword: "b" })];
    expect(kinds(next, { settled: converged(old), live: null }, old)).toEqual(["set-root-password"]);
    expect(kinds(next, { settled: converged(old), live: quiet }, old)).toEqual([]);
  });
});

test("a root password that is taken out of the program is taken from the server, in preview and in up, when it runs", () => {
  const [old, next] = [declare({ rootPassword: "a" }), declare()];
  const settled = { ...converged(old), mark: markOf(identity, { ...record, hasRootPassword: true }) };
  for (const live of [null, quiet]) {
    expect(kinds(next, { settled, live }, old)).toEqual(["take-root-password"]);
    expect(kinds(next, { settled: { ...settled, mark: markOf(identity, record) }, live }, old)).toEqual([]);
    expect(kinds(old, { settled, live }, old)).toEqual([]);
    expect(kinds(declare({ state: "stopped" }), { settled, live }, old)).toEqual(["stop-server"]);
    expect(kinds(declare({ reseed: "2" }), { settled, live }, old)).not.toContain("take-root-password");
  }
});

describe("accounts", () => {
  const account = (password = "hidden", grants = ["SELECT ON shop.*"]) => [{ name: "reader", password, grants }];
  const seen = (changes: object = {}) =>
    [
      {
        name: "reader",
        host: "%",
        purpose: "declared",
        grants: ["SELECT ON shop.*"],
        others: [],
        tls: "required",
        isUsable: true,
        ...changes,
      },
    ] as NonNullable<NonNullable<Settled["server"]>["accounts"]>;
  const withAccounts = (declared: Declaration, accounts = seen()): Settled => {
    const settled = converged(declared);
    return { ...settled, server: settled.server && { ...settled.server, accounts } };
  };

  test("of a new server are made behind its data; one that is as declared changes nothing", () => {
    const declared = declare({ accounts: account() });
    expect(kinds(declared, { settled: blank, live: null }).slice(-2)).toEqual(["seed", "change-accounts"]);
    expect(kinds(declared, { settled: withAccounts(declared), live: quiet }, declared)).toEqual([]);
  });

  test("change in preview and in up; an older state knows none", () => {
    const [old, next] = [declare({ accounts: account() }), declare({ accounts: account("other") })];
    expect(kinds(next, { settled: withAccounts(old), live: null }, old)).toEqual(["change-accounts"]);
    expect(kinds(next, { settled: withAccounts(old, seen({ isUsable: false })), live: quiet }, old)).toEqual([
      "change-accounts",
    ]);
    expect(kinds(declare(), { settled: withAccounts(old), live: null }, old)).toEqual(["change-accounts"]);
    expect(kinds(declare(), { settled: converged(old), live: null }, old)).toEqual([]);
    expect(kinds(old, { settled: converged(old), live: null }, old)).toEqual(["change-accounts"]);
  });

  test("of a clone that are not ours are refused, unless they are adopted", () => {
    const [declared, adopting] = [account(), account().map((one) => ({ ...one, adopt: true }))];
    const settled = withAccounts(declare(), seen({ purpose: null }));
    expect(() => kinds(declare({ accounts: declared }), { settled, live: quiet })).toThrow(/OWNERSHIP_UNMARKED/);
    expect(kinds(declare({ accounts: adopting }), { settled, live: quiet })).toEqual(["change-accounts"]);
  });
});

test("data behind a link that somebody made is neither removed nor thrown away; a server without its data is not started", () => {
  const declared = declare();
  const settled = converged(declared);
  const having = (change: Partial<NonNullable<Settled["instance"]>>): Settled => ({
    ...settled,
    instance: settled.instance && { ...settled.instance, ...change },
  });
  for (const live of [null, quiet]) {
    const linked = { settled: having({ dataLink: "/big/data" }), live };
    expect(kinds(declared, linked)).toEqual([]);
    expect(() => kinds(absent, linked)).toThrow(/orders\/data -> \/big\/data/);
    expect(() => kinds(declare({ reseed: "2" }), linked)).toThrow(/STORAGE_DATA_LINKED/);
    const missing = { settled: having({ data: "absent", running: false }), live };
    expect(() => kinds(declared, missing)).toThrow(/STORAGE_DATA_MISSING/);
    expect(kinds(declare({ reseed: "2" }), missing)).toEqual([
      "try-definitions",
      "configure",
      "initialise-data",
      "start-server",
      "seed",
    ]);
    expect(kinds(absent, missing)).toEqual(["remove-server"]);
  }
});

describe("on a host without mysqld", () => {
  const gone: Live = {
    ...quiet,
    binariesProblem: new SluiceError({ code: "SERVER_BINARY_MISSING", object: "orders", what: "there is no mysqld" }),
  };

  test("nothing is begun, and nothing is started or changed that would need it", () => {
    const stopped = converged(declare({ state: "stopped" }));
    for (const [wanted, settled] of [
      [declare(), blank],
      [declare({ adopt: true }), { ...blank, directory: "foreign files", unclaimedData: true }],
      [declare({ config: { max_connections: 99 } }), converged(declare())],
      [declare({ baseDirectory: "/opt/mysql" }), converged(declare())],
      [declare(), { ...converged(declare()), binaries: null }],
      [declare(), { ...stopped, instance: stopped.instance && { ...stopped.instance, running: false } }],
    ] as const)
      expect(() => kinds(wanted, { settled, live: gone })).toThrow(/SERVER_BINARY_MISSING/);
  });

  test("a server that runs as declared goes on, is stopped, is removed", () => {
    const settled = converged(declare());
    expect(kinds(declare(), { settled, live: gone })).toEqual([]);
    expect(kinds(declare({ state: "stopped" }), { settled, live: gone })).toEqual(["stop-server"]);
    expect(kinds(absent, { settled, live: gone })).toEqual(["stop-server", "remove-server"]);
    expect(kinds(absent, { settled: { ...settled, binaries: null }, live: gone })).toEqual([
      "stop-server",
      "remove-server",
    ]);
  });
});

describe("what is not ours", () => {
  const code = (settled: Settled, live: Live = quiet, change: Record<string, unknown> = {}): string => {
    try {
      plan(declare(change), { settled, live }, context());
    } catch (error) {
      if (error instanceof SluiceError) return error.code;
      throw error;
    }
    return "accepted";
  };

  test("a directory with files, another owner's, a taken port, another storage are refused by name", () => {
    expect(code({ ...blank, directory: "foreign files" })).toBe("STORAGE_DIRECTORY_NOT_EMPTY");
    expect(code({ ...converged(declare()), mark: markOf({ ...identity, name: "else/dev/x" }, record) })).toBe(
      "OWNERSHIP_FOREIGN",
    );
    expect(code({ ...converged(declare()), mark: markOf({ ...identity, seal: "x" }, record) })).toBe(
      "OWNERSHIP_OTHER_STATE",
    );
    expect(code(blank, { ...quiet, portListener: { pid: 7, command: "nginx", ours: false } })).toBe(
      "SERVER_PORT_TAKEN",
    );
    expect(code({ ...blank, storageKind: "btrfs" }, quiet, { storage: "zfs" })).toBe("STORAGE_KIND_DIFFERS");
  });

  test("what another state of the same name holds is taken over as it is, with another reseed text too", () => {
    const settled = { ...converged(declare()), mark: markOf({ ...identity, seal: "x" }, { ...record, reseed: "1" }) };
    const steps = kinds(declare({ adopt: true, reseed: "2" }), { settled, live: quiet });
    expect(steps).toEqual(["take-over"]);
  });

  test("another machine with the same host key is not taken for the one it was made on", () => {
    const at = (address: string) => declare({ host: { address, hostKey: "SHA256:x" } });
    const moved = (settled: Settled) =>
      plan(
        at("stage-2"),
        { settled, live: quiet },
        { ...context(), before: { declared: at("stage-1"), settled: converged(at("stage-1")) } },
      );
    expect(() => moved(blank)).toThrow(/HOST_OTHER_MACHINE/);
    expect(moved(converged(at("stage-2"))).steps).toEqual([]);
  });

  test("data that is there already is refused, and with adopt taken over without ever being emptied or seeded", () => {
    const found: Settled = { ...blank, directory: "foreign files", unclaimedData: true };
    expect(code(found)).toBe("STORAGE_DIRECTORY_NOT_EMPTY");
    expect(code({ ...found, directory: "ours" })).toBe("OWNERSHIP_UNMARKED");
    expect(code({ ...found, unclaimedData: false }, quiet, { adopt: true })).toBe("STORAGE_DIRECTORY_NOT_EMPTY");
    const preview = plan(declare({ adopt: true }), { settled: blank, live: null }, context());
    expect(renderPlan("orders", preview, say)).toContain(
      "take over directory /srv/mysql/orders if data is in it: keeps the data",
    );
    expect(kinds(declare({ adopt: true }), { settled: found, live: quiet })).toEqual([
      "claim-directory",
      "configure",
      "start-server",
    ]);
    const silent = new SluiceError({ code: "SOURCE_UNREACHABLE", object: "source", what: "does not answer" });
    expect(kinds(declare({ adopt: true }), { settled: found, live: { ...quiet, sourceProblem: silent } })).toHaveLength(
      3,
    );
  });

  test("another owner's is not removed either", () => {
    const removal = (change: Partial<Identity>, seal: string | null) =>
      plan(
        absent,
        { settled: { ...converged(declare()), mark: markOf({ ...identity, ...change }, record) }, live: quiet },
        { ...context(declare()), identity: { ...identity, seal } },
      ).steps;
    expect(removal({ name: "else/dev/x" }, null)).toEqual([]);
    expect(removal({ seal: "of another state" }, "ours")).toEqual([]);
    expect(() => removal({ seal: "of another state" }, null)).toThrow(/OWNERSHIP_OTHER_STATE/);
    expect(kinds(absent, { settled: converged(declare()), live: quiet })).toEqual(["stop-server", "remove-server"]);
    expect(kinds(absent, { settled: blank, live: quiet })).toEqual([]);
  });
});

describe("what another user can change", () => {
  const settled = converged(declare());
  const loose = [{ who: "user 107", step: "/srv/mysql/orders/my.cnf" }];
  const given = { ...settled, instance: settled.instance && { ...settled.instance, loose } };

  test("is made root's again without a restart, and the preview says so", () => {
    const steps = plan(declare(), { settled: given, live: null }, context(declare())).steps;
    expect(steps).toEqual([
      {
        kind: "configure",
        because: [{ property: "owner of /srv/mysql/orders/my.cnf", from: "user 107", to: "root" }],
      },
    ]);
  });

  test("is unknown to a state of an earlier version, which plans nothing", () => {
    expect(kinds(declare(), { settled, live: null }, declare())).toEqual([]);
  });
});

describe("the surroundings of a directory", () => {
  const at = (changes: Partial<Live["surroundings"]>): Live => ({
    ...quiet,
    surroundings: { ...quiet.surroundings, ...changes },
  });

  test("another server's directory or data around it is refused before it is claimed", () => {
    const live = at({ enclosing: { directory: "/srv/mysql/other/data", is: "data" } });
    expect(() => kinds(declare(), { settled: blank, live })).toThrow("is inside the data of another MySQL server");
    expect(kinds(declare(), { settled: converged(declare()), live })).toEqual([]);
  });

  test("a directory that the ssh user may not enter is refused at once, also where the server runs already", () => {
    const live = at({ closed: { user: "ana", directory: "/srv/mysql" } });
    for (const settled of [blank, converged(declare())])
      expect(() => kinds(declare(), { settled, live })).toThrow("user ana has no permission to enter /srv/mysql");
    expect(kinds(absent, { settled: converged(declare()), live })).toEqual(["stop-server", "remove-server"]);
  });

  test("only data of MySQL that no other process uses is taken over", () => {
    const unclaimed = { ...blank, directory: "foreign files", unclaimedData: true, binaries: binariesOf() } as const;
    const foreign = at({ foreignData: ["PG_VERSION", "base"] });
    expect(() => kinds(declare({ adopt: true }), { settled: unclaimed, live: foreign })).toThrow(
      "its data is not of MySQL 8.0 or later",
    );
    const held = at({ dataHolder: { pid: 7, command: "mysqld" } });
    expect(() => kinds(declare({ adopt: true }), { settled: unclaimed, live: held })).toThrow(
      "another process uses its data",
    );
  });
});

describe("a policy that confines mysqld", () => {
  const confinement = { kind: "selinux", types: ["var_t"], ports: null } as const;
  const live: Live = { ...quiet, confinement };

  test("is refused before anything is made, with the lines that allow what is missing", () => {
    expect(() => kinds(declare(), { settled: blank, live })).toThrow("SELinux denies mysqld the directory");
  });

  test("is adjusted where that is asked for, by a step that the preview of a new server prints too", () => {
    for (const seen of [live, quiet, null])
      expect(kinds(declare({ confine: "adjust" }), { settled: blank, live: seen }).slice(0, 3)).toEqual([
        "claim-directory",
        "confine",
        "try-definitions",
      ]);
    const settled = converged(declare({ confine: "adjust" }));
    const stopped = { ...settled, instance: settled.instance && { ...settled.instance, running: false } };
    expect(kinds(declare({ confine: "adjust" }), { settled, live: quiet })).toEqual([]);
    expect(kinds(declare({ confine: "adjust" }), { settled: stopped, live })).toEqual(["confine", "start-server"]);
  });
});
