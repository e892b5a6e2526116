import { endpointOf, renderEndpoint } from "../../provider/endpoint";
import { z } from "zod";
import { oldestVersions } from "../../provider/mysql/capabilities";
import type { ChannelFacts, ReplicaFacts } from "../../provider/mysql/channel/facts";
import { noRules } from "../../provider/mysql/channel/filters";
import { sayLogin } from "../../provider/mysql/channel/errors/recipes";
import type { ChannelNames } from "../../provider/mysql/channel/errors/thread";
import { channelTextRefusal, longestChannelPassword } from "../../provider/mysql/terms";
import { server, source, type ServerReach } from "../../provider/schema/connection";
import { databaseName, seconds } from "../../provider/schema/fields";
import type { Lock, Urn } from "../../provider/room";
import { isUnknown, unknownValue } from "../../provider/schema/unknown";
import type { Schema } from "../../provider/schema/schema";

const day = 86_400;

/** `database.table`; the first dot ends the database's name. */
const tableName = z.string().regex(/^[^.\n\r\0]+\.[^\n\r\0]+$/, "must be database.table");
const wildTable = z
  .string()
  .regex(/^[^.\n\r\0]+\.[^\n\r\0]+$/, "must be database.table, where % is any text and _ any character");

/** Which changes of the source are applied. Do-rules first, then ignore-rules, as MySQL evaluates them. */
export const filters = z.strictObject({
  doDatabases: z
    .array(databaseName)
    .default([])
    .describe(
      "Apply only these databases. MySQL looks at the session's default database for DDL: prefer wildDoTables `db.%`, which looks at the tables.",
    ),
  ignoreDatabases: z
    .array(databaseName)
    .default([])
    .describe(
      "Do not apply these databases. For DDL MySQL looks at the session's default database: prefer wildIgnoreTables.",
    ),
  doTables: z.array(tableName).default([]).describe("Apply only these tables: `shop.orders`."),
  ignoreTables: z.array(tableName).default([]).describe("Do not apply these tables."),
  wildDoTables: z
    .array(wildTable)
    .default([])
    .describe("Apply only tables that match: `shop.%`; `\\_` is a literal underscore."),
  wildIgnoreTables: z.array(wildTable).default([]).describe("Do not apply tables that match: `shop.tmp%`."),
  rewriteDatabases: z
    .array(
      z.strictObject({
        from: databaseName.describe("Name of the database on the source."),
        to: databaseName.describe("Its name on the replica. The other rules look at this name."),
      }),
    )
    .default([])
    .describe(
      "Databases that have another name on the replica. Applies to rows, and to statements through their default database.",
    ),
});

/** Where the receiver begins when it is first pointed at a source. */
const start = z.union([
  z.literal("auto"),
  z.strictObject({
    gtidSet: z
      .string()
      .optional()
      .describe(
        "GTID set of the replica's data. Used if both servers have gtid_mode on; the replica must have executed it.",
      ),
    file: z.string().min(1).optional().describe("Binary log file of the source."),
    position: z
      .union([z.int().min(4), z.string().regex(/^\d+$/, "must be a whole number")])
      .optional()
      .describe("Offset in that file at which the next transaction begins."),
  }),
]);

