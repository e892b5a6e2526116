import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface RunResult {
  /** 127 where the program could not be started at all. */
  readonly exitCode: number;
  readonly stdout: string;
  /** The last lines, for error messages. */
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly onStderrLine?: (line: string) => void;
  /** Seconds until the program is ended. */
  readonly withinSeconds?: number;
}

/** Runs a program without showing its output. `env` is added to ours. */
export function runQuietly(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  options: RunOptions = {},
): Promise<RunResult> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.withinSeconds === undefined ? undefined : options.withinSeconds * 1000,
  });
  let stdout = "";
  const lastLines: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  createInterface({ input: child.stderr }).on("line", (line) => {
    options.onStderrLine?.(line);
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
  });
  return new Promise((done) => {
    child.once("error", (error) => done({ exitCode: 127, stdout, stderr: error.message }));
    child.once("close", (code) => done({ exitCode: code ?? 1, stdout, stderr: lastLines.join("\n") }));
  });
}

/** Prints what runs and for how long, every 5 seconds, until the returned function is called. */
export function startTicker(say: (text: string) => void, describe: () => string): () => void {
  const startedAt = Date.now();
  const ticker = setInterval(() => say(`${describe()} (${Math.round((Date.now() - startedAt) / 1000)} s)`), 5000);
  return () => clearInterval(ticker);
}
