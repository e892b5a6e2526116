import path from "node:path";
import type { Lab, LabHost } from "../../lab/index.ts";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { requireLab } from "../harness/lab";
import { openProgram, type Program, type Ran } from "../harness/program";
import { endProcesses, holdSeed, readJobStart, startRun, type HeldSeed } from "../harness/scenario-bad-day";
import { clearPlace, configure, findTraces, runScript, runSql, type Place } from "../harness/scenario-lab";

const stepWithinSeconds = 420; // 30 s when the machine is idle, 150 s were seen with ten times its work

jest.setTimeout(stepWithinSeconds * 1000);

/** A staging host of its own: it is cut off and switched off. */
const hostName = "staging2";
let lab: Lab;
let staging: LabHost;
let place: Place;
let program: Program;
let other: Program;
let seed: HeldSeed;

beforeAll(async () => {
  lab = await requireLab();
  staging = lab.host(hostName);
  place = { directory: "/srv/e2e/unlucky", port: 3441, source: lab.host("source").address };
  program = await openProgram("e2e-unlucky", path.join(__dirname, "bad-days"));
  other = await openProgram("e2e-other", path.join(__dirname, "bad-days"));
  await configure(program, lab, place, hostName);
  await configure(other, lab, place, hostName);
});

afterAll(async () => {
  await staging.restoreNetwork();
  await staging.start();
  for (const each of [program, other]) endProcesses(each);
  await clearPlace(staging, place);
  for (const each of [program, other]) await each.remove();
});

const words = ["up", "--yes", "--skip-preview"];
const up = (which = program) => startRun(which, words);

function expectEnd(ran: Ran, code: "success" | "failure"): void {
  if ((ran.code === 0) !== (code === "success"))
    throw new Error(`pulumi ended with ${String(ran.code)}\n${ran.output}`);
}

test("mysqld killed while it is filled: the error says so, and what to do", async () => {
  const run = up();
  seed = await holdSeed(staging, place);
  await runScript(staging, `kill -9 "$(cat "$DIRECTORY/run/mysqld.pid")"`, place);
  await seed.release();
  const ran = await run.ended;
  expectEnd(ran, "failure");
  expect(ran.output).toMatch(/seeding from source [\d.:]+ ended with an error.*\(SEED_FAILED\)/);
  expect(ran.output).toMatch(/the next `pulumi up` starts the seeding again with empty data/);
});

test("ssh cut while seeding: the next up, which begins anew, loses its connections and goes on with the same job", async () => {
  const run = up();
  seed = await holdSeed(staging, place, seed);
  await run.shows(/\[\d\/\d\] seed by a dump/);
  await staging.cutNetwork();
  const before = await readSessions();
  await staging.run(["kill", "-9", ...before]);
  await staging.restoreNetwork();
  await awaitCondition({
    object: `host ${hostName}`,
    what: "the provider to have connected again",
    withinSeconds: 90, // three keepalives of 15 s, and a login
    everyMillis: 500,
    check: async () => ((await readSessions()).length > 0 ? done(undefined) : waiting("no session of ssh")),
  });
  expect(await readJobStart(staging, place)).toBe(seed.started);
  await seed.release();
  expectEnd(await run.ended, "success");
});

test("power off while seeding anew: a clear error, and the next up converges while another stack waits and is refused", async () => {
  await program.set("reseed", "again");
  const run = up();
  seed = await holdSeed(staging, place, seed);
  await staging.powerOff();
  await staging.start();
  const ran = await run.ended;
  expectEnd(ran, "failure");
  expect(ran.output).toMatch(/\((SEED_FAILED|HOST_CONNECTION_LOST|HOST_UNREACHABLE)\)/);

  const next = up();
  const again = await holdSeed(staging, place, seed);
  const stranger = up(other);
  await stranger.shows(/held by e2e-unlucky\/test\/shop/);
  await again.release();
  expectEnd(await next.ended, "success");
  const refused = await stranger.ended;
  expectEnd(refused, "failure");
  expect(refused.output).toMatch(/another resource owns it \(OWNERSHIP_FOREIGN\)/);
  expect((await other.export()).resources?.filter(({ type }) => type.includes("sluice"))).toEqual([]);
});

test("after all of it the server holds the source's data, and destroy leaves nothing", async () => {
  const count = "SELECT COUNT(*) FROM shop.products";
  expect(await runSql(staging, count, place)).toBe(await runSql(lab.host("source"), count));
  expectEnd(await program.run(["preview", "--expect-no-changes"]), "success");
  expectEnd(await program.run(["destroy", "--yes", "--skip-preview"]), "success");
  expect(await findTraces(staging, place)).toBe("");
});

/** sshd's processes for logins, not the one that listens. */
async function readSessions(): Promise<string[]> {
  const { stdout } = await staging.run(["pgrep", "-f", "^sshd-session: |^sshd: sluice"], { accept: [0, 1] });
  return stdout.split("\n").filter((line) => line !== "");
}
