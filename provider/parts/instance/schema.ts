import { z } from "zod";
import { refusedAccounts } from "../../mysql/instance/accounts/accounts";
import { layoutOf, managementAccount, refusedDirectory } from "../../mysql/instance/layout";
import { refusedConfig, refusedFile } from "../../mysql/instance/options";
import { parseOptionFile } from "../../mysql/options/file";
import { renderEndpoint } from "../../endpoint";
import { host } from "../../schema/connection";
import { absolutePath, port, seconds, secretText } from "../../schema/fields";
import { isUnknown } from "../../schema/unknown";

const day = 86_400;

/** Sluice must not change the owner of their `run`, `tmp`, `log` and `data`, or remove them. */
const systemDirectories =
  /^\/(?:bin|boot|dev|etc|home|lib\d*|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|usr\/local|var|var\/lib|var\/lib\/mysql|var\/log|var\/run|var\/tmp)?$/;

/** One account of the server. */
const account = z.strictObject({
  name: z.string().min(1).max(32).describe("Name of the account."),
  host: z
    .string()
    .min(1)
    .max(255)
    .default("%")
    .describe("Where it may log in from: a name, an address, or a MySQL pattern like `10.%`.")
    .meta({ source: "MySQL's own default" }),
  password: secretText.min(1).describe("Its password (caching_sha2_password). A change is made in place."),
  grants: z
    .array(z.string())
    .default([])
    .describe(
      'Its privileges, as in GRANT: `["SELECT, SHOW VIEW ON shop.*", "PROCESS ON *.*"]`. Names are literal, `_` and `%` are not wildcards. Other privileges of the account are revoked.',
    ),
  tls: z
    .enum(["required", "certificate", "off"])
    .default("required")
    .describe(
      "`required`: only over TLS. `certificate`: with a valid client certificate. `off`: any connection. A client on the unix socket needs `off`, or TLS on the socket.",
    ),
  adopt: z
    .boolean()
    .default(false)
    .describe(
      "Take over an account of this name that the server already has, from a clone of the source or created by hand. From then on Sluice manages it, and drops it when it is removed from the program.",
    ),
});

/** Where a managed server lives. */
export const placeFields = {
  host: host.describe(
    'The machine: how to reach it by ssh, or `"local"` for the one Pulumi runs on. Another machine replaces the resource. Another `user` restarts the server: its management account is that unix user.',
  ),
  directory: absolutePath
    // One directory, one name: it is the object's identity and names its lock.
    .refine((path) => layoutOf(path).directory === path, "must not end with / nor hold // or /./")
    .refine(
      (path) => !systemDirectories.test(path),
      "is a system directory; choose a directory below it that holds nothing else",
    )
    .max(80, "must be at most 80 characters, so that the socket's path stays below the 107 the kernel allows")
    .describe(
      "Directory of everything that belongs to it: data, option file, socket, logs. Must be empty, absent, or already owned by this resource.",
    )
    .meta({ replaces: true }),
  port: port
    .default(3306)
    .describe("Port of the server; must be free on the host. A change restarts the server.")
    .meta({ source: "MySQL default port", change: "restarts" }),
};

/** What a managed server is, whatever brings its data. */
export const serverFields = {
  serverId: z
    .int()
    .min(1)
    .max(4_294_967_295)
    .optional()
    .describe("server_id, unique among the source and its replicas. Allocated if absent. A change restarts the server.")
    .meta({ type: "server id", change: "restarts" }),
  rootPassword: secretText
    .optional()
    .describe(
      "Password of root@localhost. Absent: root can log in from the operating system's root account only, or not at all; removing the property restores that. In place.",
    ),
  accounts: z
    .array(account)
    .default([])
    .describe(
      "Accounts of the server for people and programs, read-only server or not; created, changed and dropped in place, and not replicated. Definers of views and programs that a dump or a file brings are created automatically, locked. After a clone the source's accounts exist too.",
    ),
  durability: z
    .enum(["full", "relaxed"])
    .default("full")
    .describe(
      "`full`: every transaction is on disk when it is committed. `relaxed`: sync_binlog = 0 and innodb_flush_log_at_trx_commit = 2, so that replication does not wait for the disk. A crash of mysqld loses nothing; after a power failure the server may lack transactions that it counts as executed: seed it again (`reseed`). In place.",
    ),
  baseDirectory: absolutePath
    .optional()
    .describe(
      "Where MySQL is installed (contains bin/mysqld). Found automatically if absent. A change restarts the server.",
    )
    .meta({ change: "restarts" }),
  config: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe(
      "Settings of mysqld, by option name. Dynamic ones change in place, others restart the server. A name that is almost that of a known option is refused; with the prefix `loose_` it is passed to mysqld.",
    ),
  configFile: z
    .string()
    .optional()
    .describe(
      "Text of a starter my.cnf; its settings are kept unless `config` or this program sets them. Settings that would place data outside of `directory` are refused, as in `config`. Like `config`, in place or with a restart.",
    ),
  storage: z
    .enum(["auto", "btrfs", "xfs", "zfs", "lvm", "directory"])
    .default("auto")
    .describe(
      "Kind of the directory's file system; `auto` detects it. If another kind is found than declared, `up` fails.",
    ),
  memoryMaxBytes: z
    .int()
    .min(268_435_456)
    .optional()
    .describe("Most memory the server may use (systemd MemoryMax). A change restarts the server.")
    .meta({ unit: "bytes", change: "restarts" }),
  state: z.enum(["running", "stopped"]).default("running").describe("Whether the server runs. In place."),
  confine: z
    .enum(["check", "adjust"])
    .default("check")
    .describe(
      "What to do if AppArmor or SELinux denies mysqld the directory or the port: `check` refuses before anything is started and prints the lines to add; `adjust` adds them on the host (a block in AppArmor's local rules, or labels and a port of SELinux) and removes them with the server. A change acts at the next start.",
    )
    .meta({ source: "an administrator owns the machine's policy, so it is changed only if declared" }),
  allowKill: z
    .boolean()
    .default(false)
    .describe(
      "Whether a server that does not stop within `stopSeconds` may be killed; it then recovers at its next start.",
    ),
  adopt: z
    .boolean()
    .default(false)
    .describe(
      "Take over a directory with this layout that has no mark of Sluice, or whose mark is from another state of the same name (a lost one), with the data as it is. Remove the property afterwards.",
    ),
};

