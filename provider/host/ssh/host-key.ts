import { createHash } from "node:crypto";
import { SluiceError } from "../../errors";

/** A key a host showed: its type and fingerprint as `ssh-keygen -l` prints them, and the key itself in base64. */
export interface HostKey {
  readonly type: string;
  readonly fingerprint: string;
  readonly base64: string;
}

/** Which keys are right. `types` is known where whole keys are pinned, and says which to ask the host for. */
export interface Pin {
  readonly fingerprints: readonly string[];
  readonly types: readonly string[];
}

export function parseHostKey(blob: Buffer): HostKey {
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
  return { type, fingerprint: fingerprintOf(blob), base64: blob.toString("base64") };
}

const fingerprintOf = (blob: Buffer): string =>
  `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;

/**
 * Reads what people paste: a fingerprint, a line of `ssh-keygen -l`, a public key line, a known_hosts line. Several
 * lines: each key is right.
 */
export function parsePin(object: string, text: string): Pin {
  const keys = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const pins = keys.map((line) => parsePinLine(object, line));
  if (pins.length === 0) throw unreadablePin(object, "an empty text");
  return { fingerprints: pins.map((pin) => pin.fingerprint), types: pins.flatMap((pin) => pin.type ?? []) };
}

function parsePinLine(object: string, line: string): { readonly fingerprint: string; readonly type?: string } {
  const fingerprint = /SHA256:([A-Za-z0-9+/]{43})(?![A-Za-z0-9+/])/.exec(line)?.[1];
  if (fingerprint !== undefined) return { fingerprint: `SHA256:${fingerprint}` };
  const key = /(?:^|\s)((?:ssh|ecdsa)-[a-z0-9-]+)\s+(AAAA[A-Za-z0-9+/]+=*)/.exec(line);
  const base64 = key?.[2];
  if (base64 === undefined) throw unreadablePin(object, line);
  const { type, fingerprint: printed } = parseHostKey(Buffer.from(base64, "base64"));
  return { fingerprint: printed, type };
}

function unreadablePin(object: string, line: string): SluiceError {
  return new SluiceError({
    code: "DECLARATION_INVALID",
    object,
    what: "hostKey is neither a SHA256 fingerprint nor a public key line",
    found: line,
    needs: "SHA256:... as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints it on the host",
  });
}

/** The order in which key types are requested: as OpenSSH prefers, strongest signatures first. */
const algorithms = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const;
export type HostKeyAlgorithm = (typeof algorithms)[number];

const typeOf = (algorithm: HostKeyAlgorithm): string => (algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm);

/** The algorithms to offer: only those of pinned keys where they are known, and none of a type already seen. */
export function algorithmsFor(pin: Pin | undefined, seen: readonly HostKey[]): HostKeyAlgorithm[] {
  const wanted = pin === undefined || pin.types.length < pin.fingerprints.length ? undefined : pin.types;
  return algorithms.filter((algorithm) => {
    const type = typeOf(algorithm);
    return (wanted === undefined || wanted.includes(type)) && !seen.some((key) => key.type === type);
  });
}

export function keyUnpinned(object: string, key: HostKey): SluiceError {
  return new SluiceError({
    code: "HOST_KEY_UNPINNED",
    object,
    what: "the host's key is not pinned, so the host's identity cannot be verified",
    found: `${key.type} ${key.fingerprint}`,
    needs: "the key that `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host itself",
    fix: `hostKey: "${key.fingerprint}" if it is the same, or trustOnFirstUse: true to accept it unverified`,
  });
}

export function keyMismatch(object: string, pin: Pin, seen: readonly HostKey[], source: string): SluiceError {
  return new SluiceError({
    code: "HOST_KEY_MISMATCH",
    object,
    what: "the host's key is not the pinned one: the host was reinstalled, or another machine answers for it",
    found:
      seen.length === 0
        ? `no key of type ${pin.types.join(" or ")}`
        : seen.map((key) => `${key.type} ${key.fingerprint}`).join("\n"),
    needs: `${pin.fingerprints.join("\nor ")} (${source})`,
    fix: "compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host; change the pin only if it is the same",
  });
}
