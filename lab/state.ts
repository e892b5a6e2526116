import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

/**
 * Run-time state is the machine's, as the network and the processes are: one directory, whichever checkout starts a
 * lab.
 */
const stateRoot = "/var/lib/sluice-lab";
export const labLockFile = (lab: string) => `/run/sluice-lab/${lab}.lock`;
export const networkLockFile = "/run/sluice-lab/networks.lock";

export interface Bind {
  readonly from: string;
  readonly to: string;
  readonly readOnly?: boolean;
}

/** What a lab was made with; written first, so that a crash leaves nothing without a name. */
export interface LabState {
  readonly version: 1;
  readonly name: string;
  readonly subnet: number;
  readonly image: string;
  readonly dataMegabytes: number;
  readonly binds: readonly Bind[];
  /** Hosts whose disk is complete. */
  readonly hosts: readonly string[];
}

export const labDirectory = (lab: string) => path.join(stateRoot, lab);
export const hostDirectory = (lab: string, host: string) => path.join(labDirectory(lab), "hosts", host);
const stateFile = (lab: string) => path.join(labDirectory(lab), "lab.json");

export async function readLabState(lab: string): Promise<LabState | undefined> {
  const text = await readFile(stateFile(lab), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as LabState); // only this file writes it
}

export async function writeLabState(state: LabState): Promise<void> {
  await mkdir(labDirectory(state.name), { recursive: true, mode: 0o755 });
  await writeFile(`${stateFile(state.name)}.new`, `${JSON.stringify(state, undefined, 2)}\n`);
  await rename(`${stateFile(state.name)}.new`, stateFile(state.name));
}

/** The description first: a lab is never found with half of its disks. */
export async function removeLabState(lab: string): Promise<void> {
  await rm(stateFile(lab), { force: true });
  await rm(labDirectory(lab), { recursive: true, force: true });
}

export async function readLabNames(): Promise<string[]> {
  const entries = await readdir(stateRoot, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