export const limitFields = {
  startSeconds: seconds({ min: 10, max: day })
    .default(3600)
    .describe("Longest time a start may take, crash recovery included.")
    .meta({ source: "recovery of a full 100 GB redo log at 100 MB/s takes 17 minutes; an hour leaves room" }),
  stopSeconds: seconds({ min: 10, max: day })
    .default(1800)
    .describe("Longest time a stop may take.")
    .meta({ source: "flushing a 128 GB buffer pool at 100 MB/s takes 22 minutes" }),
};

/** What `check` fills in. */
export const derivedFields = {
  socket: absolutePath.describe("Filled in: the server's unix socket."),
  user: z.string().default("sluice").describe("Filled in: the local management account."),
  passwordFile: absolutePath.describe(
    "Filled in: the management account's option file, if the server has no auth_socket.",
  ),
};

/** All fields of the part. */
export const instanceFields = z.strictObject({ ...placeFields, ...serverFields, ...limitFields, ...derivedFields });

/** What a resource declares of its server. `readOnly`: super_read_only as declared, or as the resource wants it. */
export type InstanceDeclaration = z.output<typeof instanceFields> & { readonly readOnly: boolean };

export type InstanceDerived = keyof typeof derivedFields;

/** Follows from the rest without the network, so that a dependant's preview knows it. */
export function deriveInstance({ directory }: Readonly<Record<string, unknown>>): Record<InstanceDerived, unknown> {
  const layout = typeof directory === "string" && !isUnknown(directory) ? layoutOf(directory) : undefined;
  return {
    socket: layout?.socket ?? directory,
    passwordFile: layout?.accountFile ?? directory,
    user: managementAccount,
  };
}

/** Relations between the fields; each problem is `path: what`. */
export function refineInstance(
  declared: Pick<InstanceDeclaration, "directory" | "config" | "configFile" | "accounts">,
): string[] {
  const tooLong = refusedDirectory(declared.directory);
  return [
    ...(tooLong === undefined ? [] : [`directory: ${tooLong}`]),
    ...refusedConfig(declared.config),
    ...refusedFile(declared.configFile ?? ""),
    ...refusedAccounts(declared.accounts),
    ...passwordsIn(declared).map(
      (where) => `${where}: is a password, and my.cnf and Pulumi's state would show it; set it on the server`,
    ),
  ];
}

/** `report_password` and its like; `validate_password.length` and `default_password_lifetime` hold no password. */
function passwordsIn({ config, configFile }: Pick<InstanceDeclaration, "config" | "configFile">): string[] {
  const isPassword = (name: string) => /(^|_)password$/.test(name.replaceAll("-", "_").toLowerCase());
  const inFile = parseOptionFile(configFile ?? "").lines.some(
    (line) => line.kind === "option" && isPassword(line.name),
  );
  const inMap = Object.keys(config)
    .filter(isPassword)
    .map((name) => `config.${name}`);
  return inFile ? [...inMap, "configFile"] : inMap;
}

export const instanceOutputDocs = {
  version: "Version of the server.",
  serverUuid: "The server's uuid.",
  allocatedServerId: "server_id in use.",
  storageKind: "Kind of the directory's file system.",
};

type Place = Pick<InstanceDeclaration, "host" | "directory" | "port">;

/** `root@stage-1:/srv/mysql/orders`: where it is. */
export const instanceId = ({ host: at, directory }: Place): string => `${addressOf(at)}:${directory}`;

/** `orders@stage-1:3306`, for errors. */
export const instanceName = ({ host: at, port: on }: Place, name: string): string =>
  `${name}@${renderEndpoint({ address: addressOf(at), port: on })}`;

const addressOf = (at: InstanceDeclaration["host"]): string => (typeof at === "object" ? at.address : at);
