// Which Pulumi CLI the quick start, the tests and `npm run pulumi` use, and how it gets there.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve, sep } from "node:path";
import { exclusively } from "../exclusive.mjs";
import { runQuietly } from "./run";
import { downloadCli } from "./download";
import { buildCli } from "./build";

/**
 * The oldest CLI we accept from PATH: the lower end of our peer range for @pulumi/pulumi. It is the first release whose SDK asks for
 * Node 22 like we do, and CLI and SDK are released together.
 */
export const oldestVersion = "3.249.0";

export interface Cli {
  readonly program: string;
  /** Where `program` and its language host are; stands first on the PATH of `environmentOf`. */
  readonly folder: string;
  /** Without the leading v. */
  readonly version: string;
}

/** What a complete CLI for Node programs consists of. `pulumi` last: it is moved in place last, so it is there only when all is. */
export const cliFiles = ["pulumi-resource-pulumi-nodejs", "pulumi-language-nodejs", "pulumi"] as const;

type Say = (text: string) => void;

const root = resolve(__dirname, "..", "..");

/** The CLI on PATH when it is new enough; else the pinned one, which is installed first where it is missing. */
export async function requirePulumi(say: Say): Promise<Cli> {
  return (await findOnPath()) ?? (await requirePinned(say));
}

/** The environment a CLI runs in: its own folder and our Node first on PATH, no look for updates, no plugin downloads. */
export function environmentOf(cli: Cli, base: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const path = [cli.folder, join(root, "node_modules", ".bin"), base["PATH"]].join(delimiter);
  return {
    ...base,
    PATH: path,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
}

async function findOnPath(): Promise<Cli | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, "pulumi");
    if (folder === "" || !isProgram(program)) continue;
    // The npm launcher is not the CLI: `pulumi version` would start a download.
    if (realpathSync(program).includes(`${sep}node_modules${sep}`)) continue;
    const home = dirname(realpathSync(program));
    if (!cliFiles.every((file) => isProgram(join(home, file)))) continue;
    const version = await readVersion(program);
    if (version !== undefined && isAtLeast(version, oldestVersion)) return { program, folder: home, version };
  }
  return undefined;
}

async function requirePinned(say: Say): Promise<Cli> {
  const version = readPinnedVersion();
  const versions = join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), "versions");
  const folder = join(versions, version, "bin");
  const cli = { program: join(folder, "pulumi"), folder, version };
  const isComplete = () => cliFiles.every((file) => isProgram(join(folder, file)));
  if (isComplete()) return cli;

  await exclusively(join(versions, `${version}.lock`), say, async () => {
    if (isComplete()) return;
    const fresh = join(versions, `${version}.partial`);
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    try {
      const filled = (await downloadCli(version, fresh, say)) ?? (await buildCli(version, fresh, say));
      const found = await readVersion(join(filled, "pulumi"));
      if (found !== version)
        throw new Error(`the installed Pulumi CLI says it is ${found ?? "nothing"}, not ${version}`);
      mkdirSync(folder, { recursive: true });
      for (const file of cliFiles) renameSync(join(filled, file), join(folder, file));
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
    say(`Pulumi CLI ${version} is in ${folder}`);
  });
  return cli;
}

/** The launcher's version decides where the launcher looks. */
function readPinnedVersion(): string {
  const manifest = readFileSync(join(root, "node_modules", "pulumi", "package.json"), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

async function readVersion(program: string): Promise<string | undefined> {
  const { exitCode, stdout } = await runQuietly(program, ["version"], { PULUMI_SKIP_UPDATE_CHECK: "true" });
  return exitCode === 0 ? stdout.trim().replace(/^v/, "") : undefined;
}

export function isAtLeast(version: string, least: string): boolean {
  const parse = (text: string) => text.split("-", 1).join("").split(".").map(Number);
  const [found, wanted] = [parse(version), parse(least)];
  const index = found.findIndex((part, at) => part !== wanted[at]);
  return index === -1 || (found[index] ?? 0) > (wanted[index] ?? 0);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path) && statSync(path).isFile() && statSync(path).size > 0;
  } catch {
    return false;
  }
}
