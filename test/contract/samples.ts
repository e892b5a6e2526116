import type { AnyRoom } from "../../provider/room";
import { markOf, type Identity } from "../../provider/mark/mark";
import * as channel from "../../resources/replication-channel/facts";
import type { Written as ChannelWritten } from "../../resources/replication-channel/schema";
import * as staging from "../../resources/staging-database/facts";
import type { Written as StagingWritten } from "../../resources/staging-database/schema";
import { noRules } from "../../provider/mysql/channel/filters";
import { rooms } from "../../resources/rooms";
import { copiedServerRoom, type CopiedServerArgs } from "../harness/copied-server-room";
import { mount } from "../samples/host";
import { identityOf as identityWith } from "../samples/identity";
import * as channelSamples from "../samples/replication-channel";
import { binariesOf, runningInstance, sourceUuid, withoutRoot } from "../samples/server";
import * as stagingSamples from "../samples/staging-database";
import { fileRoom, type FileRoomArgs, type Settled as FileSettled } from "../harness/file-room";

/** What a room is tried with: declarations as programs write them, and what was seen of the object at other times. */
export interface Sample {
  readonly room: AnyRoom;
  readonly written: readonly Record<string, unknown>[];
  readonly settled: readonly object[];
}

/** Of an object that is complete. */
export const identityOf = (kind: string): Identity => identityWith(kind, "one");

const machine = {
  address: "stage-1",
  port: 2222,
  user: "admin",
  privateKey: "secret:host.privateKey",
  passphrase: "secret:host.passphrase",
  password: "secret:host.password",
  hostKey: "SHA256:47DEQpj8",
  proxy: { address: "jump", user: "jump", privateKey: "secret:proxy.privateKey", password: "secret:proxy.password" },
};
const production = {
  address: "db-1",
  user: "sync",
  password: "secret:source.password",
  tls: { ca: "CA", cert: "CERT", key: "secret:tls.key", verifyIdentity: true },
};

const stagingWritten: Omit<StagingWritten, "socket" | "user" | "passwordFile" | "holds">[] = [
  { host: "local", directory: "/srv/mysql/orders", seed: "none" },
  {
    host: machine,
    directory: "/srv/mysql/orders",
    source: production,
    rootPassword: "secret:rootPassword",
    accounts: [
      { name: "reader", password: "secret:accounts.reader", grants: ["SELECT ON shop.*"] },
      { name: "writer", host: "10.%", password: "secret:accounts.writer", tls: "off", adopt: true },
    ],
  },
  {
    host: { address: "stage-2" },
    directory: "/data/stock",
    port: 3307,
    source: { ...production, tls: "off" },
    seed: "clone",
    serverId: 77,
    config: { max_connections: 50, innodb_buffer_pool_size: "1G", general_log: true },
    state: "stopped",
    memoryMaxBytes: 1_073_741_824,
    reseed: "2",
  },
  {
    host: machine,
    directory: "/srv/mysql/file",
    seed: { file: "/backup/full.sql.zst" },
    databases: ["shop", "b`c d"],
    mode: "manual",
    configFile: "[mysqld]\nmax_connections = 10\n",
    adopt: true,
    allowKill: true,
  },
];

const stagingMark = (record: staging.StagingRecord, change: Partial<Identity> = {}) =>
  markOf({ ...identityOf("StagingDatabase"), ...change }, record);
const seeded = stagingSamples.settled(stagingSamples.declare(), {
  mark: stagingMark(stagingSamples.record),
  mount,
  binaries: binariesOf({ mysql: null, mysqldump: null }),
});
const stagingSettled: staging.Settled[] = [
  staging.blank,
  { ...staging.blank, directory: "empty", storageKind: "directory" },
  { ...staging.blank, directory: "foreign files", storageKind: "xfs" },
  stagingSamples.half({ mark: stagingMark(stagingSamples.claimedRecord), mount }),
  seeded,
  {
    ...seeded,
    instance: {
      ...runningInstance,
      optionText: "[mysqld]\nport = 3306\n",
      unitText: "[Service]\n",
      init: { osUser: "root", digest: "e3b0c442" },
    },
    server: seeded.server && { ...seeded.server, variables: { super_read_only: "OFF", max_connections: "151" } },
  },
  { ...seeded, instance: { ...runningInstance, running: false }, server: null },
  { ...seeded, mark: stagingMark(stagingSamples.record, { name: "other/prod/orders" }) },
  { ...seeded, mark: stagingMark(stagingSamples.record, { seal: "of another state" }) },
  { ...seeded, mark: stagingMark({ ...stagingSamples.record, reseed: "2" }), runtime: withoutRoot },
];

