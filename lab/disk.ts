import { randomBytes } from "node:crypto";
import { chown, lstat, mkdir, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { allHostPlaces, parseHostName, renderAddress, type Role } from "./address.ts";
import { run } from "./run.ts";
import { shopNames } from "./shop.ts";
import { hostDirectory, labDirectory } from "./state.ts";
import { awaitCondition } from "./wait.ts";

export interface DiskOptions {
  readonly lab: string;
  readonly host: string;
  readonly subnet: number;
  readonly image: string;
  /** Data directory a source host starts with; a copy is made. */
  readonly shopData?: string;
}

/** The number image/configure.sh gives the user. */
const sluiceId = 1000;

/** Room a staging host's copy-on-write file system claims to have; it takes from the disk what is written to it. */
const stagingFileSystemBytes = 32 * 1024 ** 3;

/** Unmounting writes back what the file system holds in memory: a GB on a slow disk. */
const releaseWithinSeconds = 60;

export const sshKeyFile = (lab: string) => path.join(labDirectory(lab), "id_ed25519");
export const sshConfigFile = (lab: string) => path.join(labDirectory(lab), "ssh_config");
export const knownHostsFile = (lab: string) => path.join(labDirectory(lab), "known_hosts");
export const hostKeyFile = (lab: string, host: string) => path.join(hostDirectory(lab, host), "ssh_host_ed25519_key");
export const sshPasswordFile = (lab: string, host: string) => path.join(hostDirectory(lab, host), "ssh-password");

/** There while the host is up and has answered once as its users need it. */
export const readyFile = (lab: string, host: string) => path.join(hostDirectory(lab, host), "ready");

export const serverIdOf = (host: string) => 1000 + parseHostName(host).number;

export async function ensureLabKey(lab: string): Promise<void> {
  const file = sshKeyFile(lab);
  if ((await readIfThere(`${file}.pub`)) !== undefined) return;
  await rm(file, { force: true });
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `sluice-lab-${lab}`, "-f", file]);
}

/** Everything a host's disk has beyond the image; starts over when an earlier try was cut short. */
export async function makeHostDisk(options: DiskOptions): Promise<void> {
  const directory = hostDirectory(options.lab, options.host);
  await rm(directory, { recursive: true, force: true });
  for (const name of ["upper", "work", "root", "srv"]) await mkdir(path.join(directory, name), { recursive: true });
  const { role } = parseHostName(options.host);
  await Promise.all([writeIdentity(options), writeAccess(options), writeRole(options, role)]);
}

async function writeIdentity({ lab, host, subnet, image }: DiskOptions): Promise<void> {
  const place = placeIn(lab, host, image);
  const hosts = allHostPlaces().map(({ name, octet }) => `${renderAddress(subnet, octet)} ${name}\n`);
  await place("etc/hostname", `${host}\n`);
  await place(
    "etc/hosts",
    `127.0.0.1 localhost\n::1 localhost\n${renderAddress(subnet, 1)} gateway\n${hosts.join("")}`,
  );
  await place("etc/machine-id", `${randomBytes(16).toString("hex")}\n`);
}

async function writeAccess({ lab, host, image }: DiskOptions): Promise<void> {
  const place = placeIn(lab, host, image);
  const hostKey = hostKeyFile(lab, host);
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", host, "-f", hostKey]);
  await place("etc/ssh/ssh_host_ed25519_key", await readFile(hostKey, "utf8"), { mode: 0o600 });
  await place("etc/ssh/ssh_host_ed25519_key.pub", await readFile(`${hostKey}.pub`, "utf8"));

  const userKey = await readFile(`${sshKeyFile(lab)}.pub`, "utf8");
  await place("root/.ssh/authorized_keys", userKey, { mode: 0o600 });
  await place("home/sluice/.ssh/authorized_keys", userKey, { mode: 0o600, uid: sluiceId, gid: sluiceId });

  const password = randomBytes(12).toString("base64url");
  await writeSecret(sshPasswordFile(lab, host), password);
  const { stdout: hash } = await run("openssl", ["passwd", "-6", "-stdin"], { stdin: password });
  const shadow = await readFile(path.join(image, "etc/shadow"), "utf8");
  const { gid } = await lstat(path.join(image, "etc/shadow"));
  await place("etc/shadow", shadow.replace(/^sluice:[^:]*:/m, `sluice:${hash.trim()}:`), { mode: 0o640, gid });
}

