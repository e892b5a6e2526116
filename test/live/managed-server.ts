import { readFile } from "node:fs/promises";
import type { LabHost } from "../../lab/index.ts";
import type { SshAddress } from "../../provider/host/host";
import { borrowHost, closeHosts } from "../../provider/host/pool";
import type { Host } from "../../provider/host/host";
import { connectMysql } from "../../provider/mysql/client";
import type { MysqlClient } from "../../provider/mysql/reader";
import { parseAccountFile } from "../../provider/mysql/instance/accounts/management";
import { readBinaries, type Binaries } from "../../provider/mysql/instance/binaries";
import { runtimeOf, type Connect, type Instance } from "../../provider/mysql/instance/instance";
import { layoutOf, managementAccount } from "../../provider/mysql/instance/layout";
import { ensureDirectories, ensureOsUser, writeConfiguration } from "../../provider/mysql/instance/prepare";
import { initialiseData } from "../../provider/mysql/instance/data";
import { removeInstance } from "../../provider/mysql/instance/removal";
import { awaitAnswering, startInstance } from "../../provider/mysql/instance/start";
import { stopInstance } from "../../provider/mysql/instance/stop";
import { renderOptions, type OptionsWanted } from "../../provider/mysql/instance/options";
import { silent, type Report } from "../../provider/report";

export async function addressOf(host: LabHost, user = "root"): Promise<SshAddress> {
  return {
    address: host.address,
    user,
    privateKey: await readFile(host.privateKeyPath, "utf8"),
    hostKey: host.hostPublicKey,
  };
}

/** A managed server below a directory of its own, on one of the lab's hosts; `remove` leaves nothing. */
export interface ManagedServer {
  readonly host: Host;
  readonly instance: Instance;
  readonly connect: Connect;
  readonly report: Report & { readonly lines: readonly string[] };
  configure(changes?: Partial<OptionsWanted>): Promise<void>;
  create(changes?: Partial<OptionsWanted>): Promise<MysqlClient>;
  start(withinSeconds?: number): Promise<MysqlClient>;
  /** Killed when it has not stopped in this time. */
  stop(withinSeconds?: number): Promise<void>;
  remove(): Promise<void>;
}

export interface ServerWanted {
  readonly directory: string;
  readonly port: number;
  readonly user?: string;
  readonly sudo?: boolean;
  readonly binaries?: Partial<Binaries>;
  readonly runtime?: Partial<Instance["runtime"]>;
  /** How its data directory is made. Default: as the product does it. */
  readonly makeData?: (host: Host, instance: Instance) => Promise<void>;
}

export async function makeServer(labHost: LabHost, wanted: ServerWanted): Promise<ManagedServer> {
  const { host } = borrowHost({ ...(await addressOf(labHost, wanted.user)), sudo: wanted.sudo });
  const object = `server ${wanted.directory}@${labHost.name}:${wanted.port}`;
  const instance: Instance = {
    object,
    owner: "tests/live/server",
    layout: layoutOf(wanted.directory),
    runtime: { ...runtimeOf(await host.facts()), ...wanted.runtime },
    binaries: { ...(await readBinaries(host, { object })), ...wanted.binaries },
    port: wanted.port,
  };
  const open: MysqlClient[] = [];
  const disconnect = async () => {
    await Promise.all(open.splice(0).map((client) => client.close()));
  };
  const connect = async () => {
    await disconnect();
    const text = await host.readFile(instance.layout.accountFile);
    const password = text === undefined ? undefined : parseAccountFile(text);
    const address = { socket: instance.layout.socket, user: managementAccount, password };
    const client = await connectMysql(address, host, { object });
    open.push(client);
    return client;
  };
  const report = recording();
  const configure = (changes: Partial<OptionsWanted> = {}) => {
    const optionText = renderOptions({ instance, serverId: wanted.port, readOnly: true, config: {}, ...changes });
    return writeConfiguration(host, instance, { optionText });
  };
  const makeData = wanted.makeData ?? initialiseData;
  const start = async (withinSeconds = 60) => {
    await startInstance(host, instance);
    return awaitAnswering(host, instance, { connect, withinSeconds, report });
  };
  const stop = async (withinSeconds = 60) => {
    await disconnect();
    await stopInstance(host, instance, { withinSeconds, allowKill: true, report });
  };
  return {
    host,
    instance,
    connect,
    report,
    configure: async (changes) => {
      await configure(changes);
    },
    create: async (changes) => {
      await ensureOsUser(host, instance, report);
      await ensureDirectories(host, instance);
      await configure(changes);
      await makeData(host, instance);
      return start();
    },
    start,
    stop,
    remove: async () => {
      await stop(0); // its data goes: what a clean stop writes is for nobody
      await removeInstance(host, instance);
    },
  };
}

function recording(): Report & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  return { ...silent, lines, say: (text) => void lines.push(text), progress: (text) => void lines.push(text) };
}

export { requireLab } from "../harness/lab";
export { closeHosts };
