import { isProblem, type SluiceError } from "../../provider/errors";
import type { HostReader } from "../../provider/host/host";
import { rootPasswordMatches } from "../../provider/mysql/instance/accounts/management";
import { readAccounts } from "../../provider/mysql/instance/accounts/changes";
import { accountsAsSeen } from "../../provider/mysql/instance/accounts/accounts";
import { findBinaries, type Binaries } from "../../provider/mysql/instance/binaries";
import { readInstance, type InstanceFacts } from "../../provider/mysql/instance/facts";
import { readConfinement, type Confinement } from "../../provider/mysql/instance/confine/confinement";
import { describeInit, type InitFile } from "../../provider/mysql/instance/init-file";
import { runtimeOf, type Runtime } from "../../provider/mysql/instance/instance";
import { layoutOf } from "../../provider/mysql/instance/layout";
import type { InstanceRecord } from "../../provider/mysql/instance/record";
import { changerOfJob } from "../../provider/mysql/instance/refusals";
import { readRunning, type RunningFacts, type RunningServer } from "../../provider/mysql/instance/running";
import { instanceHealth } from "../../provider/mysql/instance/status";
import { optionNames, parseOptionFile } from "../../provider/mysql/options/file";
import { readSeed, type SeedFacts } from "../../provider/mysql/seed/job";
import type { SeedRequest } from "../../provider/mysql/seed/request";
import { lookAtBackup } from "../../provider/mysql/seed/file/file";
import type { Backup } from "../../provider/mysql/seed/file/backup";
import { readSource } from "../../provider/mysql/seed/source/source";
import type { SeedSource } from "../../provider/mysql/seed/source/facts";
import { isDrifted as isVariableDrifted, isSameValue } from "../../provider/mysql/options/variables";
import { parseMarkFile } from "../../provider/mark/file";
import type { Mark } from "../../provider/mark/mark";
import { isSame } from "../../provider/plan/plan";
import type { Observed as ObservedOf, Readers } from "../../provider/room";
import type { ServerReach } from "../../provider/schema/connection";
import { endpointOf } from "../../provider/endpoint";
import { unseen, type ServerSeen, type Status } from "../../provider/status";
import { storageKindOf } from "../../provider/storage/kind";
import { isSameMount, notMounted, readMount, type Mount } from "../../provider/storage/mount";
import { isReadOnly, isSeeded, type Declaration } from "./schema";

/** What the mark of a staging database records. */
export interface StagingRecord extends InstanceRecord {
  /** The `reseed` text the data was seeded under. */
  readonly reseed: string | null;
  /** What the data is being seeded for, or was seeded for last. Absent where an earlier version of Sluice began the seeding. */
  readonly seeding?: SeedRequest;
  readonly seedPosition: SeedPosition;
  readonly sizeBytes: string | null;
}

/** Where the source stood when the seed was taken. */
export interface SeedPosition {
  readonly gtidSet: string | null;
  readonly file: string | null;
  readonly position: string | null;
}

export interface Settled {
  readonly directory: "absent" | "empty" | "ours" | "foreign files";
  readonly mark: Mark<StagingRecord> | null;
  readonly storageKind: string | null;
  /** The file system that its data is on, or would be. */
  readonly mount: Mount | null;
  /** Those that were there last where mysqld is gone now; null where nobody ever saw one. */
  readonly binaries: Binaries | null;
  readonly runtime: Runtime | null;
  /** A data directory without a mark: `adopt` takes it over as it is. */
  readonly unclaimedData: boolean;
  /** What stands on the host; null before the directory is ours. */
  readonly instance: {
    readonly running: boolean;
    readonly data: InstanceFacts["data"];
    readonly dataLink: string | null;
    readonly optionText: string | null;
    readonly unitText: string | null;
    readonly init: InitFile | null;
    /** It runs, and does not let its management account in. */
    readonly refusesUs: boolean;
    /** Paths of root's that another user can change. Absent in a state of an earlier version. */
    readonly loose?: InstanceFacts["loose"];
  } | null;
  /** A seeding runs, or has ended well and is not recorded yet. */
  readonly hasSeedJob?: boolean;
  /** What the server says; remembered from its last run while it is stopped. */
  readonly server: RunningFacts | null;
}

export interface Live {
  readonly seed: SeedFacts;
  readonly strangers: readonly string[];
  readonly portListener: InstanceFacts["portListener"];
  readonly surroundings: InstanceFacts["surroundings"];
  /** Looked at only where mysqld is still to be started, or to listen on another port. */
  readonly confinement: Confinement;
  /** Why there is no mysqld that could be started; null where there is one. */
  readonly binariesProblem: SluiceError | null;
  readonly source: SeedSource | null;
  readonly sourceProblem: SluiceError | null;
  /** The declared backup file, and why it cannot be loaded. */
  readonly backup: Backup | null;
  readonly backupProblem: SluiceError | null;
}

