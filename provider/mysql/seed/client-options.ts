import { renderOption, type OptionValue } from "../options/file";
import type { Instance } from "../instance/instance";
import { managementAccount } from "../instance/layout";
import { jobFiles } from "./script";
import type { SourceAddress } from "./source/facts";

/** Files of a job, by name. */
export type Files = Readonly<Record<string, string>>;

const renderGroup = (name: string, options: Readonly<Record<string, OptionValue>>): string =>
  `[${name}]\n${Object.entries(options)
    .map(([option, value]) => `${renderOption(option, value)}\n`)
    .join("")}`;

/** Else the locale decides, which is C for jobs. */
const utf8 = { "default-character-set": "utf8mb4" };

/** What the clients on the host need to reach the source; `directory` is the job's. */
export function sourceFiles(source: SourceAddress, directory: string): Files {
  const { tls } = source;
  const at = (name: string) => `${directory}/${name}`;
  const trust = typeof tls === "object" ? tls : undefined;
  const options: Record<string, OptionValue> = {
    ...utf8,
    protocol: "tcp",
    host: source.address,
    port: source.port,
    user: source.user,
    password: source.password,
    "ssl-mode":
      trust === undefined
        ? tls === "off"
          ? "DISABLED"
          : "REQUIRED"
        : trust.verifyIdentity === false
          ? "VERIFY_CA"
          : "VERIFY_IDENTITY",
    // Without TLS caching_sha2_password encrypts the password with the server's key.
    ...(tls === "off" && { "get-server-public-key": true }),
    ...(trust !== undefined && { "ssl-ca": at(jobFiles.sourceCa) }),
    ...(trust?.cert !== undefined && { "ssl-cert": at(jobFiles.sourceCert) }),
    ...(trust?.key !== undefined && { "ssl-key": at(jobFiles.sourceKey) }),
  };
  // Our literals escape with a backslash.
  const session = { "init-command": "SET SESSION sql_mode = ''" };
  return {
    [jobFiles.sourceOptions]: renderGroup("client", options) + renderGroup("mysql", session),
    ...(trust !== undefined && { [jobFiles.sourceCa]: trust.ca }),
    ...(trust?.cert !== undefined && { [jobFiles.sourceCert]: trust.cert }),
    ...(trust?.key !== undefined && { [jobFiles.sourceKey]: trust.key }),
  };
}

/** What the clients on the host need to reach the server that is filled. */
export function targetFiles({ layout }: Pick<Instance, "layout">, password: string | undefined): Files {
  const client = {
    ...utf8,
    protocol: "socket",
    socket: layout.socket,
    user: managementAccount,
    ...(password !== undefined && { password }),
  };
  // The loaded data is the source's history: it must not enter the copy's own binary log.
  const session = { "init-command": "SET SESSION sql_log_bin = 0" };
  return { [jobFiles.targetOptions]: renderGroup("client", client) + renderGroup("mysql", session) };
}
