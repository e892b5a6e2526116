import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { SluiceError, wordsOf } from "../../errors";
import type { HostKey } from "./host-key";
import { systemCodeOf } from "./errors";

/** Keys accepted on first use, in the format of OpenSSH's known_hosts, in a file of Sluice's own. */
export const knownHostsPath = (): string =>
  join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "sluice", "known_hosts");

const label = (address: string, port: number): string => (port === 22 ? address : `[${address}]:${port}`);

/** The remembered key lines of a host, or undefined if it was never met. */
export function readKnownKeys(object: string, address: string, port: number): string | undefined {
  const path = knownHostsPath();
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw cannotRemember(object, path, error);
  }
  const lines = text.split("\n").filter((line) => line.startsWith(`${label(address, port)} `));
  return lines.length === 0 ? undefined : lines.join("\n");
}

/** Remembers a key. Trust on first use without a memory would be trust for ever, so a failure is an error. */
export function rememberKey(object: string, address: string, port: number, key: HostKey): void {
  const path = knownHostsPath();
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    appendFileSync(path, `${label(address, port)} ${key.type} ${key.base64}\n`, { mode: 0o600 });
  } catch (error) {
    throw cannotRemember(object, path, error, key);
  }
}

function cannotRemember(object: string, path: string, error: unknown, key?: HostKey): SluiceError {
  return new SluiceError({
    code: "HOST_KEY_UNPINNED",
    object,
    what: "trustOnFirstUse cannot remember the host's key",
    ...(key === undefined ? {} : { found: `${key.type} ${key.fingerprint}` }),
    fix: `make ${path} readable and writable, or pin the key: hostKey: "${key?.fingerprint ?? "SHA256:..."}"`,
    detail: wordsOf(error),
  });
}
