import { z } from "zod";
import { absolutePath, databaseName, hostName, port, seconds, secretText } from "./fields";

const hostFields = {
  address: hostName
    .describe(
      "Name or IP address of the machine. A new address whose host shows the same pinned `hostKey` is the same machine.",
    )
    .meta({ replaces: true, unlessSame: "hostKey" }),
  port: port
    .default(22)
    .describe("Port of its sshd. A change is made in place: it is another way to the same machine.")
    .meta({ source: "IANA: ssh" }),
  user: z
    .string()
    .min(1)
    .default("root")
    .describe("User to log in as. A user other than root needs passwordless sudo."),
  privateKey: secretText.optional().describe("Private key, as text (OpenSSH or PEM)."),
  passphrase: secretText.optional().describe("Passphrase of the private key."),
  password: secretText.optional().describe("Password of the user, if the host asks for one."),
  agent: z
    .union([z.literal(true), absolutePath])
    .optional()
    .describe("Use the ssh agent: `true` for SSH_AUTH_SOCK, or the path of its socket."),
  hostKey: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The host's key to pin: `SHA256:...` as `ssh-keygen -l` prints it, or a public key line. Without it, the error prints the fingerprint.",
    ),
  trustOnFirstUse: z
    .boolean()
    .optional()
    .describe(
      "If no key is pinned: accept the first key the host shows, store it, and require it from then on. Default false: an unpinned key is an error.",
    ),
  sudo: z.boolean().optional().describe("Become root through `sudo -n` where needed. Default true."),
  connectSeconds: seconds({ min: 1, max: 600 })
    .optional()
    .describe("Longest time to connect, login included. Default 20.")
    .meta({ source: "the readyTimeout of ssh2" }),
  keepaliveSeconds: seconds({ min: 1, max: 3600 })
    .optional()
    .describe("Seconds between keepalive messages; three unanswered ones end the connection. Default 15.")
    .meta({ source: "the example of ssh_config(5)" }),
};

/** Another jump host does not make it another machine. */
const jumpHost = z.strictObject({
  ...hostFields,
  address: hostFields.address.meta({ replaces: false }),
});

/** How to reach a machine: by ssh, or `"local"` for the one Pulumi runs on. */
export const host = z
  .union([
    z.literal("local"),
    z.strictObject({
      ...hostFields,
      proxy: jumpHost
        .optional()
        .describe(
          "A jump host to connect through: the same fields, without another jump host. A change is made in place.",
        )
        .meta({ type: "host", page: "connection.md#host" }),
    }),
  ])
  .meta({ replaces: true, type: "host", page: "connection.md#host" });

/** TLS towards a MySQL server. */
export const tls = z
  .union([
    z.enum(["required", "off"]),
    z.strictObject({
      ca: z.string().min(1).describe("PEM text of the CA that must have signed the server's certificate."),
      cert: z.string().min(1).optional().describe("PEM text of a client certificate."),
      key: secretText.optional().describe("PEM text of the client certificate's key."),
      verifyIdentity: z
        .boolean()
        .default(false)
        .describe(
          "Also require that the certificate names the address. Default false: certificates that mysqld creates automatically carry no host name.",
        ),
    }),
  ])
  .meta({ type: "TLS", page: "connection.md#tls" });

/** What a staging server holds, so that a channel's filters can follow. */
export const holds = z
  .strictObject({
    databases: z.union([z.literal("ALL"), z.array(databaseName)]).describe("The databases the server was seeded with."),
    seeding: z
      .string()
      .optional()
      .describe("The `reseed` text of its data. If it differs, the data was replaced: a channel into it starts again."),
    accounts: z.boolean().describe("True if the source's accounts were copied too (clone)."),
    lacks: z
      .array(z.string())
      .optional()
      .describe("Ignored views and programs (`ignoreObjects`): the filters of channels ignore these names."),
  })
  .meta({ type: "what it holds", page: "connection.md#what-it-holds" });

/** How to reach one MySQL server. A managed server offers this value as `server`. */
export const server = z
  .strictObject({
    host: host.optional().describe("The machine to connect through. Absent: directly from where Pulumi runs."),
    socket: absolutePath.optional().describe("Unix socket on that machine; used instead of address and port."),
    address: hostName
      .optional()
      .describe("Name or address of the server, as seen from `host`.")
      .meta({ replaces: true }),
    port: port.default(3306).describe("Port of the server.").meta({ source: "MySQL default port" }),
    user: z.string().min(1).max(32).describe("User to log in as."),
    password: secretText.optional().describe("Password of the user."),
    passwordFile: absolutePath
      .optional()
      .describe("Option file (0600) on `host` that holds the password; used if it exists and `password` is absent."),
    tls: tls
      .default("required")
      .describe("TLS for tcp connections: required (encrypted), off, or a CA to verify against."),
    holds: holds.optional().describe("What the server was seeded with; the filters of its channels follow."),
  })
  .meta({ type: "server", page: "connection.md#server" });

/** Where rows come from: the address is the one the replica uses. */
export const source = z
  .strictObject({
    address: hostName.describe("Name or address of the source, as the replica reaches it."),
    port: port.default(3306).describe("Port of the source.").meta({ source: "MySQL default port" }),
    user: z.string().min(1).max(32).describe("User to log in as. Errors name missing privileges."),
    password: secretText.default("").describe("Password of the user."),
    tls: tls.default("required").describe("TLS to the source: required (encrypted), off, or a CA to verify against."),
  })
  .meta({ type: "source", page: "connection.md#source" });

export type Holds = z.output<typeof holds>;
export type Source = z.output<typeof source>;
export type Server = z.output<typeof server>;
/** A server as a program may write it, defaults left out. */
export type ServerReach = z.input<typeof server>;
export type Tls = z.output<typeof tls>;
