import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { parseSubnet, renderAddress, renderHardwareAddress } from "./address.ts";
import { run } from "./run.ts";

/** The name by which the outer machine sees a lab: `ip link show sluice37`. At most 15 characters (IFNAMSIZ). */
const outerLink = (subnet: number) => `sluice${subnet}`;
/** A lab's bridge lives in a network namespace of its own, where a firewall of the outer machine has no say. */
const labNamespace = (lab: string) => `sluice.${lab}`;
export const hostNamespace = (lab: string, host: string) => `sluice.${lab}.${host}`;
const cable = (octet: number) => `host${octet}`;

/** Names, addresses and numbers only: no word of these commands can hold a space. */
const ip = (command: string) => run("ip", command.split(" "));
const hasNamespace = (name: string) => existsSync(`/run/netns/${name}`);

/** Subnets of 198.18.0.0/15 this machine already has an address in or a route to, of labs and of others. */
export async function readTakenSubnets(): Promise<Set<number>> {
  const found = await Promise.all([ip("-4 -oneline address show"), ip("-4 route show table all")]);
  const addresses = found.flatMap(({ stdout }) => stdout.match(/\b198\.1[89]\.\d+\.\d+/g) ?? []);
  return new Set(addresses.map(parseSubnet).filter((subnet) => subnet !== undefined));
}

/** The outer link is switched on last, so a network whose setup was interrupted is recognised as incomplete. */
export async function isLabNetworkWhole(lab: string, subnet: number): Promise<boolean> {
  if (!hasNamespace(labNamespace(lab))) return false;
  const flags = await readFile(`/sys/class/net/${outerLink(subnet)}/flags`, "utf8").catch(() => "0x0");
  return (Number(flags) & 1) === 1; // IFF_UP
}

export async function makeLabNetwork(lab: string, subnet: number): Promise<void> {
  const [namespace, outer] = [labNamespace(lab), outerLink(subnet)];
  await removeLabNetwork(lab, subnet);
  await ip(`netns add ${namespace}`);
  await ip(`-n ${namespace} link add bridge0 type bridge`);
  await ip(`link add ${outer} type veth peer name uplink netns ${namespace}`);
  await ip(`-n ${namespace} link set dev uplink master bridge0 up`);
  await ip(`-n ${namespace} link set dev bridge0 up`);
  await ip(`address add ${renderAddress(subnet, 1)}/24 dev ${outer}`);
  await ip(`link set dev ${outer} up`);
}

export async function ensureHostNetwork(lab: string, host: string, subnet: number, octet: number): Promise<void> {
  const [inLab, inHost] = [labNamespace(lab), hostNamespace(lab, host)];
  await removeHostNetwork(lab, host, octet);
  await ip(`netns add ${inHost}`);
  await ip(`-n ${inLab} link add ${cable(octet)} type veth peer name eth0 netns ${inHost}`);
  await ip(`-n ${inLab} link set dev ${cable(octet)} master bridge0 up`);
  await ip(`-n ${inHost} link set dev lo up`);
  await ip(`-n ${inHost} link set dev eth0 address ${renderHardwareAddress(subnet, octet)}`);
  await ip(`-n ${inHost} address add ${renderAddress(subnet, octet)}/24 dev eth0`);
  await ip(`-n ${inHost} link set dev eth0 up`);
}

/** The cable first: removing a namespace removes its links too, but in the kernel's background. */
async function removeHostNetwork(lab: string, host: string, octet: number): Promise<void> {
  const noSuchDevice = 1;
  const removeCable = `-n ${labNamespace(lab)} link delete dev ${cable(octet)}`;
  await run("ip", removeCable.split(" "), { accept: [0, noSuchDevice] });
  if (hasNamespace(hostNamespace(lab, host))) await removeNamespace(hostNamespace(lab, host));
}

/** Pulls the host's cable, or puts it in again: packets vanish, without an error. */
export async function setCable(lab: string, octet: number, state: "up" | "down"): Promise<void> {
  await ip(`-n ${labNamespace(lab)} link set dev ${cable(octet)} ${state}`);
}

/** A removed namespace takes its links along, but later; the outer link is gone when this returns. */
export async function removeLabNetwork(lab: string, subnet: number | undefined): Promise<void> {
  if (subnet !== undefined && existsSync(`/sys/class/net/${outerLink(subnet)}`)) {
    await ip(`link delete dev ${outerLink(subnet)}`);
  }
  const names = await readdir("/run/netns").catch(() => []);
  const own = labNamespace(lab);
  for (const name of names.filter((each) => each === own || each.startsWith(`${own}.`))) await removeNamespace(name);
}

async function removeNamespace(name: string): Promise<void> {
  await ip(`netns delete ${name}`);
}
