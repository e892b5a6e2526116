import { existsSync } from "node:fs";
import { access, constants, readFile } from "node:fs/promises";
import path from "node:path";
import { LabError } from "./errors.ts";
import { everyFewSeconds } from "./progress.ts";
import { run } from "./run.ts";

/** Program -> Debian package that has it. */
const programs: Readonly<Record<string, string>> = {
  "systemd-nspawn": "systemd-container",
  debootstrap: "debootstrap",
  wget: "wget",
  gpgv: "gpgv",
  "mkfs.btrfs": "btrfs-progs",
  ip: "iproute2",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  openssl: "openssl",
  flock: "util-linux",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
};

const fileSystems = ["overlay", "btrfs"];

export interface Missing {
  readonly program: string;
  readonly package: string;
}

/** Directories of root's PATH: `sudo` and cron often leave the sbin ones out. */
export function searchPath(env: NodeJS.ProcessEnv = process.env): string[] {
  return [
    ...new Set([...(env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]),
  ].filter(Boolean);
}

export async function findMissing(directories: readonly string[]): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const [program, packageName] of Object.entries(programs)) {
    const found = await Promise.any(directories.map((each) => access(path.join(each, program), constants.X_OK))).then(
      () => true,
      () => false,
    );
    if (!found) missing.push({ program, package: packageName });
  }
  return missing;
}

/** Why the lab cannot run here; undefined if it can, possibly after installing packages. Installs nothing. */
export async function findObstacle(): Promise<LabError | undefined> {
  try {
    await requireMachine();
    const missing = await findMissing(searchPath());
    if (missing.length === 0 || hasApt()) return undefined;
    return missingPrograms(missing, `install them; on Debian: ${renderInstallCommand(missing)}`);
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
}

/** Throws what is missing and how to get it; as root on a machine with apt it gets it itself, and says so. */
export async function requireAbilities(log: (line: string) => void): Promise<void> {
  const obstacle = await findObstacle();
  if (obstacle) throw obstacle;
  process.env["PATH"] = searchPath().join(":");
  const missing = await findMissing(searchPath());
  if (missing.length > 0) await install(missing, log);
}

/** What no package brings. */
async function requireMachine(): Promise<void> {
  if (process.platform !== "linux") {
    throw new LabError("the lab cannot run on this operating system", {
      found: process.platform,
      needs: "Linux: hosts are containers with a network and an init of their own",
      fix: "run it inside a Linux virtual machine",
    });
  }
  if (process.getuid?.() !== 0) {
    throw new LabError("the lab needs root", {
      found: `user id ${process.getuid?.()}`,
      needs: "root, to mount file systems and make networks",
      fix: 'run the command again as root: sudo env "PATH=$PATH" npm run ...',
    });
  }
  const lacking = missingCapabilities(await readFile("/proc/self/status", "utf8"));
  if (lacking.length > 0) {
    throw new LabError("the lab needs all of root's capabilities", {
      found: `a root without ${lacking.join(" and ")}, as inside an unprivileged container`,
      needs: "the capabilities to mount file systems and to create networks",
      fix: "run it on the machine itself, in a virtual machine or in a privileged container",
    });
  }
  for (const name of fileSystems) await requireFileSystem(name);
}

/** linux/capability.h */
const capabilityBits = { CAP_NET_ADMIN: 12n, CAP_SYS_CHROOT: 18n, CAP_SYS_ADMIN: 21n, CAP_MKNOD: 27n };

export function missingCapabilities(status: string): string[] {
  const effective = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return Object.entries(capabilityBits).flatMap(([name, bit]) => ((effective >> bit) & 1n ? [] : [name]));
}

function missingPrograms(missing: readonly Missing[], fix: string): LabError {
  return new LabError("programs the lab needs are missing", {
    found: `no ${missing.map(({ program }) => program).join(", ")}`,
    needs: `what Debian packages as ${[...new Set(missing.map((each) => each.package))].join(", ")}`,
    fix,
  });
}

const hasApt = () => existsSync("/usr/bin/apt-get");

export function renderInstallCommand(missing: readonly Missing[]): string {
  const names = [...new Set(missing.map((each) => each.package))].sort();
  return `apt-get install --no-install-recommends ${names.join(" ")}`;
}

async function install(missing: readonly Missing[], log: (line: string) => void): Promise<void> {
  const command = renderInstallCommand(missing);
  log(`missing: ${missing.map(({ program }) => program).join(", ")}; installing with: ${command}`);
  const [program = "apt-get", ...args] = command.split(" ");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const speak = everyFewSeconds(log);
  const fix = `apt-get update && ${command}`;
  try {
    await run(program, ["--quiet", "update"], { env });
    await run(program, ["--quiet", "--yes", ...args], {
      env,
      onLine: (line) => {
        if (/^(Get:|Unpacking|Setting up)/.test(line)) speak(`apt-get: ${line}`);
      },
    });
  } catch (error) {
    throw new LabError("programs the lab needs are missing and could not be installed", {
      found: error instanceof Error ? error.message : String(error),
      fix,
    });
  }
  const stillMissing = await findMissing(searchPath());
  if (stillMissing.length > 0) throw missingPrograms(stillMissing, fix);
}

async function requireFileSystem(name: string): Promise<void> {
  if (await isFileSystemKnown(name)) return;
  await run("modprobe", [name]).catch(() => undefined); // where it does not help, the next look says so
  if (await isFileSystemKnown(name)) return;
  throw new LabError(`the kernel of this machine has no ${name}`, {
    found: `/proc/filesystems does not list ${name}, and modprobe ${name} did not change that`,
    needs: `a kernel with ${fileSystems.join(" and ")}; Debian's kernels have both`,
  });
}

async function isFileSystemKnown(name: string): Promise<boolean> {
  return (await readFile("/proc/filesystems", "utf8")).split("\n").some((line) => line.split("\t")[1] === name);
}
