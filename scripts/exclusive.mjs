// One holder at a time, by a lock file that names its process. Plain JavaScript: the bootstrap needs it before anything is installed.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Longest work under a lock is a cold build of the CLI (5 minutes on 2 cores); three times that is a hung holder. */
const waitLimitSeconds = 900;

/**
 * Runs `work` while holding the lock file, which is taken over when its holder is dead.
 * @template T
 * @param {string} lock path of the lock file
 * @param {(text: string) => void} say called when there is somebody to wait for
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function exclusively(lock, say, work) {
  mkdirSync(dirname(lock), { recursive: true });
  const limitAt = Date.now() + waitLimitSeconds * 1000;
  for (let told = 0; !tryTake(lock);) {
    const holder = readHolder(lock);
    if (holder !== undefined && holder !== told) say(`waiting for process ${holder}, which does the same work`);
    told = holder ?? told;
    if (Date.now() > limitAt) throw new Error(`process ${told} still holds ${lock}; end it, or delete that file`);
    await pause(200);
  }
  const release = () => {
    if (readHolder(lock) === process.pid) rmSync(lock, { force: true });
  };
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

/** @param {string} lock */
function tryTake(lock) {
  try {
    writeFileSync(lock, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
  const holder = readHolder(lock);
  if (holder !== undefined && !isAlive(holder)) removeOf(lock, holder);
  return false;
}

/**
 * The process that holds the lock; undefined where nobody does. 0 while the holder's number is not written yet.
 * @param {string} lock
 */
function readHolder(lock) {
  try {
    return Number(readFileSync(lock, "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/**
 * Moves a dead holder's lock away; a lock that somebody else took in between is put back.
 * @param {string} lock
 * @param {number} holder
 */
function removeOf(lock, holder) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (readHolder(aside) !== holder) linkSync(aside, lock);
  } catch {
    // Somebody else was quicker; the next round looks again.
  } finally {
    rmSync(aside, { force: true });
  }
}
