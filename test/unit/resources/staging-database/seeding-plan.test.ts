import { markOf } from "../../../../provider/mark/mark";
import { isProblem, SluiceError, type Problem } from "../../../../provider/errors";
import { readDumpFacts } from "../../../../provider/mysql/seed/file/header";
import { digestOf, type SeedRequest } from "../../../../provider/mysql/seed/request";
import { renderPlan } from "../../../../provider/plan/render";
import { blank, status, type Live, type Observed, type Settled } from "../../../../resources/staging-database/facts";
import { plan, say } from "../../../../resources/staging-database/plan";
import { refine, type Declaration } from "../../../../resources/staging-database/schema";
import { runningInstance } from "../../../samples/server";
import {
  claimedRecord,
  context,
  declare,
  half,
  identity,
  quiet,
  record,
  source,
} from "../../../samples/staging-database";

const kinds = (wanted: Declaration, seen: Observed): string[] =>
  plan(wanted, seen, context()).steps.map(({ kind }) => kind);

const plugins = { clone: "clone.so" };

function problemOf(act: () => void): Problem {
  try {
    act();
  } catch (error) {
    if (isProblem(error)) return error.problem;
    throw error;
  }
  throw new Error("no error was thrown");
}

const begunFor: SeedRequest = {
  method: "dump",
  from: "db-1:3306",
  sourceUuid: "uuid-1",
  fileBytes: null,
  databases: "ALL",
  reseed: null,
};

describe("an unfinished seeding", () => {
  const renewal = ["stop-server", "empty-data", "configure", "initialise-data", "start-server", "seed"];
  const anew = (wanted: Declaration) => (wanted.seed === "dump" ? ["try-definitions", ...renewal] : renewal);
  const begun = begunFor;
  /** A seeding of `db-1`, which is server `uuid-1`; the declared source is server `uuid`. */
  const seeding = (state: "running" | "finished", uuid = "uuid-1", request: SeedRequest = begun): Observed => ({
    settled: half({ mark: markOf(identity, { ...claimedRecord, seeding: request }), hasSeedJob: true }),
    live: { ...quiet, source: source({ serverUuid: uuid }), seed: { state, request: digestOf(request) } },
  });

  test.each(["running", "finished"] as const)("with a seed that is %s waits for it and touches nothing", (state) => {
    expect(kinds(declare(), seeding(state))).toEqual(["seed"]);
  });

  test("goes on with another address, user or password of the same server, and names the origin of the data", () => {
    const moved = declare({ source: { address: "10.0.0.7", port: 3307, user: "new", password: "rotated" } });
    const { steps } = plan(moved, seeding("running"), context());
    expect(steps).toEqual([{ kind: "seed", method: "dump", from: "db-1:3306", resumes: true }]);
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ["another server at the same address", {}, "uuid-2", "from server uuid-1 at db-1:3306"],
    [
      "another source",
      { source: { address: "db-2", user: "u", password: "p" } },
      "uuid-2",
      "db-2:3306 is server uuid-2",
    ],
    ["other databases", { databases: ["shop"] }, "uuid-1", "brings all databases"],
    ["another method", { seed: "clone" }, "uuid-1", "is a dump of db-1:3306"],
    ["a file", { seed: { file: "/backup/a.sql" } }, "uuid-1", "is a dump of db-1:3306"],
    ["nothing", { mode: "manual", seed: "none" }, "uuid-1", "is a dump of db-1:3306"],
    ["another reseed", { reseed: "2" }, "uuid-1", "`reseed` changed since"],
    ["other ignored objects", { ignoreObjects: ["shop.v"] }, "uuid-1", "leaves no objects out"],
  ])("never takes its data for that of %s", (_name, change, uuid, why) => {
    const wanted = declare(change);
    const seen = seeding("finished", uuid);
    const live = {
      ...(seen.live ?? quiet),
      ...("seed" in change && { source: source({ serverUuid: uuid, plugins }) }),
    };
    expect(kinds(wanted, { ...seen, live })).toEqual(anew(wanted));
    expect(renderPlan("orders", plan(wanted, { ...seen, live }, context()), say)).toContain(why);
  });

  test("never takes the data of a seeding that does not say what it was begun for", () => {
    const seen = seeding("running");
    const old = { ...seen, settled: { ...seen.settled, mark: markOf(identity, claimedRecord) } };
    expect(kinds(declare(), old)).toEqual(anew(declare()));
    const live = { ...(seen.live ?? quiet), seed: { state: "running" as const, request: null } };
    expect(kinds(declare(), { ...seen, live })).toEqual(anew(declare()));
  });

  test("previews what up does: it goes on, or says why the data is thrown away", () => {
    const { settled } = seeding("running");
    expect(kinds(declare(), { settled, live: null })).toEqual(["seed"]);
    const other = declare({ source: { address: "db-2", user: "u", password: "p" } });
    expect(kinds(other, { settled, live: null })).toEqual(anew(other));
    expect(renderPlan("orders", plan(other, { settled, live: null }, context()), say)).toContain(
      "the unfinished seeding is from db-1:3306; it is kept if db-2:3306 is the same server",
    );
  });

  describe("in a directory that an administrator opened to others", () => {
    const loose = [{ who: "group 50", step: "/srv/mysql/orders" }];
    const opened = (change: Partial<Settled["instance"]> = {}): Settled =>
      half({
        mark: markOf(identity, { ...claimedRecord, seeding: begun }),
        instance: { ...runningInstance, loose, ...change },
      });
    const live: Live = { ...quiet, source: source({ serverUuid: "uuid-1" }) };

    test("is kept, and refused with the command that closes the directory, in the preview too", () => {
      for (const seen of [
        { settled: opened(), live },
        { settled: opened(), live: null },
      ])
        expect(problemOf(() => kinds(declare(), seen))).toMatchObject({
          code: "STORAGE_PATH_UNSAFE",
          what: "does not continue the seeding in /srv/mysql/orders: group 50 can change /srv/mysql/orders",
          fix: expect.stringMatching(
            /: chmod g-w \/srv\/mysql\/orders, then `pulumi up --refresh`; .* `reseed`$/,
          ) as string,
        });
    });

    test("begins anew where `reseed` says so, and where there is no data to lose", () => {
      const wanted = declare({ reseed: "2" });
      expect(kinds(wanted, { settled: opened(), live })).toEqual(anew(wanted));
      expect(renderPlan("orders", plan(wanted, { settled: opened(), live }, context()), say)).toContain(
        "`reseed` changed since",
      );
      expect(kinds(declare(), { settled: opened({ data: "absent", running: false }), live })).not.toContain(
        "empty-data",
      );
    });
  });

  test("keeps its data when the reseed text is taken out of the program meanwhile", () => {
    expect(kinds(declare(), seeding("running", "uuid-1", { ...begun, reseed: "1" }))).toEqual(["seed"]);
  });

  test("of a file that was replaced begins with empty data; one that is gone after it was loaded is not missed", () => {
    const wanted = declare({ seed: { file: "/backup/a.sql" } });
    const request: SeedRequest = { ...begun, method: "file", from: "/backup/a.sql", sourceUuid: null, fileBytes: 10 };
    const seen = seeding("finished", "uuid-1", request);
    const missing = new SluiceError({ code: "SEED_FILE_MISSING", object: "orders", what: "there is no such file" });
    const gone = { ...seen, live: seen.live && { ...seen.live, backupProblem: missing } };
    expect(kinds(wanted, gone)).toEqual(["seed"]);
    const backup = { path: "/backup/a.sql", sizeBytes: 11, decompress: null, reader: null, head: readDumpFacts("") };
    expect(kinds(wanted, { ...seen, live: seen.live && { ...seen.live, backup } })).toEqual(anew(wanted));
    expect(() => kinds(wanted, { settled: blank, live: { ...quiet, backupProblem: missing } })).toThrow(
      /SEED_FILE_MISSING/,
    );
  });
});

