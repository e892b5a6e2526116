import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { environmentOf, requirePulumi, type Cli } from "../../scripts/pulumi-cli/cli";

const root = path.resolve(__dirname, "..", "..");
/** Below the checkout, so that `pulumi-sluice` resolves; not in git. */
const workspace = path.join(root, ".cache", "e2e");
const command = path.join(root, "dist", "commands", "sluice.js");

export interface Ran {
  readonly code: number | null;
  /** What the CLI printed, both streams, without colours. */
  readonly output: string;
}

/** A Pulumi program with a stack of its own on a local backend, driven by the real CLI. */
export interface Program {
  readonly directory: string;
  /** Where state, checkpoints and backups lie. */
  readonly backend: string;
  /** `sluice` of this checkout, in the program's folder. */
  sluice(args: readonly string[]): Promise<Ran>;
  run(
    args: readonly string[],
    options?: { readonly input?: string; readonly onOutput?: (text: string) => void },
  ): Promise<Ran>;
  /** The same, to be signalled while it runs. The process leads a group of its own, as in a terminal. */
  start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ran> };
  set(key: string, value: string, kind?: "plain" | "secret"): Promise<void>;
  /** Sets plain values without a call of the CLI for each; before the first secret. */
  setPlain(values: Readonly<Record<string, string>>): Promise<void>;
  /** Deployment as `stack export` gives it, secrets as ciphertext. */
  export(): Promise<{ readonly resources: readonly StateResource[]; readonly pending_operations?: readonly unknown[] }>;
  outputs(): Promise<Record<string, unknown>>;
  remove(): Promise<void>;
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
}

const stack = "test";

/** Copies the folder's program into a place of its own and makes its stack. */
export async function openProgram(name: string, sources: string): Promise<Program> {
  const cli = await requirePulumi(() => undefined);
  const directory = path.join(workspace, name);
  const backend = path.join(directory, "backend");
  await rm(directory, { recursive: true, force: true });
  await mkdir(backend, { recursive: true });
  await cp(sources, directory, { recursive: true });
  await writeFile(path.join(directory, "Pulumi.yaml"), `name: ${name}\nruntime: nodejs\n`);
  await writeFile(path.join(directory, "tsconfig.json"), tsconfig);
  // Without one of its own Pulumi finds the checkout's, and runs its `main`.
  const packageFile = path.join(directory, "package.json");
  if (!existsSync(packageFile)) await writeFile(packageFile, JSON.stringify({ name, private: true }));
  const env = environmentFor(cli, backend);

  const start = (args: readonly string[], input?: string, onOutput?: (text: string) => void) =>
    startCli(cli, args, { cwd: directory, env, input, onOutput });
  const must = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, output } = await start(args, input).ended;
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${String(code)}\n${output}`);
    return output;
  };
  await must(["stack", "init", stack]);
  return {
    directory,
    backend,
    run: (args, options) => start(args, options?.input, options?.onOutput).ended,
    start: (args) => start(args),
    sluice: (args) => watch(spawn(process.execPath, [command, ...args], { cwd: directory, env, detached: true })).ended,
    set: async (key, value, kind = "plain") =>
      void (await must(["config", "set", kind === "secret" ? "--secret" : "--plaintext", key], value)),
    setPlain: async (values) => {
      const file = path.join(directory, `Pulumi.${stack}.yaml`);
      const lines = Object.entries(values).map(([key, value]) => `  ${name}:${key}: ${JSON.stringify(value)}\n`);
      const text = await readFile(file, "utf8");
      const head = text.includes("\nconfig:\n") ? text : `${text}config:\n`;
      await writeFile(file, `${head}${lines.join("")}`);
    },
    export: async () =>
      (JSON.parse(await must(["stack", "export"])) as { deployment: Awaited<ReturnType<Program["export"]>> })
        .deployment,
    outputs: async () => JSON.parse(await must(["stack", "output", "--json"])) as Record<string, unknown>,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** The program is not type-checked at every run: `npm run check` does that for examples and scenarios. */
const tsconfig = JSON.stringify({
  compilerOptions: {
    target: "ES2022",
    module: "nodenext",
    moduleResolution: "nodenext",
    strict: true,
    skipLibCheck: true,
  },
});

const environmentFor = (cli: Cli, backend: string): NodeJS.ProcessEnv => ({
  ...environmentOf(cli),
  PULUMI_BACKEND_URL: `file://${backend}`,
  PULUMI_CONFIG_PASSPHRASE: "a passphrase of the tests",
  PULUMI_NODEJS_TRANSPILE_ONLY: "true",
  NO_COLOR: "1",
});

interface Start {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: string | undefined;
  readonly onOutput: ((text: string) => void) | undefined;
}

function startCli(cli: Cli, args: readonly string[], { cwd, env, input, onOutput }: Start) {
  const words = [...args, "--non-interactive", "--color", "never"];
  return watch(
    spawn(cli.program, words, { cwd, env, stdio: ["pipe", "pipe", "pipe"], detached: true }),
    input,
    onOutput,
  );
}

/** Both streams in one text; a process that gets no input reads the end of it. */
function watch(child: ChildProcessWithoutNullStreams, input?: string, onOutput?: (text: string) => void) {
  let output = "";
  const take = (chunk: Buffer) => {
    output += chunk.toString();
    onOutput?.(chunk.toString());
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.stdin.end(input ?? "");
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, output });
    });
  });
  return { child, ended };
}

export const readSource = (...parts: readonly string[]): Promise<string> => readFile(path.join(root, ...parts), "utf8");
