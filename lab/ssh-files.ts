import { rename, writeFile } from "node:fs/promises";
import { knownHostsFile, sshConfigFile, sshKeyFile } from "./disk.ts";
import type { LabHost } from "./machine.ts";

/** So that a plain `ssh -F FILE staging` knows addresses, key and host keys. */
export async function writeSshFiles(lab: string, hosts: readonly LabHost[]): Promise<void> {
  const known = hosts.map(({ address, hostPublicKey }) => `${address} ${hostPublicKey}\n`);
  await place(knownHostsFile(lab), known.join(""));
  const entries = hosts.map(({ name, address, user }) => `Host ${name}\n  HostName ${address}\n  User ${user}\n`);
  const common = `Host *\n  IdentityFile ${sshKeyFile(lab)}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${knownHostsFile(lab)}\n`;
  await place(sshConfigFile(lab), `${entries.join("")}${common}`);
}

/** Whole at any moment: a running lab's files are read while another `up` writes them. */
async function place(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