describe("definitions", () => {
  const seeded = half({ mark: markOf(identity, record) });
  const live: Live = { ...quiet, source: source({ serverUuid: "uuid-1", plugins }) };

  test("are tried before a server is stopped and its data thrown away for them, and before a first seeding", () => {
    const again = kinds(declare({ reseed: "1" }), { settled: seeded, live });
    expect(again.slice(0, 3)).toEqual(["try-definitions", "stop-server", "empty-data"]);
    expect(kinds(declare(), { settled: blank, live })).toEqual([
      "claim-directory",
      "try-definitions",
      "configure",
      "initialise-data",
      "start-server",
      "seed",
    ]);
  });

  test("are not tried where no dump is taken", () => {
    for (const seed of ["clone", { file: "/backup/a.sql" }])
      expect(kinds(declare({ reseed: "1", seed }), { settled: seeded, live })).not.toContain("try-definitions");
  });

  test("that are left out are named in the preview, in status, and in the filters of channels", () => {
    const wanted = declare({ ignoreObjects: ["shop.v", "shop.a", "shop.v"] });
    const text = renderPlan("orders", plan(wanted, { settled: blank, live: null }, context()), say);
    expect(text).toContain("2. try the definitions of db-1:3306 on a temporary empty server, without shop.a, shop.v\n");
    expect(text).toContain("6. seed by a dump of db-1:3306, without shop.a, shop.v");
    expect(wanted.holds.lacks).toEqual(["shop.v", "shop.a", "shop.v"]);
    const held = { ...record, seeding: { ...begunFor, ignored: ["shop.a", "shop.v"] } };
    const server = { version: "9.7.4", uuid: "uuid", variables: {} } as unknown as Settled["server"];
    expect(status(wanted, { settled: half({ mark: markOf(identity, held), server }), live }).health.words).toBe(
      "running, without shop.a, shop.v",
    );
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["with a clone", { seed: "clone", ignoreObjects: ["shop.v"] }, /only a dump can leave objects out/],
    ["by hand", { mode: "manual", ignoreObjects: ["shop.v"] }, /only a dump can leave objects out/],
  ])("cannot be left out %s", (_name, change, words) => {
    expect(refine(declare(change)).join("\n")).toMatch(words);
  });
});