async function writeRole({ lab, host, image, shopData }: DiskOptions, role: Role): Promise<void> {
  const directory = hostDirectory(lab, host);
  const place = placeIn(lab, host, image);
  if (role === "staging") {
    const file = path.join(directory, "btrfs.img");
    await writeFile(file, "");
    await truncate(file, stagingFileSystemBytes);
    await run("mkfs.btrfs", ["--quiet", "--label", `${lab}.${host}`.slice(0, 255), file]);
  }
  if (role === "source" && shopData !== undefined) {
    await run("cp", ["--archive", "--reflink=auto", shopData, path.join(directory, "mysql")], { endsWithUs: true });
    await place("etc/mysql/mysql.conf.d/production.cnf", renderProductionConfig(serverIdOf(host)));
    await place("etc/systemd/system/shop-load.service", renderShopLoad(shopNames(parseHostName(host).number).shop));
    for (const unit of ["/usr/lib/systemd/system/mysql.service", "/etc/systemd/system/shop-load.service"]) {
      await place(`etc/systemd/system/multi-user.target.wants/${path.basename(unit)}`, { linkTo: unit });
    }
  }
}

function renderProductionConfig(serverId: number): string {
  return `[mysqld]
server_id                = ${serverId}
datadir                  = /var/lib/mysql
socket                   = /run/mysqld/mysqld.sock
pid_file                 = /run/mysqld/mysqld.pid
secure_file_priv         = /var/lib/mysql-files
bind_address             = *
port                     = 3306
mysqlx                   = OFF
skip_name_resolve        = ON
plugin_load_add          = auth_socket.so;mysql_clone.so
log_bin                  = binlog
gtid_mode                = ON
enforce_gtid_consistency = ON
binlog_expire_logs_seconds = 604800
innodb_buffer_pool_size  = 256M
`;
}

/** Some four visits a second, each up to three transactions: a client that never stops talking over one connection. */
const renderShopLoad = (shop: string) => `[Unit]
Description=Visitors of the shop
After=mysql.service
Requires=mysql.service

[Service]
User=shop
ExecStart=/bin/sh -c "yes 'CALL ${shop}.visit(); DO SLEEP(0.25);' | mysql --socket=/run/mysqld/mysqld.sock --unbuffered --force --silent"
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;

interface PlaceOptions {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Writes into the upper layer; a directory made on the way looks as it does in the image, because upper layers hide. */
function placeIn(lab: string, host: string, image: string) {
  const upper = path.join(hostDirectory(lab, host), "upper");
  return async (
    file: string,
    content: string | { readonly linkTo: string },
    options: PlaceOptions = {},
  ): Promise<void> => {
    const { mode = 0o644, uid = 0, gid = 0 } = options;
    await placeDirectory(path.dirname(file), { uid, gid });
    const target = path.join(upper, file);
    if (typeof content !== "string")
      return run("ln", ["--symbolic", "--force", content.linkTo, target]).then(() => undefined);
    const handle = await open(target, "w", mode);
    await handle.writeFile(content);
    await handle.chmod(mode);
    await handle.chown(uid, gid);
    await handle.close();
  };

  async function placeDirectory(directory: string, owner: { uid: number; gid: number }): Promise<void> {
    if (directory === ".") return;
    await placeDirectory(path.dirname(directory), owner);
    const like = await lstat(path.join(image, directory)).catch(() => ({ mode: 0o700, ...owner }));
    const target = path.join(upper, directory);
    const made = await mkdir(target, { recursive: true, mode: like.mode & 0o7777 });
    if (made !== undefined) await chown(target, like.uid, like.gid);
  }
}

/**
 * The kernel lets go of a dead host's mounts in its background. A loop device that is still there must be waited for:
 * mounting the same image through a second one damages the file system.
 */
export async function awaitDiskReleased(lab: string, host: string): Promise<void> {
  const directory = `${hostDirectory(lab, host)}/`;
  await awaitCondition(
    { until: `the disks of ${host} are released`, withinSeconds: releaseWithinSeconds },
    async () => {
      const names = (await readdir("/sys/block")).filter((name) => name.startsWith("loop"));
      const files = await Promise.all(names.map((name) => readIfThere(`/sys/block/${name}/loop/backing_file`)));
      return files.some((file) => file?.startsWith(directory)) ? undefined : true;
    },
  );
}

export async function writeSecret(file: string, secret: string): Promise<void> {
  await writeFile(file, secret, { mode: 0o600 });
}

export async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}
