import { isProblem, type SluiceError } from "../../provider/errors";
import type { HostReader } from "../../provider/host/host";
import {
  hashPassword,
  readChannel,
  readReplica,
  type ChannelFacts,
  type ReplicaFacts,
} from "../../provider/mysql/channel/facts";
import { lastFailure } from "../../provider/mysql/channel/errors/errors";
import { readFilterFile } from "../../provider/mysql/channel/filter-file";
import { directoryOfSocket } from "../../provider/mysql/instance/layout";
import { needsRoot, readTlsWords } from "../../provider/mysql/channel/tls-files";
import type { ChannelNames } from "../../provider/mysql/channel/errors/thread";
import { readChannelSource, type ChannelSource } from "../../provider/mysql/channel/source";
import { readRowMark } from "../../provider/mark/row";
import { isLeftWritable } from "../../provider/mysql/read-only";
import type { MysqlReader } from "../../provider/mysql/reader";
import type { Readers } from "../../provider/room";
import { isSameMount, readMount, type Mount, type Unmounted } from "../../provider/storage/mount";
import { blank, type ChannelRecord, type Observed, type Settled, type SettledChannel } from "./facts";
import { channelOf, markedAs, namesOf, replicaOf, sourceOf, type Declaration } from "./schema";

export async function observe(declared: Declaration, look: Readers, remembered: Settled | null): Promise<Observed> {
  let mysql: MysqlReader;
  try {
    mysql = await look.mysql(replicaOf(declared));
  } catch (error) {
    if (!isProblem(error, "SERVER_NOT_ANSWERING")) throw error;
    // The channels of a removed server are removed with it; a stopped server still has them.
    const place = await lookForServer(declared, look, remembered);
    const settled = place === "gone" ? blank : (remembered ?? blank);
    return { settled, live: { kind: "silent", problem: error, unmounted: typeof place === "object" ? place : null } };
  }
  const name = channelOf(declared);
  const host = declared.replica.host === undefined ? null : await look.host(declared.replica.host);
  const directory = directoryOf(declared);
  const [replica, channel, mark, isLeft, source, mount] = await Promise.all([
    readReplica(mysql, name),
    readChannel(mysql, name),
    readRowMark<ChannelRecord>(mysql, markedAs(declared)),
    isLeftWritable(mysql),
    readSource(declared, look),
    host === null || directory === null ? null : mountOf(host, directory),
  ]);
  const settled: Settled = {
    server: { version: replica.server.version, uuid: replica.uuid, serverId: replica.serverId },
    mark,
    ...(isLeft && { isLeftWritable: true }),
    channel:
      channel === null
        ? null
        : await settle(declared, channel, namesOf(look.object, declared, replica, channel), { replica, host }),
    mount,
  };
  return { settled, live: { kind: "seen", replica, channel, ...source } };
}

async function settle(
  declared: Declaration,
  channel: ChannelFacts,
  names: ChannelNames,
  { replica, host }: { readonly replica: ReplicaFacts; readonly host: HostReader | null },
): Promise<SettledChannel> {
  const { isPossible, text } = await readFilterFile(host, replica.dataDirectory, channelOf(declared));
  return {
    address: channel.address,
    port: channel.port,
    user: channel.user,
    passwordMatches: channel.passwordHash === hashPassword(declared.source.password),
    tls: await readTlsWords(host, channel.tls),
    connectRetrySeconds: channel.connectRetrySeconds,
    retryCount: channel.retryCount,
    heartbeatSeconds: channel.heartbeatSeconds,
    delaySeconds: channel.delaySeconds,
    autoPosition: channel.autoPosition,
    rules: channel.rules,
    filterFile: { isPossible, text },
    workers: channel.workers,
    receives: channel.receiver.state !== "stopped",
    applies: channel.applier.state !== "stopped",
    sourceUuid: channel.sourceUuid,
    failure: lastFailure(channel, names),
  };
}

/**
 * Asked through the replica's host, since that is where rows will come from. A source that is down is not an error
 * here.
 */
async function readSource(
  declared: Declaration,
  look: Readers,
): Promise<{ source: ChannelSource | null; sourceProblem: SluiceError | null }> {
  try {
    const mysql = await look.mysql(sourceOf(declared), "source");
    const withLogs = typeof declared.start === "object" && declared.start.file !== undefined;
    return { source: await readChannelSource(mysql, withLogs), sourceProblem: null };
  } catch (error) {
    if (isProblem(error)) return { source: null, sourceProblem: error };
    throw error;
  }
}

const directoryOf = ({ replica }: Declaration): string | null =>
  replica.host === undefined || replica.socket === undefined ? null : directoryOfSocket(replica.socket);

const mountOf = async (host: HostReader, directory: string): Promise<Mount | null> =>
  readMount(host, directory, { asRoot: await needsRoot(host) });

/** Without its directory there is no server, unless the file system that the directory was on is not mounted. */
async function lookForServer(
  declared: Declaration,
  look: Readers,
  remembered: Settled | null,
): Promise<"gone" | "there" | Unmounted> {
  const directory = directoryOf(declared);
  if (directory === null || declared.replica.host === undefined) return "there";
  const host = await look.host(declared.replica.host);
  if ((await host.inspect(directory, { asRoot: await needsRoot(host) })).kind !== "absent") return "there";
  const [was, is] = [remembered?.mount ?? null, await mountOf(host, directory)];
  return was !== null && is !== null && !isSameMount(was, is) ? { path: directory, was, is } : "gone";
}
