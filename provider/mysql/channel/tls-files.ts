import { createHash } from "node:crypto";
import { posix } from "node:path";
import { sh } from "../../host/command";
import type { FileOptions, Host, HostReader } from "../../host/host";
import type { Tls } from "../../schema/connection";
import { layoutAround } from "../instance/layout";
import type { TlsFacts } from "./facts";

/** Where the files of a channel lie: mysqld reads a CA only from a file on its own machine. */
export interface TlsFiles {
  readonly directory: string;
  /** A directory of Sluice: root's, next to a managed server's data. */
  readonly isManaged: boolean;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Next to a managed server's data in `tls/`; else in the data directory, which AppArmor and SELinux let mysqld read. */
export function tlsFilesOf(
  server: { readonly socket?: string | undefined; readonly dataDirectory: string },
  channel: string,
): TlsFiles {
  const layout = layoutAround(server.dataDirectory);
  const isManaged = server.socket === layout.socket;
  const directory = isManaged ? layout.tls : server.dataDirectory.replace(/(?<=.)\/+$/, "");
  const path = (what: string) => posix.join(directory, `sluice-${fileWord(channel)}-${what}.pem`);
  return { directory, isManaged, ca: path("ca"), cert: path("cert"), key: path("key") };
}

/** Channel names may hold any character; lower case, because the server ignores case. */
export const fileWord = (channel: string): string =>
  channel.toLowerCase().replace(/[^a-z0-9_-]/gu, (character) => `=${Buffer.from(character).toString("hex")}`);

/** Writes the declared files and removes the others. */
export async function writeTlsFiles(host: Host, files: TlsFiles, tls: Tls, dataDirectory: string): Promise<void> {
  const given = typeof tls === "object" ? tls : undefined;
  if (given === undefined) return removeTlsFiles(host, files);
  const as = await writerOf(host, files, dataDirectory);
  await host.writeFile(files.ca, given.ca, { mode: 0o644, ...as });
  if (given.cert !== undefined) await host.writeFile(files.cert, given.cert, { mode: 0o644, ...as });
  if (given.key !== undefined) await host.writeFile(files.key, given.key, { mode: 0o600, ...as });
}

/**
 * Who writes the files: root next to a managed server's data, so that mysqld can read them; else the data directory's
 * owner.
 */
async function writerOf(
  host: Host,
  { isManaged }: Pick<TlsFiles, "isManaged">,
  dataDirectory: string,
): Promise<Pick<FileOptions, "asRoot" | "asUser" | "owner">> {
  if (isManaged) return ownedLike(host, dataDirectory);
  const { canBecomeRoot } = await host.facts();
  if (!canBecomeRoot) return {};
  // The directory is mysqld's, and so is everything on the way to a file in it.
  const { owner } = await host.inspect(dataDirectory, { asRoot: true });
  return { asUser: owner };
}

/** For files of root's that mysqld reads: they get the group of this path, if we may change it. */
export async function ownedLike(
  host: Host,
  path: string,
): Promise<{ readonly asRoot: boolean; readonly owner?: string }> {
  const { uid } = await host.facts();
  const asRoot = await needsRoot(host);
  if (uid !== 0 && !asRoot) return { asRoot };
  const { owner, group } = await host.inspect(path, { asRoot });
  return { asRoot, owner: `${owner}:${group}` };
}

export async function removeTlsFiles(host: Host, files: TlsFiles): Promise<void> {
  if ((await host.inspect(files.directory, { asRoot: await needsRoot(host) })).kind === "absent") return;
  const { asRoot = false, asUser } = await writerOf(host, files, files.directory);
  await host.run(sh`rm -f ${files.ca} ${files.cert} ${files.key}`, { asRoot, asUser });
}

/** A file that mysqld reads, as its user: the path comes from the server. */
async function readAsServer(host: HostReader, path: string): Promise<string | undefined> {
  const { canBecomeRoot } = await host.facts();
  if (!canBecomeRoot) return host.readFile(path);
  const { kind, owner } = await host.inspect(posix.dirname(path), { asRoot: true });
  if (kind === "absent") return undefined;
  return host.readFile(path, owner === "root" ? { asRoot: true } : { asUser: owner });
}

export async function needsRoot(host: HostReader): Promise<boolean> {
  const { uid, canBecomeRoot } = await host.facts();
  return canBecomeRoot && uid !== 0;
}

/** A declaration's TLS as a preview prints it; equal texts are equal settings. */
export function sayTls(tls: Tls): string {
  if (typeof tls === "string") return tls;
  return sayTrust(fingerprint(tls.ca), tls.cert === undefined ? undefined : fingerprint(tls.cert), tls.verifyIdentity);
}

/** A channel's TLS as a preview prints it; the files are read on the replica's machine. */
export async function readTlsWords(host: HostReader | null, facts: TlsFacts): Promise<string> {
  if (!facts.isOn) return facts.asksPublicKey ? "off" : "off, without the source's public key";
  if (facts.caPath === "" && facts.certPath === "") return "required";
  const read = async (path: string): Promise<string | undefined> => {
    if (path === "") return undefined;
    const text = host === null ? undefined : await readAsServer(host, path);
    return text === undefined ? path : fingerprint(text);
  };
  const [ca, cert] = await Promise.all([read(facts.caPath), read(facts.certPath)]);
  return sayTrust(ca ?? "none", cert, facts.verifiesIdentity);
}

function sayTrust(ca: string, cert: string | undefined, verifiesIdentity: boolean): string {
  const parts = [
    `authority ${ca}`,
    cert !== undefined && `certificate ${cert}`,
    verifiesIdentity && "identity verified",
  ];
  return parts.filter((part) => part !== false).join(", ");
}

const fingerprintDigits = 16; // 64 bits tell two certificates of one team apart

const fingerprint = (pem: string): string =>
  `SHA256:${createHash("sha256").update(pem.trim()).digest("hex").slice(0, fingerprintDigits)}`;
