/** Objects as `sluice status` sees them: what the rooms say of observed facts. Every word is the one that a user reads. */
import type { Sight } from "../../../../commands/status/look";
import type { SluiceError } from "../../../../provider/errors";
import { hostUnreachable } from "../../../../provider/host/ssh/errors";
import type { ThreadError } from "../../../../provider/mysql/channel/facts";
import { connectError } from "../../../../provider/mysql/fault/fault";
import type { AnyRoom } from "../../../../provider/room";
import { rooms } from "../../../../resources/rooms";
import { hostAt } from "../../../samples/host";
import * as channels from "../../../samples/replication-channel";
import { runningInstance, sourceUuid } from "../../../samples/server";
import * as staging from "../../../samples/staging-database";

const roomOf = (kind: string): AnyRoom & Required<Pick<AnyRoom, "status">> => {
  const room = rooms.find((one) => one.kind === kind);
  if (room?.status === undefined) throw new Error(`${kind} has no status`);
  return room as never;
};

/** A server: its host, its port and its directory. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly directory: string;
}

export function stagingDatabase(
  name: string,
  { host, port, directory }: Place,
  { isRunning = true, problem = null }: { readonly isRunning?: boolean; readonly problem?: SluiceError | null } = {},
): Sight {
  const room = roomOf("StagingDatabase");
  const declared = staging.declare({ host: hostAt(host), directory, port });
  const variables = { super_read_only: "ON", binlog_format: "ROW", gtid_mode: "ON" };
  const seen = staging.settled(declared);
  const settled = {
    ...seen,
    instance: { ...runningInstance, running: isRunning },
    server: seen.server && { ...seen.server, variables },
  };
  const live = problem === null ? staging.quiet : null;
  return sightOf(room, name, declared, { settled, live }, problem);
}

export interface ChannelSeen {
  readonly lagSeconds?: number;
  readonly applierError?: ThreadError;
  readonly sourceVersion?: string;
  readonly sourceProblem?: SluiceError;
  readonly problem?: SluiceError;
}

export function replicationChannel(
  name: string,
  from: string,
  { host, port, directory }: Place,
  seen: ChannelSeen = {},
): Sight {
  const room = roomOf("ReplicationChannel");
  const { lagSeconds = 0, applierError = null, sourceProblem = null, sourceVersion: version = "9.7.4", problem } = seen;
  const declared = channels.declare({
    channel: name,
    replica: { host: hostAt(host), socket: `${directory}/run/mysqld.sock`, port, user: "sluice" },
    source: { address: from, user: "repl", password: "pw" },
  });
  const { applier } = channels.channelFacts();
  const live = channels.live({
    channel: channels.channelFacts({
      applier: { ...applier, lagSeconds, ...(applierError && { state: "stopped", error: applierError }) },
    }),
    source: sourceProblem === null ? channels.source({ server: { flavour: "mysql", version } }) : null,
    sourceProblem,
  });
  const settled = channels.settled(channels.settledChannel(declared));
  return sightOf(room, name, declared, { settled, live: problem === undefined ? live : null }, problem ?? null);
}

function sightOf(
  room: AnyRoom & Required<Pick<AnyRoom, "status">>,
  name: string,
  declared: object,
  seen: { readonly settled: object; readonly live: object | null },
  problem: SluiceError | null,
): Sight {
  const object = room.object(declared, name);
  return { name, kind: room.kind, object, status: room.status(declared, seen, object), steps: [], problem };
}

const failure = (code: string) => Object.assign(new Error(code), { code });

const stage1 = { host: "stage-1.example.net", port: 3307, directory: "/srv/mysql/orders" };
const stage2 = { host: "stage-2.example.net", port: 3307, directory: "/srv/mysql/search" };
const stage3 = { host: "stage-3.example.net", port: 3310, directory: "/srv/mysql/archive" };
const legacy = { host: "stage-1.example.net", port: 3320, directory: "/srv/mysql/legacy" };
const stage2Off = hostUnreachable(`host root@${stage2.host}:22`, stage2.host, 22, failure("ETIMEDOUT"));
const duplicate = {
  errno: 1062,
  message: "Could not execute Write_rows event on table shop.orders; Duplicate entry '7' for key 'orders.PRIMARY'",
  transaction: `${sourceUuid}:51`,
};
const oldSource = "db-old.example.net";
const oldSourceDown = connectError(failure("ECONNREFUSED"), {
  object: `source repl@${oldSource}:3306`,
  user: "repl",
  role: "source",
  secrets: [],
});

const home = { host: "198.19.188.21", port: 3307, directory: "/srv/mysql/shop" };
export const quickstart: readonly Sight[] = [
  stagingDatabase("shop", home),
  replicationChannel("shop", "198.19.188.11", home),
];

export const badDay: readonly Sight[] = [
  stagingDatabase("orders", stage1),
  replicationChannel("orders", "db-prod-1", stage1, { lagSeconds: 3 }),
  replicationChannel("billing", "db-prod-2.example.net", stage1, {
    sourceVersion: "8.0.43",
    applierError: duplicate,
  }),
  stagingDatabase("search", stage2, { problem: stage2Off }),
  replicationChannel("search", "db-prod-1", stage2, { problem: stage2Off }),
  stagingDatabase("archive", stage3, { isRunning: false }),
  stagingDatabase("legacy", legacy),
  replicationChannel("legacy", oldSource, legacy, { sourceProblem: oldSourceDown }),
];
