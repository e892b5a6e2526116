import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const exclusive = resolve(__dirname, "..", "..", "..", "scripts", "exclusive.mjs");

describe("exclusive work", () => {
  let folder = "";
  let lock = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-lock-"));
    lock = join(folder, "lock");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A process that does `work` under the lock. */
  const start = (work: string): ChildProcess => {
    const text = `
      import { exclusively } from ${JSON.stringify(exclusive)};
      import { appendFileSync } from "node:fs";
      import { setTimeout as pause } from "node:timers/promises";
      const note = (text) => appendFileSync(${JSON.stringify(join(folder, "log"))}, text);
      await exclusively(${JSON.stringify(lock)}, (text) => console.log(text), async () => { ${work} });`;
    return spawn(process.execPath, ["--input-type=module", "--eval", text], { stdio: ["ignore", "pipe", "inherit"] });
  };

  const firstLine = async (child: ChildProcess): Promise<string> => {
    if (child.stdout === null) throw new Error("no output");
    for await (const line of createInterface({ input: child.stdout })) return line;
    return "";
  };

  test("is done by one process at a time, and the lock is gone afterwards", async () => {
    const work = `note("<"); await pause(30); note(">");`;
    await Promise.all([start(work), start(work), start(work)].map((child) => once(child, "close")));
    expect(readFileSync(join(folder, "log"), "utf8")).toBe("<><><>");
    expect(existsSync(lock)).toBe(false);
  });

  test("tells who waits whom it waits for", async () => {
    const holder = start(`console.log("holds it"); await pause(60_000);`);
    await firstLine(holder);
    const waiter = start("");
    expect(await firstLine(waiter)).toBe(`waiting for process ${String(holder.pid)}, which does the same work`);
    holder.kill("SIGKILL");
    await once(waiter, "close");
    expect(waiter.exitCode).toBe(0);
  });

  test("takes over from a process that died", async () => {
    const dead = spawn("/bin/true");
    await once(dead, "close");
    writeFileSync(lock, `${String(dead.pid)}\n`);
    await once(start(`note("done")`), "close");
    expect(readFileSync(join(folder, "log"), "utf8")).toBe("done");
  });

  test("leaves no lock behind when it fails", async () => {
    const child = start(`process.exit(3)`);
    await once(child, "close");
    expect(child.exitCode).toBe(3);
    expect(existsSync(lock)).toBe(false);
  });
});
