import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { whyNoLab } from "../../test/harness/lab";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { labPlace } from "./lab-place";
import { localPlace } from "./local-place";
import { proof, type Place } from "./place";
import { checkout, openStack, stateDirectory, type Stack } from "./stack";

const say = (text: string): void => void process.stderr.write(`sluice: ${text}\n`);
const arrivesWithinSeconds = 60; // a caught-up channel needs milliseconds; a busy two-core machine gets a minute

export async function up(): Promise<void> {
  const place = await choosePlace();
  say(place.intro);
  const stack = await openStack(say);
  await configure(stack, place);
  await clearInterrupted(stack);
  say("preview: what `pulumi up` will do");
  await stack.run(["preview"]);
  say("up");
  await stack.run(["up", "--yes", "--skip-preview"]);
  status(stack);
  await showArrival(place);
  for (const line of farewell(place)) console.log(line);
}

async function choosePlace(): Promise<Place> {
  const why = await whyNoLab();
  if (why === undefined) return labPlace(say);
  say(`no lab: ${why}`);
  return localPlace(say);
}

async function configure(stack: Stack, place: Place): Promise<void> {
  await stack.set("source", JSON.stringify(place.source), "plain");
  await stack.set("sourcePassword", place.sourcePassword, "secret");
  await stack.set("directory", place.directory, "plain");
  await stack.set("port", String(place.port), "plain");
  if (place.host !== undefined) await stack.set("host", JSON.stringify(place.host), "plain");
  if (place.sshKey !== undefined) await stack.set("sshKey", place.sshKey, "secret");
}

/** A run that was interrupted twice, or killed, leaves a lock or a pending create; the objects themselves continue. */
async function clearInterrupted(stack: Stack): Promise<void> {
  const locks = path.join(stateDirectory, "pulumi", ".pulumi", "locks");
  if (existsSync(locks) && readdirSync(locks, { recursive: true }).some((name) => String(name).endsWith(".json"))) {
    say("an earlier run was interrupted; freeing its lock on the stack");
    await stack.ask(["cancel", "--yes"]);
  }
  const { deployment } = JSON.parse(await stack.ask(["stack", "export"])) as {
    deployment: { pending_operations?: unknown[] };
  };
  if ((deployment.pending_operations?.length ?? 0) === 0) return;
  say("an earlier run was interrupted during a create; the next steps continue it");
  await stack.ask(["refresh", "--yes", "--clear-pending-creates", "--skip-preview"]);
}

function status(stack: Stack): void {
  console.log();
  const program = path.join(checkout, "dist", "commands", "sluice.js");
  spawnSync(process.execPath, [program, "status"], { cwd: checkout, env: stack.environment, stdio: "inherit" });
  console.log();
}

async function showArrival(place: Place): Promise<void> {
  const { schema, table, word } = proof();
  await place.sourceSql(
    `CREATE TABLE IF NOT EXISTS ${schema}.${table} (word VARCHAR(20) PRIMARY KEY, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
     INSERT INTO ${schema}.${table} (word) VALUES ('${word}');`,
  );
  const delay = (
    await place.stagingSql("SELECT MAX(DESIRED_DELAY) FROM performance_schema.replication_applier_configuration")
  ).trim();
  if (Number(delay) > 0) {
    console.log(`The row '${word}' was written on the source; the channel is declared to apply it ${delay} s later.`);
    return;
  }
  const startedAt = performance.now();
  await awaitCondition({
    object: "quick start",
    what: `the row '${word}', written on the source, arrives on staging`,
    withinSeconds: arrivesWithinSeconds,
    everyMillis: 100,
    check: async () => {
      const rows = await place.stagingSql(`SELECT word FROM ${schema}.${table} WHERE word = '${word}'`).catch(() => "");
      return rows.includes(word) ? done(undefined) : waiting("it is not there yet");
    },
  });
  console.log(
    `The row '${word}', written on the source, arrived on staging after ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`,
  );
}

const farewell = (place: Place): string[] => [
  "",
  "Look around:",
  ...place.lookAround.map((line) => `  ${line}`),
  "",
  "Change something and look at the preview, for example in examples/quickstart/index.ts:",
  '  new ReplicationChannel("shop", { ..., delaySeconds: 3600 })',
  "  npm run quickstart                               shows the preview, then runs `up`",
  "",
  "Tear down:",
  "  npm run quickstart:down",
];
