import { LabError } from "./errors.ts";

/** 198.18.0.0/15 is reserved for tests of networks (RFC 2544) and collides with no LAN: 512 labs of a /24 each. */
export const subnetCount = 512;

const roles = { source: 10, staging: 20, runner: 30 } as const;
export type Role = keyof typeof roles;

/** Hosts of one role in one lab: `source`, `source2` ... `source9`. */
const hostsPerRole = 9;
const hostNameForm = /^(source|staging|runner)([2-9])?$/;
const labNameForm = /^[a-z][a-z0-9-]{0,19}$/;

export interface HostPlace {
  readonly role: Role;
  /** 1 for `source`, 2 for `source2`. */
  readonly number: number;
  /** Last octet of the address. */
  readonly octet: number;
}

/** Every host has the same last octet in every lab, so that /etc/hosts can be written before the others exist. */
export function parseHostName(name: string): HostPlace {
  const match = hostNameForm.exec(name);
  if (!match) {
    throw new LabError(`"${name}" is not a name for a lab host`, {
      needs: `source, staging or runner, a number 2 to ${hostsPerRole} behind it for a further one: source2`,
    });
  }
  const role = match[1] as Role; // the only three words the form accepts
  const number = Number(match[2] ?? 1);
  return { role, number, octet: roles[role] + number };
}

export function requireLabName(name: string): string {
  if (labNameForm.test(name)) return name;
  throw new LabError(`"${name}" is not a name for a lab`, {
    needs: "1 to 20 characters: lower-case letters, digits and dashes, a letter first",
  });
}

/** All host names a lab can have with their octets, for /etc/hosts. */
export function allHostPlaces(): (HostPlace & { readonly name: string })[] {
  return Object.keys(roles).flatMap((role) =>
    Array.from({ length: hostsPerRole }, (_, index) => {
      const name = index === 0 ? role : `${role}${index + 1}`;
      return { name, ...parseHostName(name) };
    }),
  );
}

export function renderAddress(subnet: number, octet: number): string {
  return `198.${18 + (subnet >> 8)}.${subnet & 255}.${octet}`;
}

/**
 * The same over power cuts, as a real machine's network card has it: neighbours remember it for up to a minute, and a new
 * one would leave the host unreachable for so long. 02 = locally administered, single.
 */
export function renderHardwareAddress(subnet: number, octet: number): string {
  const bytes = [2, 0, ...renderAddress(subnet, octet).split(".").map(Number)];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** The subnet of an address; undefined for an address outside 198.18.0.0/15. */
export function parseSubnet(address: string): number | undefined {
  const [first, second, third] = address.split(".").map(Number);
  if (first !== 198 || third === undefined || (second !== 18 && second !== 19)) return undefined;
  return (second - 18) * 256 + third;
}

/** The same name gets the same subnet wherever it is free, so addresses stay over `down` and `up`. */
export function allocateSubnet(name: string, taken: ReadonlySet<number>): number {
  const first = hashOf(name) % subnetCount;
  for (let offset = 0; offset < subnetCount; offset += 1) {
    const subnet = (first + offset) % subnetCount;
    if (!taken.has(subnet)) return subnet;
  }
  throw new LabError("no network is free for another lab", {
    found: `all ${subnetCount} networks of 198.18.0.0/15 are in use on this machine`,
    fix: "take labs down with: npm run lab -- down --name NAME",
  });
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
