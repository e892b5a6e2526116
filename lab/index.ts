import { existsSync } from "node:fs";
import { allocateSubnet, parseHostName, renderAddress, requireLabName } from "./address.ts";
import { readGroupedHosts, removeLabGroup } from "./cgroup.ts";
import { ensureLabKey, makeHostDisk, sshConfigFile, type DiskOptions } from "./disk.ts";
import { LabError } from "./errors.ts";
import { endHost, openHost } from "./host.ts";
import type { LabHost } from "./machine.ts";
import { ensureImage, imageDirectory } from "./image.ts";
import { withLock } from "./lock.ts";
import { isLabNetworkWhole, makeLabNetwork, readTakenSubnets, removeLabNetwork } from "./network.ts";
import { requireAbilities } from "./requirements.ts";
import { writeSshFiles } from "./ssh-files.ts";
import { ensureShopData, requireDataMegabytes } from "./shop.ts";
import {
  labDirectory,
  labLockFile,
  networkLockFile,
  readLabNames,
  readLabState,
  removeLabState,
  writeLabState,
  type Bind,
  type LabState,
} from "./state.ts";

export { LabError } from "./errors.ts";
export type { LabHost, LabServer } from "./machine.ts";
export type { Bind } from "./state.ts";
export { findObstacle } from "./requirements.ts";

type Log = (line: string) => void;

export interface LabOptions {
  /** Several labs run side by side, each with a network of its own. Default "default". */
  readonly name?: string;
  /** `source`, `staging`, `runner`, and further ones of a kind: `source2`. Default source and staging. */
  readonly hosts?: readonly string[];
  /** Size of the shop's data on a source that is made now. Default 300. */
  readonly dataMegabytes?: number;
  /** Directories and files of this machine to show inside every host of a lab that is made now. */
  readonly binds?: readonly Bind[];
  /** Gets a line for every step that takes longer than a moment. */
  readonly log?: Log;
}

export interface Lab {
  readonly name: string;
  /** `198.18.37.0/24`; the outer machine has its first address. */
  readonly network: string;
  readonly hosts: ReadonlyMap<string, LabHost>;
  /** The host of that name; throws when the lab has none. */
  host(name: string): LabHost;
  /** For `ssh -F FILE source`. */
  readonly sshConfigPath: string;
  stop(): Promise<void>;
}

/** The slowest step under a lab's lock is making the base image on a slow line. */
const lockWithinSeconds = 1_200;
const silent: Log = () => undefined;

/** A lab with these hosts, all of them up and answering. Repeating it is quick and changes nothing that runs. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const name = requireLabName(options.name ?? "default");
  const wanted = options.hosts ?? ["source", "staging"];
  wanted.forEach(parseHostName);
  requireDataMegabytes(options.dataMegabytes ?? 300);
  const log = options.log ?? silent;
  await requireAbilities(log);
  const lock = { withinSeconds: lockWithinSeconds, log, purpose: `lab ${name}` };
  return withLock(labLockFile(name), lock, async () => {
    const found = await readLabState(name);
    if (found) await noteDifferences(found, options, log);
    let state = found ?? (await makeLab(name, options, log));
    await ensureLabKey(name);
    const missing = wanted.filter((host) => !state.hosts.includes(host));
    if (missing.length > 0) state = await addHosts(state, missing, log);
    const lab = await openLab(state, log);
    // Each time: an `up` may have been killed between the hosts' disks and these files.
    await writeSshFiles(lab.name, [...lab.hosts.values()]);
    await startHosts(state, lab, log);
    return lab;
  });
}

/** Repairs what a crash, a test or a user left: no network, cut cables, frozen hosts, hosts that are off. */
async function startHosts(state: LabState, lab: Lab, log: Log): Promise<void> {
  const hosts = [...lab.hosts.values()];
  if (!(await isLabNetworkWhole(state.name, state.subnet))) {
    await Promise.all(hosts.map((host) => host.powerOff()));
    await makeLabNetwork(state.name, state.subnet);
  }
  const off: string[] = [];
  for (const host of hosts) {
    if (!(await host.isRunning())) off.push(host.name);
    else await Promise.all([host.resume(), host.restoreNetwork()]);
  }
  if (off.length > 0) log(`starting ${off.join(", ")}`);
  await Promise.all(hosts.map((host) => host.start()));
}

