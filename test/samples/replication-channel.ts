import type { ReplicaFacts, ChannelFacts } from "../../provider/mysql/channel/facts";
import type { ChannelNames } from "../../provider/mysql/channel/errors/thread";
import type { ChannelSource } from "../../provider/mysql/channel/source";
import { noRules, planRules } from "../../provider/mysql/channel/filters";
import { parseGtidSet } from "../../provider/mysql/gtid";
import { markOf } from "../../provider/mark/mark";
import type { PlanContext } from "../../provider/room";
import type { ChannelRecord, Live, Observed, Settled, SettledChannel } from "../../resources/replication-channel/facts";
import { declaration, type Declaration, type Written } from "../../resources/replication-channel/schema";
import { hostAt } from "./host";
import { identityOf } from "./identity";
import { mysql, replicaUuid, sourceUuid } from "./server";

export const identity = identityOf("ReplicationChannel");
export const record: ChannelRecord = { caughtUp: true, start: null, ended: null };

/** A valid declaration, changed by `change`. */
export function declare(change: Partial<Written> = {}): Declaration {
  return declaration.parse({
    replica: { host: hostAt("stage-1"), socket: "/srv/orders/run/mysqld.sock", port: 3307, user: "sluice" },
    channel: "orders",
    source: { address: "db-1", user: "repl", password: "pw" },
    ...change,
  });
}

type Context = PlanContext<Declaration, Settled>;

export const context = (before: Declaration | null = null, change: Partial<Context> = {}): Context => ({
  identity,
  before: before && { declared: before, settled: null },
  object: "channel orders@stage-1:3307",
  ...change,
});

/** The channel as `wanted` describes it, running. */
export function settledChannel(wanted: Declaration, change: Partial<SettledChannel> = {}): SettledChannel {
  return {
    address: wanted.source.address,
    port: wanted.source.port,
    user: wanted.source.user,
    passwordMatches: true,
    tls: "required",
    connectRetrySeconds: wanted.connectRetrySeconds,
    retryCount: wanted.retryCount,
    heartbeatSeconds: wanted.heartbeatSeconds,
    delaySeconds: wanted.delaySeconds,
    autoPosition: true,
    rules: planRules(wanted.filters, wanted.replica.holds),
    filterFile: { isPossible: false, text: null },
    workers: 4,
    receives: true,
    applies: true,
    sourceUuid,
    ...change,
  };
}

export const settled = (channel: SettledChannel | null, change: Partial<Settled> = {}): Settled => ({
  server: { version: mysql.version, uuid: replicaUuid, serverId: 2 },
  mark: markOf(identity, record),
  channel,
  mount: null,
  ...change,
});

export const source = (change: Partial<ChannelSource> = {}): ChannelSource => ({
  server: mysql,
  uuid: sourceUuid,
  serverId: 1,
  isReadOnly: false,
  logsBinary: true,
  binlogFormat: "ROW",
  gtidMode: "ON",
  executed: parseGtidSet(`${sourceUuid}:1-100`),
  purged: parseGtidSet(`${sourceUuid}:1-10`),
  grants: ["GRANT REPLICATION SLAVE ON *.* TO `repl`@`%`"],
  account: "repl@%",
  logs: null,
  ...change,
});

export const replica = (change: Partial<ReplicaFacts> = {}): ReplicaFacts => ({
  server: mysql,
  uuid: replicaUuid,
  serverId: 2,
  gtidMode: "ON",
  executed: parseGtidSet(`${sourceUuid}:1-50`),
  isReadOnly: true,
  isSealed: true,
  binlogFormat: "ROW",
  dataDirectory: "/srv/orders/data/",
  workers: 4,
  otherChannels: [],
  ...change,
});

export const channelFacts = (change: Partial<ChannelFacts> = {}): ChannelFacts => ({
  address: "db-1",
  port: 3306,
  user: "repl",
  passwordHash: "",
  autoPosition: true,
  tls: { isOn: true, caPath: "", certPath: "", keyPath: "", verifiesIdentity: false, asksPublicKey: false },
  connectRetrySeconds: 10,
  retryCount: 86_400,
  heartbeatSeconds: 30,
  delaySeconds: 0,
  rules: noRules,
  workers: 4,
  sourceUuid,
  assignedUuid: null,
  receiver: { state: "running", error: null, received: parseGtidSet("") },
  applier: { state: "running", error: null, remainingDelaySeconds: null, lagSeconds: 0, file: "", position: "" },
  ...change,
});

export const names: ChannelNames = {
  object: "channel orders@stage-1:3307",
  channel: "orders",
  source: "db-1:3306",
  user: "repl",
  server: mysql,
  login: "`ssh root@stage-1`, then `mysql --socket=/srv/orders/run/mysqld.sock --user=sluice`",
  isSealed: true,
  rules: noRules,
};

export const live = (change: Partial<Extract<Live, { kind: "seen" }>> = {}): Live => ({
  kind: "seen",
  replica: replica(),
  channel: null,
  source: source(),
  sourceProblem: null,
  ...change,
});

export const seen = (of: Settled, now: Live | null = null): Observed => ({ settled: of, live: now });