export const declaration = z.strictObject({
  replica: server.describe(
    `The server that rows flow into: \`server\` of a StagingDatabase, or any MySQL or Percona Server >= ${oldestVersions.replica} reached directly or through a host. A changed address replaces the channel; a changed socket or port must lead to the same server.`,
  ),
  channel: z
    .string()
    .min(1)
    .max(64, "is too long (1-64 characters)")
    .regex(/^[^\p{Cc}\p{Cs}:]*[^\p{Cc}\p{Cs}: ]$/u, "must not hold control characters or `:`, nor end with a space")
    .regex(/^(?!group_replication_)/i, "must not begin with group_replication_, which MySQL keeps for itself")
    .describe(
      "Name of the channel on the replica; upper and lower case are the same. Default: the resource's name when it was created; a rename with `aliases` keeps it. A changed name replaces the channel.",
    )
    .meta({ replaces: true }),
  source: source
    .describe(
      "The server to follow, as the replica reaches it. A change re-points the channel in place: rows stop arriving for the moment of the change. Errors name missing privileges.",
    )
    .meta({ change: "interrupts" }),
  start: start
    .default("auto")
    .describe(
      'Start position of a new channel, or of one that is re-pointed without GTIDs: "auto" (by GTID), { file, position }, or `seedPosition` of a StagingDatabase (by GTID if both servers have gtid_mode on, else by file). A change of `start` alone does nothing. A channel by file that is removed and created again continues where it ended, and never starts at an earlier position: no row is applied twice.',
    )
    .meta({ inert: true }),
  filters: filters
    .prefault({})
    .describe(
      "Rules for what is applied, in addition to those that follow from the replica's seed. In place; rows stop being applied for the moment of the change.",
    )
    .meta({ change: "interrupts" }),
  delaySeconds: seconds({ min: 0, max: 2 ** 31 - 1 })
    .default(0)
    .describe(
      "How long after the source the replica applies a transaction. Range: 0-2147483647 (MySQL's). In place; rows stop being applied for the moment of the change.",
    )
    .meta({ change: "interrupts", unit: "seconds", source: "MySQL manual, SOURCE_DELAY: 0" }),
  connectRetrySeconds: seconds({ min: 1, max: day })
    .default(10)
    .describe(
      "Pause between two attempts of the receiver to connect. Range: 1-86400. In place; rows stop arriving for the moment of the change.",
    )
    .meta({
      change: "interrupts",
      unit: "seconds",
      source: "with MySQL's 60 every short outage becomes a minute of lag",
    }),
  retryCount: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(86_400)
    .describe(
      "Attempts of the receiver to connect before it stops. Range: 1-2147483647. In place; rows stop arriving for the moment of the change.",
    )
    .meta({
      change: "interrupts",
      unit: "attempts",
      source: "MySQL's own before 8.1; the 10 of newer servers give up after minutes",
    }),
  heartbeatSeconds: z
    .number()
    .min(0, "is out of range (0-4294967 seconds)")
    .max(4_294_967, "is out of range (0-4294967 seconds)")
    .multipleOf(0.001, "has more than three decimals")
    .default(30)
    .describe(
      "Seconds without an event after which the source sends a heartbeat; 0 = never. Range: 0-4294967, thousandths allowed. In place; rows stop arriving for the moment of the change.",
    )
    .meta({
      change: "interrupts",
      unit: "seconds",
      source: "MySQL manual, SOURCE_HEARTBEAT_PERIOD: half of replica_net_timeout, which is 60",
    }),
  workers: z
    .int()
    .min(1, "is out of range (1-1024)")
    .max(1024, "is out of range (1-1024)")
    .optional()
    .describe(
      "Threads that apply transactions in parallel. Default: the server's replica_parallel_workers. A restarted server uses that default again: to change it permanently, set it in `config` of the StagingDatabase. In place; rows stop being applied for the moment of the change.",
    )
    .meta({ change: "interrupts", unit: "threads", source: "MySQL manual, replica_parallel_workers: 4 since 8.0.27" }),
  state: z
    .enum(["running", "stopped"])
    .default("running")
    .describe("Whether receiver and applier run. In place. A server that restarts starts its channels again."),
  catchUpSeconds: seconds({ min: 0, max: 30 * day })
    .default(day)
    .describe(
      "Longest time `up` waits until everything is applied that the source had executed when the wait began (with `delaySeconds`: is received). Range: 0-2592000; 0 = do not wait.",
    )
    .meta({
      unit: "seconds",
      source: "a seed of 1 TB takes half a day (measured), and applying its backlog about as long again",
    }),
  stopSeconds: seconds({ min: 10, max: day })
    .default(600)
    .describe(
      "Longest time the applier may take to finish the transaction it is in, when it is stopped. Range: 10-86400.",
    )
    .meta({
      unit: "seconds",
      source: "MySQL waits for ever; ten minutes are above the transactions that monitoring lets pass",
    }),
  adopt: z
    .boolean()
    .default(false)
    .describe(
      "Take over a channel of this name that exists without a mark of Sluice, or whose mark is from another state of the same name (a lost one). Remove the property afterwards. In place: what differs is changed.",
    ),
});

export type Declaration = z.output<typeof declaration>;
/** As a program writes it: defaults left out. */
export type Written = z.input<typeof declaration>;

/** What `check` fills in if a program leaves it out. */
export type Derived = "channel";

export const outputs = {
  sourceUuid: "server_uuid of the source; empty until the receiver has connected once.",
  replicaUuid: "server_uuid of the replica.",
  positioning: "How the receiver finds its position: `gtid` or `file`.",
};

export const schema: Schema<Declaration> = { declaration, outputs };

