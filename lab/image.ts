import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { LabError } from "./errors.ts";
import { withLock } from "./lock.ts";
import { readMirror } from "./mirror.ts";
import { everyFewSeconds } from "./progress.ts";
import { run } from "./run.ts";
import { readLabNames, readLabState } from "./state.ts";

type Log = (line: string) => void;

const recipeDirectory = path.join(import.meta.dirname, "image");
const recipeFiles = ["packages.txt", "build.sh", "configure.sh"];

/** A build takes about 60 s near a mirror; a slow line may need twenty times that. */
const buildWithinSeconds = 1_200;
/** Checkouts of different ages take turns on one machine: what one of them used this month stays. */
const keepUnusedDays = 30;

export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const home = env["XDG_CACHE_HOME"];
  return path.join(home !== undefined && path.isAbsolute(home) ? home : path.join(os.homedir(), ".cache"), "sluice");
}

export function parsePackages(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
}

/** The first 12 hex digits of a SHA-256 over names and contents: the image's identity. */
export function hashRecipe(files: readonly { readonly name: string; readonly content: string }[]): string {
  const hash = createHash("sha256");
  for (const { name, content } of files) hash.update(`${name}\0${Buffer.byteLength(content)}\0${content}`);
  return hash.digest("hex").slice(0, 12);
}

export async function readRecipeHash(): Promise<string> {
  const files = await Promise.all(
    recipeFiles.map(async (name) => ({ name, content: await readFile(path.join(recipeDirectory, name), "utf8") })),
  );
  return hashRecipe([{ name: "architecture", content: process.arch }, ...files]);
}

/** Where the image of the present recipe is, or will be. */
export async function imageDirectory(): Promise<string> {
  return path.join(cacheDirectory(), `lab-image-${await readRecipeHash()}`);
}

/** The base image of all hosts, built if its recipe has none yet. */
export async function ensureImage(log: Log): Promise<string> {
  const image = await imageDirectory();
  await ensureCached(image, "building the lab's base image", log, async (partial) => {
    const packages = parsePackages(await readFile(path.join(recipeDirectory, "packages.txt"), "utf8"));
    const mirror = await readMirror();
    log(`base image: building Debian sid with MySQL from ${mirror.url} (once, about a minute)`);
    const startedAt = Date.now();
    const report = describeBuild(log);
    const script = [path.join(recipeDirectory, "build.sh"), mirror.url, partial, packages.join(",")];
    await run("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", ...script], {
      endsWithUs: true,
      env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", TMPDIR: "/tmp", ...mirror.env },
      onLine: report,
    });
    log(`base image: ready after ${Math.round((Date.now() - startedAt) / 1_000)} s`);
  });
  return image;
}

/**
 * Makes `target` in a directory next to it and renames it: an existing `target` is complete. One builder at a time;
 * what a killed builder left is removed first.
 */
export async function ensureCached(
  target: string,
  purpose: string,
  log: Log,
  build: (partial: string) => Promise<void>,
): Promise<void> {
  if (existsSync(target)) {
    await utimes(target, new Date(), new Date());
    return;
  }
  const directory = path.dirname(target);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const family = path.basename(target).split("-", 2).join("-"); // lab-image, lab-shop
  await withLock(
    path.join(directory, `${family}.lock`),
    { withinSeconds: buildWithinSeconds, log, purpose },
    async () => {
      for (const entry of (await readdir(directory)).filter((name) => name.startsWith(`${family}-`))) {
        const found = path.join(directory, entry);
        if (entry.endsWith(".partial") || (await isForgotten(found))) await rm(found, { recursive: true, force: true });
      }
      if (existsSync(target)) return;
      const partial = `${target}.partial`;
      await mkdir(partial, { mode: 0o755 });
      try {
        await build(partial);
      } catch (error) {
        await rm(partial, { recursive: true, force: true });
        throw error instanceof LabError ? new LabError(`${purpose}: ${error.message}`) : error;
      }
      await rename(partial, target);
    },
  );
}

/** Not used for a long time, and by no lab that may start again. */
async function isForgotten(cached: string): Promise<boolean> {
  const { mtimeMs } = await stat(cached);
  if (Date.now() - mtimeMs < keepUnusedDays * 86_400_000) return false;
  const labs = await Promise.all((await readLabNames()).map(readLabState));
  return labs.every((lab) => lab?.image !== cached);
}

/** debootstrap says one line a package and phase; a reader wants a number every few seconds. */
function describeBuild(log: Log): (line: string) => void {
  const counts = new Map<string, number>();
  const speak = everyFewSeconds(log);
  return (line) => {
    const phase = /^I: (Retrieving|Extracting|Unpacking|Configuring) /.exec(line)?.[1];
    if (phase === undefined) return;
    const count = (counts.get(phase) ?? 0) + 1;
    counts.set(phase, count);
    speak(`base image: ${phase.toLowerCase()} packages, ${count} done`);
  };
}
