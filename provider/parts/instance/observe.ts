import type { HostReader } from "../../host/host";
import { parseMarkFile } from "../../mark/file";
import { isSameObject, type Mark } from "../../mark/mark";
import { rootPasswordMatches } from "../../mysql/instance/accounts/management";
import { readAccounts } from "../../mysql/instance/accounts/changes";
import { findBinaries } from "../../mysql/instance/binaries";
import { readConfinement, type Confinement } from "../../mysql/instance/confine/confinement";
import { readInstance, type InstanceFacts } from "../../mysql/instance/facts";
import { describeInit } from "../../mysql/instance/init-file";
import { runtimeOf } from "../../mysql/instance/instance";
import { layoutOf, type Layout } from "../../mysql/instance/layout";
import type { InstanceRecord } from "../../mysql/instance/record";
import { readRunning, type RunningServer } from "../../mysql/instance/running";
import { optionNames, parseOptionFile } from "../../mysql/options/file";
import type { Readers } from "../../room";
import { storageKindOf } from "../../storage/kind";
import { isSameMount, readMount, type Mount, type Unmounted } from "../../storage/mount";
import { serverOf, variableName, type InstanceLive, type InstanceSettled } from "./facts";
import type { InstanceDeclaration } from "./schema";

/** What a room needs for its own observation. */
export interface InstanceSeen<Record extends InstanceRecord> {
  readonly host: HostReader;
  readonly layout: Layout;
  readonly settled: InstanceSettled<Record>;
  readonly live: InstanceLive;
}

/** `remembered`: for facts that cannot be seen now, such as the version of a stopped server. */
export async function observeInstance<Record extends InstanceRecord>(
  declared: InstanceDeclaration,
  look: Readers,
  remembered: InstanceSettled<Record> | null,
): Promise<InstanceSeen<Record>> {
  const host = await look.host(declared.host);
  const layout = layoutOf(declared.directory);
  const runtime = runtimeOf(await host.facts());
  const [found, mount, binaries] = await Promise.all([
    readInstance(host, { layout, runtime, port: declared.port }),
    readMount(host, layout.data, runtime),
    findBinaries(host, { object: look.object, baseDirectory: declared.baseDirectory }),
  ]);
  const mark = parseMarkFile<Record>(found.markText, look.object);
  const unmounted = findUnmounted(layout, { ...found, mark, mount }, remembered);
  const { strangers, portListener, surroundings } = found;
  const live = { strangers, portListener, surroundings, binariesProblem: binaries.problem, unmounted };
  if (unmounted !== null && remembered !== null)
    return { host, layout, settled: remembered, live: { ...live, confinement: null } };

  const asked = found.running && mark !== null ? await readServer(declared, look, host) : null;
  const settled: InstanceSettled<Record> = {
    directory: mark === null ? found.directory : "ours",
    mark,
    storageKind: storageKindOf(mount),
    mount,
    binaries: binaries.binaries ?? remembered?.binaries ?? null,
    runtime,
    unclaimedData: mark === null && found.data === "ready",
    instance: mark === null ? null : settleInstance(found, asked === "refused"),
    server: asked === null ? (remembered?.server ?? null) : typeof asked === "string" ? null : asked,
  };
  return {
    host,
    layout,
    settled,
    live: { ...live, confinement: await readConfinementIfNeeded(declared, host, settled) },
  };
}

const settleInstance = (found: InstanceFacts, refusesUs: boolean): NonNullable<InstanceSettled["instance"]> => ({
  running: found.running,
  data: found.data,
  dataLink: found.dataLink,
  optionText: found.optionText,
  unitText: found.unitText,
  init: found.initText === null ? null : describeInit(found.initText),
  refusesUs,
  loose: found.loose,
});

/** Null too if the object is in its directory: an administrator may move it to another file system. */
function findUnmounted(
  { directory, data }: Layout,
  found: Pick<InstanceFacts, "data" | "dataLink"> & { readonly mark: Mark | null; readonly mount: Mount | null },
  remembered: InstanceSettled | null,
): Unmounted | null {
  const [was, is] = [remembered?.mount ?? null, found.mount];
  if (remembered?.mark == null || was === null || is === null || isSameMount(was, is)) return null;
  if (!isSameObject(found.mark?.identity ?? null, remembered.mark.identity)) return { path: directory, was, is };
  // Data may have a file system of its own; an empty one that was just mounted there was mounted on purpose.
  const hadData = remembered.instance !== null && remembered.instance.data !== "absent";
  const isUnlinked = found.dataLink === null && remembered.instance?.dataLink != null;
  return hadData && !isUnlinked && found.data === "absent" && !is.point.startsWith(`${directory}/`)
    ? { path: data, was, is }
    : null;
}

/** A server that runs but refuses the login is being filled or started: its facts come in the next round. */
const readServer = async (declared: InstanceDeclaration, look: Readers, host: HostReader): Promise<RunningServer> => {
  const { config, configFile, rootPassword } = declared;
  return readRunning(() => look.mysql(serverOf(declared)), {
    variables: [...Object.keys(config).map(variableName), ...optionNames(parseOptionFile(configFile ?? ""))],
    rootPasswordMatches: async () =>
      rootPassword !== undefined && rootPasswordMatches(host, serverOf(declared), rootPassword),
    accounts: (mysql) => readAccounts(mysql, declared.accounts),
  });
};

async function readConfinementIfNeeded(
  { directory, port }: InstanceDeclaration,
  host: HostReader,
  { instance, server, binaries, runtime }: InstanceSettled,
): Promise<Confinement> {
  if (binaries === null || runtime === null) return null;
  if (instance?.running === true && [undefined, String(port)].includes(server?.variables["port"])) return null;
  return readConfinement(host, { layout: layoutOf(directory), runtime, binaries, port });
}