export type Observed = ObservedOf<Settled, Live>;

export const blank: Settled = {
  directory: "absent",
  mark: null,
  storageKind: null,
  mount: null,
  binaries: null,
  runtime: null,
  unclaimedData: false,
  instance: null,
  server: null,
};

/** In a state of version 1 owner, seal and record stand side by side in `marker`. */
export const migrate = ({ marker, ...settled }: Readonly<Record<string, unknown>>): Settled =>
  ({ ...settled, mark: marker == null ? null : parseMarkFile(JSON.stringify(marker), "") }) as unknown as Settled;

export async function observe(declared: Declaration, look: Readers, remembered: Settled | null): Promise<Observed> {
  const host = await look.host(declared.host);
  const layout = layoutOf(declared.directory);
  const facts = await host.facts();
  const runtime = runtimeOf(facts);
  const [instance, mount, found] = await Promise.all([
    readInstance(host, { layout, runtime, port: declared.port }),
    readMount(host, layout.data, runtime),
    findBinaries(host, { object: look.object, baseDirectory: declared.baseDirectory }),
  ]);
  const mark = parseMarkFile<StagingRecord>(instance.markText, look.object);
  requireMounted(declared, { ...instance, mark, mount }, look.object, remembered);
  const ours = mark !== null;
  const asked = instance.running && ours ? await readServer(declared, look, host) : null;
  const isPlanted = changerOfJob(layout, instance.loose) !== undefined;
  const seed: SeedFacts = ours && !isPlanted ? await readSeed(host, layout) : { state: "none", request: null };
  const settled: Settled = {
    directory: ours ? "ours" : instance.directory,
    mark,
    storageKind: storageKindOf(mount),
    mount,
    binaries: found.binaries ?? remembered?.binaries ?? null,
    runtime,
    unclaimedData: !ours && instance.data === "ready",
    instance: ours
      ? {
          running: instance.running,
          data: instance.data,
          dataLink: instance.dataLink,
          optionText: instance.optionText,
          unitText: instance.unitText,
          init: instance.initText === null ? null : describeInit(instance.initText),
          refusesUs: asked === "refused",
          loose: instance.loose,
        }
      : null,
    ...((seed.state === "running" || seed.state === "finished") && { hasSeedJob: true }),
    server: asked === null ? (remembered?.server ?? null) : typeof asked === "string" ? null : asked,
  };
  const origin = await readSourceIfNeeded(declared, look, settled);
  const place = { host, object: look.object, source: origin.source };
  return {
    settled,
    live: {
      seed,
      strangers: instance.strangers,
      portListener: instance.portListener,
      surroundings: instance.surroundings,
      confinement: await readConfinementIfNeeded(declared, host, settled),
      binariesProblem: found.problem,
      ...origin,
      ...(await readBackupIfNeeded(declared, place, settled)),
    },
  };
}

/** Not for what stands where it should: whoever moves it to another file system may do so. */
function requireMounted(
  declared: Declaration,
  found: Pick<Settled, "mark" | "mount"> & Pick<InstanceFacts, "data" | "dataLink">,
  object: string,
  remembered: Settled | null,
): void {
  if (remembered?.mount == null || remembered.mark === null || found.mount === null) return;
  if (isSameMount(remembered.mount, found.mount)) return;
  const { directory, data } = layoutOf(declared.directory);
  if (!isSame(found.mark?.identity, remembered.mark.identity))
    throw notMounted(object, directory, remembered.mount, found.mount);
  // Data may have a file system of its own; an empty one that was just mounted there is somebody's wish.
  const hadData = remembered.instance !== null && remembered.instance.data !== "absent";
  const isUnlinked = found.dataLink === null && remembered.instance?.dataLink != null;
  if (hadData && !isUnlinked && found.data === "absent" && !found.mount.point.startsWith(`${directory}/`))
    throw notMounted(object, data, remembered.mount, found.mount);
}

export const serverOf = ({ host, socket, user, passwordFile, port }: Declaration): ServerReach => ({
  host,
  socket,
  user,
  passwordFile,
  port,
});

/** A server that runs but does not let us in yet is being seeded or started: its facts come in the next round. */
async function readServer(declared: Declaration, look: Readers, host: HostReader): Promise<RunningServer> {
  const { config, configFile, rootPassword } = declared;
  return readRunning(() => look.mysql(serverOf(declared)), {
    variables: [...Object.keys(config).map(variableName), ...optionNames(parseOptionFile(configFile ?? ""))],
    rootPasswordMatches: async () =>
      rootPassword !== undefined && rootPasswordMatches(host, serverOf(declared), rootPassword),
    accounts: (mysql) => readAccounts(mysql, declared.accounts),
  });
}

export const variableName = (option: string): string =>
  option
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/^loose_/, "");