const channelWritten: (Omit<ChannelWritten, "channel"> & { channel?: string })[] = [
  {
    replica: {
      host: machine,
      socket: "/srv/mysql/orders/run/mysqld.sock",
      port: 3307,
      user: "sluice",
      passwordFile: "/srv/mysql/orders/account.cnf",
    },
    source: production,
    start: { gtidSet: `${sourceUuid}:1-5`, file: "binlog.000002", position: "157" },
  },
  {
    replica: {
      address: "db-2",
      user: "admin",
      password: "secret:replica.password",
      tls: { ca: "CA", key: "secret:replica.tls.key", cert: "C" },
    },
    source: { ...production, tls: "required" },
    channel: "stock",
    delaySeconds: 3600,
    filters: {
      doDatabases: ["shop"],
      wildIgnoreTables: ["shop.tmp%"],
      rewriteDatabases: [{ from: "shop", to: "shop2" }],
    },
    workers: 8,
    state: "stopped",
  },
  {
    replica: { host: "local", socket: "/run/a.sock", user: "root", holds: { databases: ["shop"], accounts: false } },
    source: { address: "db-3", port: 3310, user: "repl", tls: "off" },
    start: { file: "binlog.000009", position: 4 },
    adopt: true,
    catchUpSeconds: 0,
    heartbeatSeconds: 0.5,
  },
];
const channelMark = (change: Partial<Identity> = {}) =>
  markOf({ ...identityOf("ReplicationChannel"), ...change }, channelSamples.record);
const running = channelSamples.settledChannel(channelSamples.declare({ source: production }), {
  filterFile: { isPossible: true, text: null },
});
const replicating = channelSamples.settled(running, { mark: channelMark(), mount });
const channelSettled: channel.Settled[] = [
  channel.blank,
  replicating,
  { ...replicating, channel: null },
  { ...replicating, mark: markOf(null, channelSamples.record) },
  { ...replicating, mark: channelMark({ name: "other/prod/orders" }) },
  { ...replicating, mark: channelMark({ seal: "of another state" }) },
  {
    ...replicating,
    mark: markOf(channelSamples.identity, { caughtUp: false, start: "binlog.000009:4", ended: null }),
    channel: { ...running, receives: false, workers: null },
  },
  {
    ...replicating,
    channel: {
      ...running,
      applies: false,
      delaySeconds: 60,
      autoPosition: false,
      rules: { ...noRules, doDatabases: ["x"] },
    },
  },
];

const fileWritten: FileRoomArgs[] = [
  { host: "local", directory: "/srv/one" },
  { host: machine, directory: "/srv/two", parts: 3, password: "secret:password", access: { token: "secret:token" } },
];
const fileSettled: FileSettled[] = [
  fileRoom.blank,
  { owner: "shop/dev/orders", seal: "one", parts: 2, text: "hello", passwordMatches: true },
  { owner: "other/prod/orders", seal: null, parts: 0, text: null, passwordMatches: false },
];

const copiedWritten: CopiedServerArgs[] = [
  { host: "local", directory: "/srv/mysql/copy", from: "/srv/mysql/orders/data" },
  {
    host: machine,
    directory: "/srv/mysql/copy",
    port: 3308,
    from: "/srv/mysql/orders/data",
    rootPassword: "secret:rootPassword",
    accounts: [{ name: "reader", password: "secret:accounts.reader", grants: ["SELECT ON shop.*"] }],
    config: { max_connections: 50 },
    durability: "relaxed",
    confine: "adjust",
    state: "stopped",
    adopt: true,
  },
];
const copiedSettled = stagingSettled.map(({ mark, ...settled }) => ({
  ...settled,
  mark: mark && { ...mark, identity: mark.identity && { ...mark.identity, kind: "CopiedServer" } },
}));

const samples: Record<string, Omit<Sample, "room">> = {
  StagingDatabase: { written: stagingWritten, settled: stagingSettled },
  ReplicationChannel: { written: channelWritten, settled: channelSettled },
  CopiedServer: { written: copiedWritten, settled: copiedSettled },
  FileRoom: { written: fileWritten, settled: fileSettled },
};

/** Every room there is, and the one of the tests. A room without samples fails. */
export const everyRoom: readonly Sample[] = [...rooms, copiedServerRoom as AnyRoom, fileRoom as AnyRoom].map((room) => {
  const of = samples[room.kind];
  if (of === undefined) throw new Error(`test/contract/samples.ts has no samples of ${room.kind}`);
  return { room, ...of };
});
