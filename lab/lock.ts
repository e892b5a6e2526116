import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { LabError } from "./errors.ts";

export interface LockOptions {
  readonly withinSeconds: number;
  readonly log: (line: string) => void;
  /** What the holder does, for the one who waits. */
  readonly purpose: string;
}

/** Exit code of flock for "another process holds it": util-linux's default is 1, which a broken shell also gives. */
const takenExitCode = 75;

/**
 * Holds the lock file while `work` runs. A child process (flock) holds it, not this process: servers started by
 * `work` cannot inherit it, and the kernel frees it when we die because the child's input then ends.
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
  const release = (await takeLock(file, 0)) ?? (await waitForLock(file, options));
  try {
    return await work();
  } finally {
    await release();
  }
}

async function waitForLock(file: string, options: LockOptions): Promise<() => Promise<void>> {
  options.log(`another process is busy with ${options.purpose}: waiting for it, at most ${options.withinSeconds} s`);
  const release = await takeLock(file, options.withinSeconds);
  if (release) return release;
  throw new LabError(`another process has been busy with ${options.purpose} for ${options.withinSeconds} s`, {
    found: `the lock ${file} is held`,
    fix: `see who holds it with: fuser -v ${file}`,
  });
}

/** Undefined if another process holds it for longer than `withinSeconds`. */
function takeLock(file: string, withinSeconds: number): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const args = ["--exclusive", "--wait", String(withinSeconds), "--conflict-exit-code", String(takenExitCode), file];
    // Detached: Ctrl-C goes to the whole process group, and the lock has to outlive our own cleaning up.
    const holder = spawn("flock", [...args, "sh", "-c", "echo held; exec cat"], { stdio: "pipe", detached: true });
    let stderr = "";
    const ended = new Promise<number | null>((settle) => holder.on("close", (code) => settle(code)));
    holder.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    holder.stdin.on("error", () => undefined); // the holder's end is what `ended` tells
    holder.on("error", (cause) => {
      reject(new LabError("cannot run flock", { found: cause.message, fix: "install util-linux" }));
    });
    holder.stdout.once("data", () => {
      resolve(async () => {
        holder.stdin.end();
        await ended;
      });
    });
    void ended.then((code) => {
      if (code === takenExitCode) resolve(undefined);
      else reject(new LabError(`cannot lock ${file}`, { found: stderr.trim() }));
    });
  });
}
