import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { parseHostName } from "./address.ts";
import { ensureHostGroup, readHostProcesses } from "./cgroup.ts";
import { knownHostsFile } from "./disk.ts";
import { LabError } from "./errors.ts";
import type { LabHost } from "./machine.ts";
import { ensureHostNetwork, hostNamespace } from "./network.ts";
import { run } from "./run.ts";
import { hostDirectory, type LabState } from "./state.ts";
import { awaitCondition } from "./wait.ts";

/** Slowest of many measured boots on two busy cores was below 5 s. */
const bootWithinSeconds = 60;
/** The boot script's first act is to join the host's control group; on a machine that swaps that took 1 s. */
const joinWithinSeconds = 10;
const shownConsoleLines = 10;

const consoleFile = (lab: string, host: string) => path.join(hostDirectory(lab, host), "console.log");

/** Starts the host's processes; they live on when this one ends. */
export async function boot(state: LabState, name: string): Promise<void> {
  const directory = hostDirectory(state.name, name);
  const identity = { lab: state.name, host: name };
  await ensureHostNetwork(state.name, name, state.subnet, parseHostName(name).octet);
  const group = await ensureHostGroup(identity);
  const machineId = (await readFile(path.join(directory, "upper/etc/machine-id"), "utf8")).trim();
  const binds = state.binds.map(({ from, to, readOnly }) => `--bind${readOnly ? "-ro" : ""}=${from}:${to}`);
  const script = [path.join(import.meta.dirname, "host/boot.sh"), directory, state.image, group];
  const names = [hostNamespace(state.name, name), `sluice.${state.name}.${name}`, name, machineId];
  const console = await open(consoleFile(state.name, name), "w", 0o600);
  const supervisor = spawn("unshare", ["--mount", "--propagation", "slave", "sh", ...script, ...names, ...binds], {
    detached: true, // a host outlives the command that started it, and its Ctrl-C
    stdio: ["ignore", console.fd, console.fd],
    cwd: "/",
    env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" },
  });
  const ended = new Promise<true>((resolve) => supervisor.once("exit", () => resolve(true)));
  supervisor.unref();
  const until = `the processes of ${name} are there`;
  const joined = awaitCondition({ until, withinSeconds: joinWithinSeconds }, async () =>
    (await readHostProcesses(identity)).length > 0 ? true : undefined,
  );
  await Promise.race([joined, ended]); // one that ended at once is found by awaitLogin, which says why
  await console.close();
}

/** Returns when the ssh login works; throws the console's output if the host ended instead. */
export async function awaitLogin(state: LabState, host: LabHost, log: (line: string) => void): Promise<void> {
  const until = `${host.name} lets ${host.user} in over ssh`;
  const answer = await awaitCondition({ until, withinSeconds: bootWithinSeconds, log }, async () => {
    if ((await readHostProcesses({ lab: state.name, host: host.name })).length === 0) return "ended";
    await readBanner(host.address, host.sshPort);
    const key = ["-i", host.privateKeyPath, "-o", `UserKnownHostsFile=${knownHostsFile(state.name)}`];
    const quiet = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=2", "-o", "LogLevel=ERROR", "-F", "none"];
    await run("ssh", [...quiet, ...key, `${host.user}@${host.address}`, "true"]);
    return "in";
  });
  if (answer === "in") return;
  const console = await readFile(consoleFile(state.name, host.name), "utf8");
  throw new LabError(`host ${host.name} of lab ${state.name} ended while it was starting`, {
    found: console.trim().split("\n").slice(-shownConsoleLines).join("\n") || "nothing on its console",
    fix: `npm run lab -- down --name ${state.name}, then up`,
  });
}

/** sshd sends its banner when it is ready: much cheaper to wait for than a whole login. */
function readBanner(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address, port, timeout: 1_000 });
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
    socket.once("timeout", () => socket.destroy(new Error(`no answer from ${address}:${port}`)));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`${address}:${port} hung up`)));
  });
}
