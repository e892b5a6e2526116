import type { AnyRoom } from "../../provider/room";
import { markOf, type Identity } from "../../provider/mark/mark";
import * as channel from "../../resources/replication-channel/facts";
import type { Written as ChannelWritten } from "../../resources/replication-channel/schema";
import * as staging from "../../resources/staging-database/facts";
import type { Written as StagingWritten } from "../../resources/staging-database/schema";
import { noRules } from "../../provider/mysql/channel/filters";
import { rooms } from "../../resources/rooms";
import { copiedServerRoom, type CopiedServerArgs } from "../harness/copied-server-room";
import { fileRoom, type FileRoomArgs, type Settled as FileSettled } from "../harness/file-room";

/** What a room is tried with: declarations as programs write them, and what was seen of the object at other times. */
export interface Sample {
  readonly room: AnyRoom;
  readonly written: readonly Record<string, unknown>[];
  readonly settled: readonly object[];
}

export const identityOf = (kind: string): Identity => ({ kind, name: "shop/dev/orders", seal: "one" });

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

const stagingIdentity = identityOf("StagingDatabase");
const record: staging.StagingRecord = {
  directory: "/srv/mysql/orders",
  phase: "complete",
  reseed: null,
  serverId: 1_000_001,
  sourceVariables: { sql_mode: "STRICT_TRANS_TABLES" },
  seedPosition: { gtidSet: "11111111-1111-1111-1111-111111111111:1-5", file: "binlog.000002", position: "157" },
  sizeBytes: "1048576",
  hasRootPassword: false,
};
const seeded: staging.Settled = {
  directory: "ours",
  mark: markOf(stagingIdentity, record),
  storageKind: "btrfs",
  mount: { point: "/srv", type: "btrfs", root: "/", source: "/dev/sdb1", uuid: "8f6f2f3a-0a4c-4d5e-9f6a-3d2f1e0c9b8a" },
  unclaimedData: false,
  binaries: {
    mysqld: "/usr/sbin/mysqld",
    server: { flavour: "mysql", version: "9.7.4" },
    baseDirectory: null,
    pluginDirectory: "/usr/lib/mysql/plugin",
    hasAuthSocket: true,
    hasClone: true,
    notifies: true,
    mysql: null,
    mysqldump: null,
  },
  runtime: { osUser: "mysql", connectedUser: "root", supervisor: "systemd", asRoot: true },
  instance: {
    running: true,
    data: "ready",
    dataLink: null,
    optionText: "[mysqld]\nport = 3306\n",
    unitText: "[Service]\n",
    init: { osUser: "root", digest: "e3b0c442" },
    refusesUs: false,
  },
  server: {
    version: "9.7.4",
    uuid: "22222222-2222-2222-2222-222222222222",
    variables: { super_read_only: "ON", read_only: "ON", event_scheduler: "OFF", max_connections: "151" },
    rootPasswordMatches: false,
  },
};
const stagingSettled: staging.Settled[] = [
  staging.blank,
  { ...staging.blank, directory: "empty", storageKind: "directory" },
  { ...staging.blank, directory: "foreign files", storageKind: "xfs" },
  { ...seeded, mark: markOf(stagingIdentity, { ...record, phase: "claimed", sizeBytes: null }), server: null },
  seeded,
  { ...seeded, instance: seeded.instance && { ...seeded.instance, running: false, optionText: null }, server: null },
  { ...seeded, mark: markOf({ ...stagingIdentity, name: "other/prod/orders" }, record) },
  { ...seeded, mark: markOf({ ...stagingIdentity, seal: "of another state" }, record) },
  {
    ...seeded,
    mark: markOf(stagingIdentity, { ...record, reseed: "2" }),
    runtime: { osUser: "me", connectedUser: "me", supervisor: "process", asRoot: false },
  },
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
    start: { gtidSet: "11111111-1111-1111-1111-111111111111:1-5", file: "binlog.000002", position: "157" },
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
const channelIdentity = identityOf("ReplicationChannel");
const channelRecord: channel.ChannelRecord = { caughtUp: true, start: null, ended: null };
const running: channel.SettledChannel = {
  address: "db-1",
  port: 3306,
  user: "sync",
  passwordMatches: true,
  tls: "required",
  connectRetrySeconds: 10,
  retryCount: 86_400,
  heartbeatSeconds: 30,
  delaySeconds: 0,
  autoPosition: true,
  rules: noRules,
  filterFile: { isPossible: true, text: null },
  workers: 4,
  receives: true,
  applies: true,
  sourceUuid: "11111111-1111-1111-1111-111111111111",
};
const replicating: channel.Settled = {
  server: { version: "9.7.4", uuid: "22222222-2222-2222-2222-222222222222", serverId: 2 },
  mark: markOf(channelIdentity, channelRecord),
  channel: running,
  mount: { point: "/srv", type: "btrfs", root: "/", source: "/dev/sdb1", uuid: "8f1d" },
};
const channelSettled: channel.Settled[] = [
  channel.blank,
  replicating,
  { ...replicating, channel: null },
  { ...replicating, mark: markOf(null, channelRecord) },
  { ...replicating, mark: markOf({ ...channelIdentity, name: "other/prod/orders" }, channelRecord) },
  { ...replicating, mark: markOf({ ...channelIdentity, seal: "of another state" }, channelRecord) },
  {
    ...replicating,
    mark: markOf({ ...channelIdentity, seal: null }, { caughtUp: false, start: "binlog.000009:4", ended: null }),
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
