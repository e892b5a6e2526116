import path from "node:path";
import type { Lab, LabHost } from "../../lab/index.ts";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { requireLab } from "../harness/lab";
import { openProgram, type Program } from "../harness/program";
import { clearPlace, configure, findTraces, runSql, type Place } from "../harness/scenario-lab";

jest.setTimeout(420_000); // as of bad-days-cli.test.ts: the longest step here is an `up` too

/** One staging database and its channel, whose channel breaks, is repaired by hand, and whose source then refuses the user. */
let lab: Lab;
let source: LabHost;
let staging: LabHost;
let place: Place;
let program: Program;

const user = "status_e2e";
const password = "known to this test only";
const row = 9_000_017; // an id that neither the shop nor another test uses

beforeAll(async () => {
  lab = await requireLab();
  [source, staging] = [lab.host("source"), lab.host("staging")];
  place = { directory: "/srv/e2e/status", port: 3461, source: source.address };
  program = await openProgram("e2e-status", path.join(__dirname, "bad-days"));
  await configure(program, lab, place);
  await runSql(
    source,
    `DROP USER IF EXISTS ${user}; CREATE USER ${user} IDENTIFIED BY '${password}'; GRANT ALL ON *.* TO ${user}`,
  );
  await program.set("source", JSON.stringify({ address: source.address, port: source.mysql?.port, user }));
  await program.set("sourcePassword", password, "secret");
  await program.set("withChannel", "true");
  await must("up", "--yes", "--skip-preview");
});

afterAll(async () => {
  await program.run(["destroy", "--yes", "--skip-preview"]);
  if ((await findTraces(staging, place)) !== "") await clearPlace(staging, place);
  await program.remove();
  await runSql(source, `DROP USER ${user}; DELETE FROM shop.reviews WHERE id = ${String(row)}`);
});

async function must(...words: string[]): Promise<void> {
  const { code, output } = await program.run(words);
  if (code !== 0) throw new Error(`pulumi ${words.join(" ")} ended with ${String(code)}\n${output}`);
}

interface Printed {
  readonly isWell: boolean;
  readonly objects: readonly {
    readonly kind: string;
    readonly lagSeconds?: number | null;
    readonly source?: Record<string, unknown>;
    readonly health: {
      readonly isWell: boolean;
      readonly words: string;
      readonly code?: string;
      readonly fix?: string;
    };
  }[];
}

/** The channel of `sluice status --json`. */
async function channelNow() {
  const { code, output } = await program.sluice(["status", "--json"]);
  const { isWell, objects } = JSON.parse(output) as Printed;
  expect(code).toBe(isWell ? 0 : 1);
  const channel = objects.find(({ kind }) => kind === "ReplicationChannel");
  if (channel === undefined) throw new Error(`no channel in ${output}`);
  return channel;
}

const applierIs = (wanted: "ON" | "OFF") =>
  awaitCondition({
    object: "channel shop",
    what: `its applier to be ${wanted}`,
    withinSeconds: 60,
    everyMillis: 200,
    check: async () => {
      const query = "SELECT SERVICE_STATE FROM performance_schema.replication_applier_status";
      const state = await runSql(staging, query, place);
      return state === wanted ? done(undefined) : waiting(`it is ${state}`);
    },
  });

const review = `INSERT INTO shop.reviews (id, product_id, customer_id, stars, body) VALUES (${String(row)}, 1, 1, 5, 'x')`;

test("a channel whose applier has failed is not well, before a refresh and after it", async () => {
  expect((await channelNow()).health).toMatchObject({ isWell: true });
  await runSql(
    staging,
    `SET SESSION sql_log_bin = 0; SET GLOBAL super_read_only = 0; ${review}; SET GLOBAL super_read_only = 1`,
    place,
  );
  await runSql(source, review);
  await applierIs("OFF");
  const failed = {
    isWell: false,
    words: expect.stringMatching(/^applier failed: .*1062/) as string,
    code: "CHANNEL_APPLIER_FAILED",
  };
  expect((await channelNow()).health).toMatchObject(failed);
  for (const time of ["first", "second"]) {
    const { code, output } = await program.run(["refresh", "--yes", "--skip-preview"]);
    expect({ time, code }).toEqual({ time, code: 0 });
    expect(output).toMatch(
      /ReplicationChannel \(shop\):\n +warning: channel shop@.*: applier failed: .*1062.*\n +fix +\S/,
    );
    expect((await channelNow()).health).toMatchObject(failed);
  }
  expect((await program.sluice(["status"])).output).toMatch(/^ *- channel shop +applier failed: /m);
});

test("`up --refresh` says the error in its preview and ends with it", async () => {
  const { code, output } = await program.run(["up", "--yes", "--refresh"]);
  expect(code).not.toBe(0);
  const [preview = "", update = ""] = output.split(/^Updating \(/m);
  expect(preview).toMatch(/ 1\. start the channel +.*1062/);
  expect(update).toMatch(/error: channel shop@.*\(CHANNEL_APPLIER_FAILED\)/);
});

test("once it was repaired by hand it is well, without a refresh", async () => {
  await runSql(
    staging,
    `SET SESSION sql_log_bin = 0; SET GLOBAL super_read_only = 0; DELETE FROM shop.reviews WHERE id = ${String(row)};
     SET GLOBAL super_read_only = 1; START REPLICA FOR CHANNEL 'shop'`,
    place,
  );
  await applierIs("ON");
  expect((await channelNow()).health).toMatchObject({
    isWell: true,
    words: expect.stringMatching(/^running/) as string,
  });
});

test("a variable that somebody changed is drift: not as declared, and the answer names the step that sets it back", async () => {
  await runSql(staging, "SET GLOBAL event_scheduler = ON", place);
  const { code, output } = await program.sluice(["status"]);
  expect({ code, output }).toMatchObject({
    code: 1,
    output: expect.stringMatching(/set\s+variables of the running server/) as string,
  });
  await runSql(staging, "SET GLOBAL event_scheduler = OFF", place);
  expect((await program.sluice(["status"])).code).toBe(0);
});

test("a source that refuses the user is shown as not known, with the reason, and the lag with it", async () => {
  await runSql(source, `ALTER USER ${user} ACCOUNT LOCK`);
  const channel = await channelNow();
  expect(channel).toMatchObject({
    lagSeconds: null,
    source: { version: null, health: { isWell: false, code: "SOURCE_LOGIN_REFUSED" } },
    health: { isWell: false, words: expect.stringContaining("lag unknown") as string },
  });
  const { code, output } = await program.sluice(["status"]);
  expect(code).toBe(1);
  expect(output).toMatch(
    new RegExp(`^- ${source.address.replaceAll(".", "\\.")}:3306 +unknown +the server refuses`, "m"),
  );
});
