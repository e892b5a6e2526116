import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { LabError } from "./errors.ts";
import { awaitCondition } from "./wait.ts";

/** The kernel's own list of what belongs to a host: it survives our crash, and no process leaves it. */
const labGroup = "sluice-lab";

/** SIGKILL takes effect at once; a process in the middle of a disk wait was seen to need 2 s. */
const deathWithinSeconds = 30;

export interface HostGroup {
  readonly lab: string;
  readonly host: string;
}

/** Mount points of the unified hierarchy and, on machines that mount both generations, of systemd's named one. */
async function readHierarchies(): Promise<{ unified: string; all: readonly string[] }> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").map((line) => {
    const [before = "", after = ""] = line.split(" - ");
    return { directory: before.split(" ")[4] ?? "", type: after.split(" ")[0] ?? "", options: after };
  });
  const unified = mounts.find(({ type }) => type === "cgroup2")?.directory;
  if (unified === undefined) {
    throw new LabError("this machine has no cgroup2 file system mounted", {
      needs: "the unified control group hierarchy, in which a host's systemd keeps its services",
      fix: "mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified",
    });
  }
  const named = mounts.filter(({ type, options }) => type === "cgroup" && options.includes("name=systemd"));
  return { unified, all: [unified, ...named.map(({ directory }) => directory)] };
}

/** The directory whose `cgroup.procs` a host's first process writes itself into. */
export async function ensureHostGroup({ lab, host }: HostGroup): Promise<string> {
  const { unified } = await readHierarchies();
  let directory = unified;
  for (const name of [labGroup, lab, host]) {
    await delegateControllers(directory);
    directory = path.join(directory, name);
    await mkdir(directory, { recursive: true });
  }
  return directory;
}

/** Where memory and cpu belong to the unified hierarchy, a host's units can be limited (MemoryMax). */
async function delegateControllers(directory: string): Promise<void> {
  const available = (await readFile(path.join(directory, "cgroup.controllers"), "utf8")).trim().split(/\s+/);
  for (const controller of ["memory", "cpu", "io", "pids"].filter((name) => available.includes(name))) {
    // Refused if other processes are in the parent: then limits have no effect, and nothing else changes.
    await writeFile(path.join(directory, "cgroup.subtree_control"), `+${controller}`).catch(() => undefined);
  }
}

/** Process ids of everything the host runs, its container supervisor included; empty for a host that is off. */
export async function readHostProcesses({ lab, host }: HostGroup): Promise<number[]> {
  const { unified } = await readHierarchies();
  return readProcesses(path.join(unified, labGroup, lab, host));
}

async function readProcesses(directory: string): Promise<number[]> {
  const own = await readFile(path.join(directory, "cgroup.procs"), "utf8").catch(() => undefined);
  if (own === undefined) return [];
  const children = await readDirectories(directory);
  const below = await Promise.all(children.map((child) => readProcesses(path.join(directory, child))));
  return [...own.split("\n").filter(Boolean).map(Number), ...below.flat()];
}

/** The host's pid 1 as this machine numbers it: a child of the container supervisor that is pid 1 in its own namespace. */
export async function readInit(group: HostGroup): Promise<number | undefined> {
  const { unified } = await readHierarchies();
  const directory = path.join(unified, labGroup, group.lab, group.host);
  const supervisors = [...(await readOwn(directory)), ...(await readOwn(path.join(directory, "supervisor")))];
  for (const pid of supervisors) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
    for (const child of children.split(" ").filter(Boolean).map(Number)) {
      const status = await readFile(`/proc/${child}/status`, "utf8").catch(() => "");
      if (/^NSpid:\s+\d+\s(.*\s)?1$/m.test(status)) return child;
    }
  }
  return undefined;
}

/** Freezes every process of the host, or lets them continue: a host that hangs while its network still works. */
export async function setFrozen({ lab, host }: HostGroup, frozen: boolean): Promise<void> {
  const { unified } = await readHierarchies();
  const directory = path.join(unified, labGroup, lab, host, "payload");
  const wanted = frozen ? "1" : "0";
  await writeFile(path.join(directory, "cgroup.freeze"), wanted);
  await awaitCondition({ until: `${host} is ${frozen ? "frozen" : "thawed"}`, withinSeconds: 10 }, async () => {
    const events = await readFile(path.join(directory, "cgroup.events"), "utf8");
    return events.includes(`frozen ${wanted}`) ? true : undefined;
  });
}

async function readOwn(directory: string): Promise<number[]> {
  const text = await readFile(path.join(directory, "cgroup.procs"), "utf8").catch(() => "");
  return text.split("\n").filter(Boolean).map(Number);
}

/** Ends every process of the host at once, as a power cut does, and returns when the kernel has buried them. */
export async function killHostProcesses(group: HostGroup): Promise<void> {
  const until = `every process of ${group.lab}/${group.host} is gone`;
  await awaitCondition({ until, withinSeconds: deathWithinSeconds }, async () => {
    // pid 1 first: the kernel then ends its whole pid namespace, and the supervisor tidies up and ends by itself.
    const init = await readInit(group);
    const pids = await readHostProcesses(group);
    for (const pid of init === undefined ? pids : [init]) killProcess(pid);
    if (pids.length > 0) return undefined;
    // Refused as busy while a boot script that was just started is still on its way in: then look again.
    await removeHostGroup(group);
    return true;
  });
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended meanwhile
  }
}

async function removeHostGroup({ lab, host }: HostGroup): Promise<void> {
  const { all } = await readHierarchies();
  for (const hierarchy of all) await removeGroups(path.join(hierarchy, labGroup, lab, host));
}

/** Removes the lab's own, empty groups; the one all labs share goes with the last of them. */
export async function removeLabGroup(lab: string): Promise<void> {
  const { all } = await readHierarchies();
  for (const hierarchy of all) {
    await removeGroups(path.join(hierarchy, labGroup, lab));
    await rmdir(path.join(hierarchy, labGroup)).catch(() => undefined); // another lab's groups are still in it
  }
}

/** Hosts for which the kernel still has a group, running or not. */
export async function readGroupedHosts(lab: string): Promise<string[]> {
  const { unified } = await readHierarchies();
  return readDirectories(path.join(unified, labGroup, lab));
}

async function removeGroups(directory: string): Promise<void> {
  for (const child of await readDirectories(directory)) await removeGroups(path.join(directory, child));
  try {
    await rmdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

async function readDirectories(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