/** The lab of that name as it is; undefined if there is none. */
export async function findLab(name = "default", log: Log = silent): Promise<Lab | undefined> {
  const state = await readLabState(requireLabName(name));
  return state && openLab(state, log);
}

/** Ends the lab and removes what it had, after a crash too; nothing to do is fine. */
export async function stopLab(name = "default", log: Log = silent): Promise<void> {
  requireLabName(name);
  await requireAbilities(log);
  const lock = { withinSeconds: lockWithinSeconds, log, purpose: `lab ${name}` };
  await withLock(labLockFile(name), lock, () => removeLab(name));
}

export async function readLabs(): Promise<Lab[]> {
  const states = await Promise.all((await readLabNames()).sort().map(readLabState));
  return Promise.all(states.filter((state) => state !== undefined).map((state) => openLab(state, silent)));
}

/** What a lab was made with stays until it is taken down: a user may need its data. */
async function noteDifferences(state: LabState, { dataMegabytes, binds }: LabOptions, log: Log): Promise<void> {
  const differences = [
    dataMegabytes !== undefined && dataMegabytes !== state.dataMegabytes && `its data is ${state.dataMegabytes} MB`,
    binds !== undefined && JSON.stringify(binds) !== JSON.stringify(state.binds) && "it was made with other binds",
    state.image !== (await imageDirectory()) && "the recipe of the base image has changed since",
  ].filter((difference) => difference !== false);
  if (differences.length > 0)
    log(`lab ${state.name} stays as it was made (down and up renew it): ${differences.join("; ")}`);
}

async function makeLab(name: string, { dataMegabytes = 300, binds = [] }: LabOptions, log: Log): Promise<LabState> {
  await removeLab(name);
  const image = await ensureImage(log);
  return withLock(networkLockFile, { withinSeconds: 30, log, purpose: "the choice of a network" }, async () => {
    const taken = await readTakenSubnets();
    for (const other of await readLabNames()) {
      const state = await readLabState(other);
      if (state) taken.add(state.subnet);
    }
    const subnet = allocateSubnet(name, taken);
    const state: LabState = { version: 1, name, subnet, image, dataMegabytes, binds, hosts: [] };
    await writeLabState(state);
    return state;
  });
}

async function addHosts(state: LabState, hosts: readonly string[], log: Log): Promise<LabState> {
  if (!existsSync(state.image)) {
    throw new LabError(`lab ${state.name} uses a base image that was removed`, {
      found: `no ${state.image}`,
      fix: `npm run lab -- down --name ${state.name}, then up`,
    });
  }
  const disks: DiskOptions[] = [];
  for (const host of hosts) {
    const { role, number } = parseHostName(host);
    const { name: lab, subnet, image, dataMegabytes: megabytes } = state;
    const shopData = role === "source" && (await ensureShopData({ image, megabytes, sourceNumber: number, log }));
    disks.push({ lab, host, subnet, image, ...(shopData ? { shopData } : {}) });
  }
  log(`making the disks of ${hosts.join(", ")}`);
  await Promise.all(disks.map(makeHostDisk));
  const grown = { ...state, hosts: [...state.hosts, ...hosts] };
  await writeLabState(grown);
  return grown;
}

async function openLab(state: LabState, log: Log): Promise<Lab> {
  const hosts = new Map<string, LabHost>();
  for (const host of state.hosts) hosts.set(host, await openHost(state, host, log));
  return {
    name: state.name,
    network: `${renderAddress(state.subnet, 0)}/24`,
    hosts,
    host: (name) => {
      const host = hosts.get(name);
      if (host) return host;
      throw new LabError(`lab ${state.name} has no host ${name}`, {
        found: [...hosts.keys()].join(", ") || "no host at all",
        fix: `npm run lab -- up --name ${state.name} --hosts ${[...hosts.keys(), name].join(",")}`,
      });
    },
    sshConfigPath: sshConfigFile(state.name),
    stop: () => stopLab(state.name, log),
  };
}

/** Works from what the kernel has as well as from what is written, so a half-made lab goes too. */
async function removeLab(name: string): Promise<void> {
  const state = await readLabState(name);
  for (const host of new Set([...(await readGroupedHosts(name)), ...(state?.hosts ?? [])])) {
    await endHost({ lab: name, host });
  }
  await removeLabNetwork(name, state?.subnet);
  await removeLabGroup(name);
  if (existsSync(labDirectory(name))) await removeLabState(name);
}
