import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = path.resolve(__dirname, "..", "..");

/** In its strict layout a package reaches only what it declares. The last of the series that runs on Node 22.12. */
const pnpm = "pnpm@10.34.9";

/** What `npm publish` would publish. */
export async function packPackage(into: string): Promise<string> {
  await mkdir(into, { recursive: true });
  await run("npm", ["pack", "--pack-destination", into, "--loglevel=error"], { cwd: root });
  const tarball = (await readdir(into)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error(`npm pack left nothing in ${into}`);
  return path.join(into, tarball);
}

/** Installs the tarball as a user does, beside Pulumi's SDK, into a program's folder next to it. */
export async function installPackage(tarball: string, installer: "npm" | "pnpm", sdk: string): Promise<string> {
  const program = path.join(path.dirname(tarball), installer);
  await mkdir(program);
  const dependencies = { "@pulumi/pulumi": sdk, "pulumi-sluice": `file:${tarball}`, typescript: "~5.9.3" };
  const manifest = { name: "packed", private: true, main: "index.ts", dependencies };
  await writeFile(path.join(program, "package.json"), JSON.stringify(manifest));
  await run("npm", installWords[installer], { cwd: program, maxBuffer: 10_000_000 });
  return program;
}

const installWords = {
  npm: ["install", "--ignore-scripts", "--prefer-offline", "--loglevel=error"],
  pnpm: ["exec", "--yes", `--package=${pnpm}`, "--", "pnpm", "install", "--ignore-scripts", "--prefer-offline"],
};
