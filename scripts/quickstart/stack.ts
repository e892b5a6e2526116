import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { environmentOf, requirePulumi, type Cli } from "../pulumi-cli/cli";

/** Where the quick start's stack lives: outside the checkout, so that a fresh clone finds what an older one made. */
export const stateDirectory = path.join(
  process.env["XDG_STATE_HOME"] ?? path.join(homedir(), ".local", "state"),
  "sluice",
  "quickstart",
);
export const checkout = path.resolve(__dirname, "..", "..");
const stack = "quickstart";
/** Pulumi keeps a stack's configuration next to Pulumi.yaml. */
const configFile = path.join(checkout, `Pulumi.${stack}.yaml`);

export interface Stack {
  /** Runs the CLI; its output goes to the terminal. Rejects when it ends with an error. */
  run(args: readonly string[], input?: string): Promise<void>;
  /** Runs the CLI and gives what it printed. */
  ask(args: readonly string[]): Promise<string>;
  /** Sets a configuration value; the value goes through standard input, never through the command line. */
  set(key: string, value: string, kind: "plain" | "secret"): Promise<void>;
  readonly environment: NodeJS.ProcessEnv;
}

/** A CLI with a local backend of its own, and the stack selected. */
export async function openStack(say: (text: string) => void): Promise<Stack> {
  const cli = await requirePulumi(say);
  const environment = await environmentFor(cli);
  const call = (args: readonly string[], stdio: "inherit" | "pipe", input?: string) =>
    callCli(cli, environment, args, stdio, input);
  await call(["stack", "select", "--create", stack], "pipe");
  return {
    environment,
    run: async (args, input) => void (await call(args, "inherit", input)),
    ask: (args) => call(args, "pipe"),
    set: async (key, value, kind) =>
      void (await call(["config", "set", kind === "secret" ? "--secret" : "--plaintext", key], "pipe", value)),
  };
}

async function environmentFor(cli: Cli): Promise<NodeJS.ProcessEnv> {
  const backend = path.join(stateDirectory, "pulumi");
  await mkdir(backend, { recursive: true, mode: 0o700 });
  return {
    ...environmentOf(cli),
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: await passphraseFile(),
  };
}

async function passphraseFile(): Promise<string> {
  const file = path.join(stateDirectory, "passphrase");
  const known = await readFile(file, "utf8").catch(() => undefined);
  if (known === undefined) {
    await rm(configFile, { force: true }); // its secrets are another passphrase's
    await writeFile(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  }
  return file;
}

export async function forgetStack(): Promise<void> {
  await rm(configFile, { force: true });
  await rm(stateDirectory, { recursive: true, force: true });
}

function callCli(
  cli: Cli,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  stdio: "inherit" | "pipe",
  input?: string,
): Promise<string> {
  const stdin = input === undefined ? (stdio === "inherit" ? "inherit" : "ignore") : "pipe";
  const child = spawn(cli.program, args, { cwd: checkout, env, stdio: [stdin, stdio, stdio] });
  let [output, errors] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin?.end(input);
  const ignore = () => undefined; // Ctrl-C goes to the whole terminal group: the CLI ends in its own way, then we do
  process.on("SIGINT", ignore);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", ignore);
      if (code === 0) resolve(output);
      else
        reject(
          new Error(`pulumi ${args[0] ?? ""} ended with ${String(code)}${errors === "" ? "" : `\n${errors.trim()}`}`),
        );
    });
  });
}