async function readConfinementIfNeeded(
  declared: Declaration,
  host: HostReader,
  { instance, server, binaries, runtime }: Settled,
): Promise<Confinement> {
  if (binaries === null || runtime === null) return null;
  if (instance?.running === true && [undefined, String(declared.port)].includes(server?.variables["port"])) return null;
  return readConfinement(host, { layout: layoutOf(declared.directory), runtime, binaries, port: declared.port });
}

/** The source is asked only while there is something to bring from it. */
async function readSourceIfNeeded(
  declared: Declaration,
  look: Readers,
  { mark }: Settled,
): Promise<Pick<Live, "source" | "sourceProblem">> {
  if (declared.source === undefined || isSeeded(declared, mark?.record) || declared.mode === "manual")
    return { source: null, sourceProblem: null };
  try {
    const mysql = await look.mysql({ ...declared.source, host: declared.host }, "source");
    return { source: await readSource(mysql, declared.source), sourceProblem: null };
  } catch (error) {
    if (isProblem(error)) return { source: null, sourceProblem: error };
    throw error;
  }
}

/** Before anything is touched for it. */
async function readBackupIfNeeded(
  declared: Declaration,
  { host, object, source }: { readonly host: HostReader; readonly object: string } & Pick<Live, "source">,
  { mark, runtime, unclaimedData }: Settled,
): Promise<Pick<Live, "backup" | "backupProblem">> {
  const { seed, mode, databases } = declared;
  const nothing = { backup: null, backupProblem: null };
  if (typeof seed !== "object" || mode === "manual" || runtime === null) return nothing;
  if (unclaimedData || isSeeded(declared, mark?.record)) return nothing;
  const { backup, problem } = await lookAtBackup(host, { object, runtime }, { path: seed.file, databases, source });
  return { backup, backupProblem: problem };
}

export const exists = (settled: Settled): boolean => settled.directory === "ours";

/** Output-only properties. */
export const outputs = (_declared: Declaration, { mark, server, storageKind }: Settled) => ({
  version: server?.version ?? null,
  serverUuid: server?.uuid ?? null,
  allocatedServerId: mark?.record.serverId ?? null,
  seedPosition: mark?.record.seedPosition ?? null,
  sizeBytes: mark?.record.sizeBytes ?? null,
  storageKind,
});

/** What is really set, in the declaration's words: the difference is drift. */
export function asDeclared(declared: Declaration, { mark, instance, server }: Settled): Record<string, unknown> {
  const state = instance?.running === true ? "running" : "stopped";
  const variables = server?.variables ?? {};
  const config = Object.fromEntries(
    Object.entries(declared.config).map(([name, value]) => {
      const variable = variableName(name);
      return [
        name,
        isVariableDrifted(variable, String(value), variables[variable], mark?.record.adjusted)
          ? variables[variable]
          : value,
      ];
    }),
  );
  const password = declared.rootPassword !== undefined && server !== null && !server.rootPasswordMatches;
  return {
    state,
    config,
    ...(variables["super_read_only"] !== undefined &&
      isDrifted(declared, variables["super_read_only"]) && {
        readOnly: !isReadOnly(declared),
      }),
    ...(password && { rootPassword: "(changed by somebody)" }),
    ...(server?.accounts !== undefined && { accounts: accountsAsSeen(declared.accounts, server.accounts) }),
  };
}

const isDrifted = (declared: Declaration, running: string): boolean =>
  !isSameValue("super_read_only", isReadOnly(declared) ? "ON" : "OFF", running);

/** Its line in the topology. */
export function statusOf(declared: Declaration, { settled, live }: Observed): Status {
  const { mark, instance } = settled;
  // What is remembered from its last run is not what is so now.
  const server = live !== null && instance?.running === true ? settled.server : null;
  const sealed = server?.variables["super_read_only"];
  const isSealed = sealed === undefined ? null : isSameValue("super_read_only", sealed, "ON");
  const endpoint = endpointOf(declared);
  const seen: ServerSeen =
    server === null
      ? unseen(endpoint)
      : {
          endpoint,
          version: server.version,
          isReadOnly: isSealed,
          binlogFormat: server.variables["binlog_format"] ?? null,
          hasGtids: server.variables["gtid_mode"] === "ON",
          health: null,
        };
  return {
    shows: { server: seen },
    json: { is: "server", server: seen },
    health: instanceHealth({
      isThere: mark !== null,
      isSeeded: mark?.record.phase === "complete",
      seeding: live?.seed.state ?? "none",
      isRunning: instance?.running === true,
      answers: server !== null,
      wanted: declared.state,
      isReadOnly: isSealed,
      wantsReadOnly: isReadOnly(declared),
      lacks: mark?.record.seeding?.ignored ?? [],
      errorLog: layoutOf(declared.directory).errorLog,
    }),
  };
}
