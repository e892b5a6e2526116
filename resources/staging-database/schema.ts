import { renderEndpoint } from "../../provider/endpoint";
import { z } from "zod";
import { refusedAccounts } from "../../provider/mysql/instance/accounts/accounts";
import { defaultHistoryListLimit } from "../../provider/mysql/seed/history-limit";
import { layoutOf, managementAccount, refusedDirectory } from "../../provider/mysql/instance/layout";
import { refusedConfig, refusedFile } from "../../provider/mysql/instance/options";
import { parseOptionFile } from "../../provider/mysql/options/file";
import { holds, host, source } from "../../provider/schema/connection";
import { absolutePath, databaseName, port, seconds, secretText } from "../../provider/schema/fields";
import type { Schema } from "../../provider/schema/schema";
import { isUnknown } from "../../provider/schema/unknown";

const day = 86_400;

/** Sluice must not change the owner of their `run`, `tmp`, `log` and `data`, or remove them. */
const systemDirectories =
  /^\/(?:bin|boot|dev|etc|home|lib\d*|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|usr\/local|var|var\/lib|var\/lib\/mysql|var\/log|var\/run|var\/tmp)?$/;

/** As error messages of the server write it. */
const objectName = z
  .string()
  .max(129)
  .regex(/^[^.\0\n]{1,64}\.[^\0\n]{1,64}$/, "must be database.object");

/** Where the first data comes from. Matters only while seeding; a later change acts at the next seeding (see `reseed`). */
const seed = z.union([
  z.enum(["dump", "clone", "none"]),
  z.strictObject({
    file: absolutePath.describe(
      "A full backup on the staging host: .sql, .sql.gz or .sql.zst. Its position is read from the file.",
    ),
  }),
]);

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

export const declaration = z.strictObject({
  host: host.describe(
    'The machine: how to reach it by ssh, or `"local"` for the one Pulumi runs on. Another machine replaces the staging database. Another `user` restarts the server: its management account is that unix user.',
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
  source: source
    .optional()
    .describe(
      "The server to seed from, as the staging host reaches it. Needed by `dump` and `clone`. A change acts at the next seeding.",
    )
    .meta({ change: "next seeding" }),
  seed: seed
    .default("dump")
    .describe(
      "How the first data arrives: `dump` (a backup taken now), `clone` (MySQL's CLONE plugin, same series on both), a file, or `none`.",
    )
    .meta({
      change: "next seeding",
      source: "dump works between versions and with selected databases, so it is the one that always fits",
    }),
  databases: z
    .union([z.literal("ALL"), z.array(databaseName).min(1, "needs at least one database")])
    .default("ALL")
    .describe("Databases to bring: `ALL` user databases, or a list. The filters of a channel into this server follow.")
    .meta({ change: "next seeding" }),
  inexactRows: z
    .enum(["refuse", "accept"])
    .optional()
    .describe(
      "What a dump does with rows that it cannot bring exactly: values of FLOAT columns, which mysqldump rounds to six digits, and tables of other engines than InnoDB, which are not part of its snapshot. `refuse` (default) stops and names them before anything is changed; `accept` takes them, and a channel may then stop on error 1032. `clone` brings FLOAT exactly. A change acts at the next seeding.",
    )
    .meta({ change: "next seeding" }),
  historyListLimit: z
    .int()
    .min(1000)
    .max(1_000_000_000)
    .optional()
    .describe(
      `Longest history list (old versions of rows) that the source may have while a dump runs; a longer one ends the dump. A dump keeps one snapshot open on the source until it is loaded, so name a replica of production as \`source\` where the data is large. Default ${String(defaultHistoryListLimit)}. A change acts at the next seeding.`,
    )
    .meta({
      unit: "transactions",
      change: "next seeding",
      source: "250 transactions a second during the 11 hours that a TB takes (measured at 27 MB/s)",
    }),
  ignoreObjects: z
    .array(objectName)
    .default([])
    .describe(
      'Views, procedures, functions, triggers and events that a dump leaves out, as `database.object`: `["shop.broken_view"]`. For objects that cannot be dumped or that this server refuses, such as a view of a table that was dropped (1356). Tables cannot be left out. Channels into this server ignore views of these names; a change of such a routine or event on the source may stop a channel. With `seed: "dump"` only.',
    )
    .meta({ change: "next seeding" }),
  reseed: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Any text. If the text changes, the data is deleted and seeded again in place. Removing the property changes nothing.",
    ),
  mode: z
    .enum(["replication", "manual"])
    .default("replication")
    .describe("`replication`: fed by a channel, read-only. `manual`: filled by hand, writable. In place."),
  readOnly: z
    .boolean()
    .optional()
    .describe(
      "Refuse all writes except replication's (super_read_only). Default true in mode replication, false in mode manual. In place.",
    ),
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
  seedSeconds: seconds({ min: 60, max: 30 * day })
    .default(7 * day)
    .describe("Longest time a seeding may take.")
    .meta({ source: "a TB at the 27 MB/s of a plain dump and load takes 11 hours (measured); a week leaves room" }),
  startSeconds: seconds({ min: 10, max: day })
    .default(3600)
    .describe("Longest time a start may take, crash recovery included.")
    .meta({ source: "recovery of a full 100 GB redo log at 100 MB/s takes 17 minutes; an hour leaves room" }),
  stopSeconds: seconds({ min: 10, max: day })
    .default(1800)
    .describe("Longest time a stop may take.")
    .meta({ source: "flushing a 128 GB buffer pool at 100 MB/s takes 22 minutes" }),

  socket: absolutePath.describe("Filled in: the server's unix socket."),
  user: z.string().default("sluice").describe("Filled in: the local management account."),
  passwordFile: absolutePath.describe(
    "Filled in: the management account's option file, if the server has no auth_socket.",
  ),
  holds: holds.describe("Filled in: what the server was seeded with, for the filters of its channels."),
});

