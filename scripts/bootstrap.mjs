// The first thing every npm script runs: plain JavaScript for any Node >= 18, no dependency. It makes sure that
// node_modules holds what package-lock.json says, that the pinned Node is there, and with --build that dist/ matches the sources;
// then it runs the wanted TypeScript file under the pinned Node.
//   node scripts/bootstrap.mjs [--build] [FILE.ts ARGUMENT...]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { exclusively } from "./exclusive.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const pinnedNode = join(modules, ".bin", "node");
/** npm's own record, written last: without it, node_modules is the rest of an interrupted installation. */
const installedLock = join(modules, ".package-lock.json");
const lock = join(root, ".bootstrap.lock");
/** The folders tsconfig.json compiles; a missing one is no error. */
const sourceFolders = ["resources", "provider", "commands"];

/** @param {string} text */
const say = (text) => process.stderr.write(`sluice: ${text}\n`);

class SetupFailed extends Error {}

try {
  const [first, ...others] = process.argv.slice(2);
  const wantsBuild = first === "--build";
  const [file, ...args] = wantsBuild ? others : process.argv.slice(2);
  if (!isInstalled()) await exclusively(lock, say, install);
  if (wantsBuild && !isBuilt()) await exclusively(lock, say, build);
  if (file !== undefined) process.exitCode = await run(file, args);
} catch (error) {
  if (!(error instanceof SetupFailed)) throw error;
  say(error.message);
  process.exitCode = 1;
}

function isInstalled() {
  return hasPackages() && hasNode();
}

function hasPackages() {
  if (!existsSync(installedLock)) return false;
  const installed = readJson(installedLock).packages;
  const wanted = readJson(join(root, "package-lock.json")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = installed[path];
    if (found === undefined) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity && found.link === entry.link;
  });
}

/** The package `node` puts its binary in place with an install script, which npm may be told not to run. */
function hasNode() {
  if (!existsSync(pinnedNode)) return false;
  const wanted = readJson(join(root, "package-lock.json")).packages["node_modules/node"].version;
  return spawnSync(pinnedNode, ["--version"], { encoding: "utf8" }).stdout?.trim() === `v${wanted}`;
}

async function install() {
  if (!hasPackages()) {
    if (!existsSync(installedLock)) rmSync(modules, { recursive: true, force: true });
    rmSync(installedLock, { force: true });
    // Not `npm ci`: it refuses a lock file that was written where the registry lacks packages of other platforms. This keeps to the lock
    // file too. No install scripts: none is needed but Node's own, and compilers or header downloads would only cost minutes.
    const flags = ["--no-save", "--ignore-scripts", "--include=dev", "--engine-strict=false", "--loglevel=error"];
    await runStep("installing dependencies", "npm", ["install", ...flags], root);
  }
  if (!hasNode()) {
    const command = ["installArchSpecificPackage.js"];
    await runStep("installing Node", process.execPath, command, join(modules, "node"));
    // npm links only the programs it finds before the script above has run.
    rmSync(pinnedNode, { force: true });
    symlinkSync(join("..", "node", "bin", "node"), pinnedNode);
  }
  if (!isInstalled())
    throw new SetupFailed("node_modules does not hold what package-lock.json says, even after npm install");
}

/** A fingerprint of everything the compiler reads; written into dist/ when it has been built from exactly that. */
function readFingerprint() {
  const hash = createHash("sha256");
  const files = sourceFolders.flatMap((folder) => listFiles(join(root, folder)));
  for (const file of [...files, ...["tsconfig.json", "package-lock.json"].map((name) => join(root, name))].sort()) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

function isBuilt() {
  const stamp = join(root, "dist", ".fingerprint");
  return existsSync(stamp) && readFileSync(stamp, "utf8") === readFingerprint();
}

/** Compiled beside dist/ and then put in its place, so that a running program never loads half of a build. */
async function build() {
  if (isBuilt()) return;
  const fingerprint = readFingerprint();
  const fresh = join(root, `dist.${process.pid}`);
  const old = `${fresh}.old`;
  try {
    const compiler = join(modules, "typescript", "bin", "tsc");
    await runStep("compiling", pinnedNode, [compiler, "--project", root, "--outDir", fresh, "--noEmitOnError"], root);
    writeFileSync(join(fresh, ".fingerprint"), fingerprint);
    if (existsSync(join(root, "dist"))) renameSync(join(root, "dist"), old);
    renameSync(fresh, join(root, "dist"));
    linkCommands();
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  }
}

/** `npx sluice` works in the checkout too; npm links only what is there while it installs. */
function linkCommands() {
  /** @type {Record<string, string>} */
  const commands = readJson(join(root, "package.json")).bin;
  for (const [name, path] of Object.entries(commands)) {
    if (!existsSync(join(root, path))) continue;
    chmodSync(join(root, path), 0o755);
    rmSync(join(modules, ".bin", name), { force: true });
    symlinkSync(join("..", "..", path), join(modules, ".bin", name));
  }
}

/**
 * Runs one step of the setup; says what it is, every 5 seconds that it goes on, and shows its output when it fails.
 * @param {string} what @param {string} program @param {string[]} args @param {string} cwd
 */
async function runStep(what, program, args, cwd) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  say(`${what} ...`);
  const ticker = setInterval(() => say(`${what} ... ${seconds()} s`), 5000);
  let output = "";
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const failure = await new Promise((done) => {
    child.once("error", (error) => done(error.message));
    child.once("close", (code, signal) => done(code === 0 ? undefined : `it ended with ${signal ?? code}`));
  });
  clearInterval(ticker);
  if (failure === undefined) return say(`${what}: done in ${seconds()} s`);
  throw new SetupFailed(`${what} failed: ${failure}\n${output.trim()}`);
}

/** @param {string} file @param {string[]} args */
async function run(file, args) {
  const path = [join(modules, ".bin"), process.env["PATH"]].join(delimiter);
  const loader = join(root, "scripts", "typescript.cjs");
  const child = spawn(pinnedNode, ["--require", loader, join(root, file), ...args], {
    stdio: "inherit",
    env: { ...process.env, PATH: path },
  });
  // Ctrl-C reaches the whole process group: the program ends in its own way, and this waits for it.
  process.on("SIGINT", () => undefined);
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"])) process.on(signal, () => child.kill(signal));
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => done(signal === null ? code : 128 + constants.signals[signal]));
  });
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** @param {string} folder @returns {string[]} */
function listFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}
