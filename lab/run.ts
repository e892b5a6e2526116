import { spawn } from "node:child_process";
import { LabError } from "./errors.ts";

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Exit codes that are answers and not errors. Default [0]. */
  readonly accept?: readonly number[];
  readonly onLine?: (line: string) => void;
  /** What errors call it, where the command line says less. */
  readonly calledInErrors?: string;
  /** The kernel kills the program when this process dies, however it dies: no build continues without a lock. */
  readonly endsWithUs?: boolean;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Lines of stderr an error repeats: enough for apt and debootstrap to name their trouble. */
const shownErrorLines = 20;

/** Runs a program without a shell, waits for its end, and throws a LabError when it says no. */
export async function run(wanted: string, wantedArgs: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const command = [...(options.endsWithUs ? ["setpriv", "--pdeathsig", "KILL"] : []), wanted, ...wantedArgs];
  const [program = wanted, ...args] = command;
  const result = await new Promise<RunResult>((resolve, reject) => {
    const child = spawn(program, args, { env: options.env ?? process.env, stdio: "pipe" });
    let stdout = "";
    let stderr = "";
    let unfinishedLine = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const lines = (unfinishedLine + text).split("\n");
      unfinishedLine = lines.pop() ?? "";
      if (options.onLine) lines.forEach(options.onLine);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => undefined); // EPIPE of a program that does not read its input: its exit code tells
    child.stdin.end(options.stdin ?? "");
    child.on("error", (cause) => {
      reject(new LabError(`cannot run ${wanted}`, { found: cause.message }));
    });
    child.on("close", (code, killedBy) => {
      resolve({ exitCode: code ?? 128, stdout, stderr: killedBy ? `${stderr}ended by ${killedBy}\n` : stderr });
    });
  });
  if (!(options.accept ?? [0]).includes(result.exitCode)) {
    const name = options.calledInErrors ?? [wanted, ...wantedArgs].join(" ");
    const said = lastLines(result.stderr.trim() === "" ? result.stdout : result.stderr);
    throw new LabError(`${name} ended with exit code ${result.exitCode}`, { found: said === "" ? "no output" : said });
  }
  return result;
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-shownErrorLines).join("\n");
}