export type Declaration = z.output<typeof declaration>;
/** The declaration as a program writes it: what has a default may be left out. */
export type Written = z.input<typeof declaration>;

/** What a program must not set: `check` fills it in from the rest. */
export type Derived = "socket" | "user" | "passwordFile" | "holds";

export const outputs = {
  version: "Version of the server.",
  serverUuid: "The server's uuid.",
  allocatedServerId: "server_id in use.",
  seedPosition: "The source's position when the seed was taken: { gtidSet, file, position }; the `start` of a channel.",
  sizeBytes: "Size of the data when it was seeded, as text.",
  storageKind: "Kind of the directory's file system.",
};

export const schema: Schema<Declaration> = { declaration, outputs };

/** What errors call it. */
export const objectOf = ({ host: at, port: on }: Declaration, name: string): string =>
  `staging database ${name}@${renderEndpoint({ address: addressOf(at), port: on })}`;

/** `root@stage-1:/srv/mysql/orders`: where it is. */
export const idOf = ({ host: at, directory }: Declaration): string => `${addressOf(at)}:${directory}`;

export const addressOf = (at: Declaration["host"]): string => (typeof at === "object" ? at.address : at);

/** What follows from the rest without the network, so that a dependant's preview knows it. */
export function derive(inputs: Readonly<Record<string, unknown>>): Record<Derived, unknown> {
  const { directory, databases = "ALL", seed: from, reseed, ignoreObjects } = inputs;
  const layout = typeof directory === "string" && !isUnknown(directory) ? layoutOf(directory) : undefined;
  return {
    socket: layout?.socket ?? directory,
    passwordFile: layout?.accountFile ?? directory,
    user: managementAccount,
    holds: {
      databases,
      accounts: from === "clone",
      ...(typeof reseed === "string" && { seeding: reseed }),
      ...(ignoreObjects !== undefined && !isEmptyList(ignoreObjects) && { lacks: ignoreObjects }),
    },
  };
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/**
 * A changed `reseed` asks for new data, a removed one does not; all other properties of the seed act only at the next
 * seeding.
 */
export const isSeeded = (
  { reseed }: Pick<Declaration, "reseed">,
  record: { readonly phase: "claimed" | "complete"; readonly reseed: string | null } | undefined,
): boolean => record?.phase === "complete" && (reseed === undefined || reseed === record.reseed);

/** super_read_only as declared, or as the mode wants it. */
export const isReadOnly = ({ readOnly, mode }: Declaration): boolean => readOnly ?? mode === "replication";

/** Relations between fields. */
export function refine(declared: Declaration): string[] {
  const { seed: from, source: origin, mode, config, databases, directory, ignoreObjects } = declared;
  const needsSource = mode === "replication" && (from === "dump" || from === "clone");
  const tooLong = refusedDirectory(directory);
  const system = databases === "ALL" ? [] : databases.filter((name) => systemSchemas.includes(name.toLowerCase()));
  return [
    ...(needsSource && origin === undefined
      ? [`source: is needed by seed ${from}; declare it, or set seed: "none"`]
      : []),
    ...system.map((name) => `databases: ${name} is a system database and cannot be brought from a source`),
    ...(from === "clone" && databases !== "ALL"
      ? ['databases: clone brings all databases; use seed: "dump" to bring some']
      : []),
    ...(from === "clone" && typeof origin?.tls === "object" && origin.tls.verifyIdentity
      ? [
          'source.tls.verifyIdentity: CLONE verifies the CA of the certificate, not the address in it; use seed: "dump", or set it to false',
        ]
      : []),
    ...(ignoreObjects.length > 0 && !(mode === "replication" && from === "dump")
      ? ['ignoreObjects: only a dump can leave objects out; use seed: "dump", or remove ignoreObjects']
      : []),
    ...(tooLong === undefined ? [] : [`directory: ${tooLong}`]),
    ...refusedConfig(config),
    ...refusedFile(declared.configFile ?? ""),
    ...refusedAccounts(declared.accounts),
    ...passwordsIn(declared).map(
      (where) => `${where}: is a password that my.cnf and Pulumi's state would show; set it on the server`,
    ),
  ];
}

/** `report_password` and its like; `validate_password.length` and `default_password_lifetime` hold no password. */
function passwordsIn({ config, configFile }: Declaration): string[] {
  const isPassword = (name: string) => /(^|_)password$/.test(name.replaceAll("-", "_").toLowerCase());
  const inFile = parseOptionFile(configFile ?? "").lines.some(
    (line) => line.kind === "option" && isPassword(line.name),
  );
  const inMap = Object.keys(config)
    .filter(isPassword)
    .map((name) => `config.${name}`);
  return inFile ? [...inMap, "configFile"] : inMap;
}

const systemSchemas = ["mysql", "sys", "information_schema", "performance_schema"];
