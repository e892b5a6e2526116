import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseHostName, renderAddress } from "./address.ts";
import { awaitLogin, boot } from "./boot.ts";
import { killHostProcesses, readHostProcesses, readInit, setFrozen, type HostGroup } from "./cgroup.ts";
import {
  awaitDiskReleased,
  hostKeyFile,
  readIfThere,
  readyFile,
  serverIdOf,
  sshKeyFile,
  sshPasswordFile,
} from "./disk.ts";
import { LabError } from "./errors.ts";
import { setCable } from "./network.ts";
import { run } from "./run.ts";
import { ensureServer } from "./server.ts";
import type { LabHost } from "./machine.ts";
import { hostDirectory, type LabState } from "./state.ts";
import { awaitCondition } from "./wait.ts";

/** A clean stop of a mysqld with a full buffer pool takes seconds; systemd itself gives a service 90. */
const shutdownWithinSeconds = 120;
const sigrtminPlus3 = 37; // what systemd as pid 1 understands as "halt" (systemd(1), signals)

export const mysqlFiles = (lab: string, host: string) => ({
  passwordPath: path.join(hostDirectory(lab, host), "mysql-password"),
  caPath: path.join(hostDirectory(lab, host), "mysql-ca.pem"),
  optionFile: path.join(hostDirectory(lab, host), "mysql.cnf"),
});

export async function openHost(state: LabState, name: string, log: (line: string) => void): Promise<LabHost> {
  const { role, octet } = parseHostName(name);
  const group = { lab: state.name, host: name };
  const publicKey = await readFile(`${hostKeyFile(state.name, name)}.pub`, "utf8");
  const fingerprint = await run("ssh-keygen", ["-lf", `${hostKeyFile(state.name, name)}.pub`]);
  const ready = readyFile(state.name, name);
  const inside = async (): Promise<number> => {
    const init = await readInit(group);
    if (init === undefined)
      throw new LabError(`host ${name} of lab ${state.name} is off`, { fix: "npm run lab -- up" });
    return init;
  };
  const host: LabHost = {
    name,
    role,
    address: renderAddress(state.subnet, octet),
    sshPort: 22,
    user: "sluice",
    privateKeyPath: sshKeyFile(state.name),
    sshPasswordPath: sshPasswordFile(state.name, name),
    hostKeyFingerprint: fingerprint.stdout.split(" ")[1] ?? "",
    hostPublicKey: publicKey.split(" ").slice(0, 2).join(" "),
    ...(role === "source"
      ? { mysql: { port: 3306, user: "sluice", serverId: serverIdOf(name), ...mysqlFiles(state.name, name) } }
      : {}),
    isRunning: async () => (await readInit(group)) !== undefined,
    run: async (command, options = {}) =>
      run("nsenter", [...enterArguments(await inside()), ...command], {
        calledInErrors: `${command.join(" ")} on host ${name}`,
        ...options,
        env: insideEnvironment,
      }),
    powerOff: () => endHost(group),
    shutDown: async () => {
      process.kill(await inside(), sigrtminPlus3);
      await awaitCondition({ until: `${name} has shut down`, withinSeconds: shutdownWithinSeconds, log }, async () =>
        (await readHostProcesses(group)).length === 0 ? true : undefined,
      );
      await endHost(group);
    },
    start: async () => {
      if ((await host.isRunning()) && (await readIfThere(ready)) !== undefined) return;
      // A host that runs and is not known as ready is one whose `up` was interrupted: it only needs to be waited for.
      if (!(await host.isRunning())) {
        await endHost(group);
        await boot(state, name);
      }
      await awaitLogin(state, host, log);
      if (host.mysql) await ensureServer(host, host.mysql, log);
      await writeFile(ready, "");
    },
    pause: () => setFrozen(group, true),
    resume: () => setFrozen(group, false),
    cutNetwork: () => setCable(state.name, octet, "down"),
    restoreNetwork: () => setCable(state.name, octet, "up"),
  };
  return host;
}

/** Ends a host whatever state it is in, also one of which only remains are left. */
export async function endHost({ lab, host }: HostGroup): Promise<void> {
  await rm(readyFile(lab, host), { force: true });
  await killHostProcesses({ lab, host });
  await awaitDiskReleased(lab, host);
}

function enterArguments(init: number): string[] {
  return ["--target", String(init), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--"];
}

const insideEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  USER: "root",
  LANG: "C.UTF-8",
};