/** A colon would end the channel's name in mysqld's startup options. */
export const derive = (
  _inputs: Readonly<Record<string, unknown>>,
  { name }: Urn,
): Readonly<Record<string, unknown>> => ({
  channel: [...name.replaceAll(/:+/g, "-")].slice(0, 64).join("").trim(),
});

/** Relations between fields; each `path: what`. */
export function refine(declared: Declaration): readonly string[] {
  const { replica, source: from, start: begin } = declared;
  const problems: string[] = [];
  if ([...from.password].length > longestChannelPassword)
    problems.push(
      `source.password: is longer than the ${String(longestChannelPassword)} characters a channel can hold (error 3056)`,
    );
  const refusal = channelTextRefusal(from.password);
  if (refusal !== undefined) problems.push(`source.password: ${refusal}`);
  if (typeof from.tls === "object" && replica.host === undefined)
    problems.push("source.tls: a CA needs replica.host, because its file must be on the replica's machine");
  if (typeof from.tls === "object" && (from.tls.cert === undefined) !== (from.tls.key === undefined))
    problems.push("source.tls: cert and key belong together");
  if (replica.socket === undefined && replica.address === undefined) problems.push("replica: needs socket or address");
  if (replica.socket !== undefined && replica.host === undefined)
    problems.push('replica.socket: needs replica.host ("local" for this machine)');
  if (typeof begin === "object" && (begin.file === undefined) !== (begin.position === undefined))
    problems.push("start: file and position belong together");
  return problems;
}

/** The server knows names in lower case only. */
export const channelOf = ({ channel }: Declaration): string => channel.toLowerCase();

/** The object that the mark is on, in the server. */
export const markedAs = (declared: Declaration): string => `channel ${channelOf(declared)}`;

/** What a refusal calls the channel, and what a program may declare instead. */
export const claimedAs = (channel: string) => ({ thing: `channel ${channel}`, another: "another name in `channel`" });

export function replicaOf({ replica }: Declaration): ServerReach {
  const { holds: _holds, ...reach } = replica;
  return reach;
}

export const sourceOf = ({ source, replica }: Declaration): ServerReach => ({ ...source, host: replica.host });

/** A preview may know only some of it, or nothing. */
const placeOf = (replica: Declaration["replica"] | string): string =>
  typeof replica === "string" ? replica : endpointOf(replica);

/** What never changes of a channel: its name, and the machine its replica is on. A port or socket may change in place. */
export function id({ channel, replica }: Declaration): string {
  const { host, address } = replica;
  return `${channel}@${typeof host === "object" ? host.address : (address ?? "local")}`;
}

/** Exclusive work on this channel, from whatever machine and by whatever way the replica is reached. */
export function locks(declared: Declaration): readonly Lock[] {
  const { replica } = declared;
  const name = `channel:${channelOf(declared)}`;
  // Without the brackets of IPv6: a lock's name never changes.
  const place = replica.socket ?? endpointOf(replica).replace(/[[\]]/g, "");
  const inReplica: Lock = { server: replicaOf(declared), name, mode: "exclusive" };
  if (replica.host === undefined) return [inReplica];
  return [{ host: replica.host, name: `${name}@${place}`, mode: "exclusive" }, inReplica];
}

export const object = ({ replica }: Declaration, name: string): string => `channel ${name}@${placeOf(replica)}`;

/** What errors of the channel's threads name. `channel` is null if there is none yet. */
export const namesOf = (
  object: string,
  declared: Declaration,
  { server, isSealed }: Pick<ReplicaFacts, "server" | "isSealed">,
  channel: Pick<ChannelFacts, "rules"> | null,
): ChannelNames => ({
  object,
  channel: channelOf(declared),
  source: renderEndpoint(declared.source),
  user: declared.source.user,
  server,
  login: sayLogin(replicaOf(declared)),
  isSealed,
  rules: channel?.rules ?? noRules,
});

/** A preview may know neither end: then each of its parts is what is not known. */
export function withParts(wanted: Declaration): Declaration {
  const { replica, source } = wanted as { readonly replica: unknown; readonly source: unknown };
  const unknown = unknownValue as never;
  return {
    ...wanted,
    ...(isUnknown(replica) && { replica: { user: unknown, port: unknown, tls: unknown, holds: unknown } }),
    ...(isUnknown(source) && {
      source: { address: unknown, port: unknown, user: unknown, password: unknown, tls: unknown },
    }),
  };
}
