import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Lab } from "../../lab/index.ts";
import { openProgram, type Program, type Ran } from "./program";
import {
  clearPlace,
  configure,
  configureSecondSource,
  findTraces,
  makeBackup,
  runScript,
  runSql,
  type Place,
} from "./scenario-lab";
import { SecretWatch } from "./scenario-secrets";
import { errorText, normalise, previewText, promises, refreshText } from "./scenario-text";

const root = path.resolve(__dirname, "..", "..");
const folder = path.join(root, "test", "e2e", "scenarios");

/** `test/e2e/scenarios/NAME`, as CONTRIBUTING.md describes it. */
export interface Scenario {
  readonly name: string;
  readonly steps: readonly string[];
  readonly settings: Settings;
}

interface Settings {
  /** Folder of the program, below the checkout; default: the scenario's own `program`. */
  readonly program?: string;
  readonly hosts: readonly string[];
  /** A database of each source, to be dumped into one file on the staging host, which the program finds as `backup`. */
  readonly backup?: Readonly<Record<string, string>>;
  /** Where the program makes several servers: each one's folder below the scenario's directory; ports count up from its port. */
  readonly servers?: readonly string[];
}

export function readScenarios(): Scenario[] {
  return readdirSync(folder).map((name) => {
    const file = path.join(folder, name, "scenario.json");
    const settings = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<Settings>) : {};
    const steps = readdirSync(path.join(folder, name)).filter((entry) => /^\d\d-/.test(entry));
    return { name, steps: steps.sort(), settings: { hosts: ["source", "staging"], ...settings } };
  });
}

/** A scenario at work: its program, its place on the staging host, and what it must not have shown. */
export interface Play {
  readonly program: Program;
  readonly lab: Lab;
  readonly place: Place;
  readonly secrets: SecretWatch;
  readonly scenario: Scenario;
}

export async function beginScenario(scenario: Scenario, lab: Lab, place: Place): Promise<Play> {
  const { settings, name } = scenario;
  const source = settings.program ?? path.join("test", "e2e", "scenarios", name, "program");
  const program = await openProgram(`e2e-${name}`, path.join(root, source));
  if (settings.backup !== undefined) {
    const file = `/srv/e2e-backups/${name}.sql`;
    await makeBackup(lab, file, settings.backup);
    await program.setPlain({ backup: file });
  }
  const secrets = [
    ...(await configure(program, lab, place)),
    ...(settings.hosts.includes("source2") ? await configureSecondSource(program, lab) : []),
  ];
  return { program, lab, place, scenario, secrets: new SecretWatch(secrets) };
}

/** Where its servers stand. */
const placesOf = ({ scenario, place }: Play): readonly Place[] =>
  scenario.settings.servers?.map((name, index) => ({
    ...place,
    directory: `${place.directory}/${name}`,
    port: place.port + index,
  })) ?? [place];

/** The ports of a program's further servers, which depend on how many scenarios there are. */
const namePorts = (text: string, play: Play): string =>
  (play.scenario.settings.servers ?? [])
    .slice(1)
    .reduce(
      (said, name, index) => said.replaceAll(`:${String(play.place.port + index + 1)}`, `:<port of ${name}>`),
      text,
    );

const tracesOf = async (play: Play): Promise<string> => {
  const staging = play.lab.host("staging");
  return (await Promise.all(placesOf(play).map((place) => findTraces(staging, place)))).join("");
};

/** One numbered folder: what happens before, the CLI's verb, and the texts it must say. */
export async function playStep(play: Play, step: string): Promise<void> {
  const { program, scenario } = play;
  const at = path.join(folder, scenario.name, step);
  if (existsSync(path.join(at, "overlay"))) await cp(path.join(at, "overlay"), program.directory, { recursive: true });
  await runBefore(play, at);
  if (/destroy-twice/.test(step)) return destroyTwice(play);
  if (/destroy/.test(step)) return destroy(play);
  const ran = await runWatched(play, /refresh/.test(step) ? refreshWords : ["up", "--yes"]);
  const fails = existsSync(path.join(at, "expect.error.txt"));
  if ((ran.code !== 0) !== fails) throw new Error(`${step} ended with ${String(ran.code)}\n${ran.output}`);
  const say = (text: string) => normalise(namePorts(text, play), play.lab, play.place);
  await expectFile(path.join(at, "expect.error.txt"), () => say(errorText(ran.output)));
  await expectFile(path.join(at, "expect.refresh.txt"), () => say(refreshText(ran.output)));
  await expectFile(path.join(at, "expect.preview.txt"), () => say(previewText(ran.output)));
  if (!fails && !/refresh/.test(step)) {
    const { promised, ran: done } = promises(ran.output);
    expect(done).toEqual(promised);
    await requireSettled(play);
  }
}

const refreshWords = ["refresh", "--yes", "--skip-preview", "--diff"];

async function runBefore({ lab, place }: Play, at: string): Promise<void> {
  for (const file of readdirSync(at).filter((name) => name.startsWith("before."))) {
    const [, hostName = "", kind = ""] = file.split(".");
    const host = lab.host(hostName);
    const text = readFileSync(path.join(at, file), "utf8");
    if (kind === "sh") await runScript(host, text, place);
    else await runSql(host, text, host.role === "staging" ? place : undefined);
  }
}

async function runWatched({ program, secrets }: Play, words: readonly string[]): Promise<Ran> {
  return secrets.during(() => program.run(words));
}

async function requireSettled(play: Play): Promise<void> {
  const again = await runWatched(play, ["preview", "--expect-no-changes"]);
  if (again.code !== 0) throw new Error(`what \`up\` has made is not what it declares\n${again.output}`);
}

async function destroy(play: Play): Promise<void> {
  for (const place of placesOf(play)) await play.secrets.expectNone(play.program, play.lab.host("staging"), place);
  const gone = await runWatched(play, ["destroy", "--yes", "--skip-preview"]);
  if (gone.code !== 0) throw new Error(`destroy ended with ${String(gone.code)}\n${gone.output}`);
  expect(await tracesOf(play)).toBe("");
}

/** The second time from the state of before the first: everything in it is gone already. */
async function destroyTwice(play: Play): Promise<void> {
  const { program } = play;
  const before = await program.run(["stack", "export"]);
  await destroy(play);
  const back = await program.run(["stack", "import"], { input: before.output });
  if (back.code !== 0) throw new Error(`stack import ended with ${String(back.code)}\n${back.output}`);
  const again = await program.run(["destroy", "--yes", "--skip-preview"]);
  if (again.code !== 0) throw new Error(`the second destroy ended with ${String(again.code)}\n${again.output}`);
  expect((await program.export()).resources ?? []).toEqual([]);
}

/** `GOLDEN=accept` writes the texts that are there anew; a new one is begun as an empty file. */
async function expectFile(file: string, text: () => string): Promise<void> {
  if (!existsSync(file)) return;
  if (process.env["GOLDEN"] === "accept") await writeFile(file, `${text()}\n`);
  expect(`${text()}\n`).toBe(readFileSync(file, "utf8"));
}

/** Leaves nothing, whatever step it ended at. */
export async function endScenario(play: Play): Promise<void> {
  const { program, lab } = play;
  if ((await tracesOf(play)) !== "") {
    await program.run(["cancel", "--yes"]);
    await program.run(["destroy", "--yes", "--skip-preview"]);
    for (const place of placesOf(play)) await clearPlace(lab.host("staging"), place);
  }
  await program.remove();
}
