import { createHash } from "node:crypto";
import { sh } from "../../provider/host/command";
import type { Host } from "../../provider/host/host";
import type { Instance } from "../../provider/mysql/instance/instance";
import { groupsOf, initialSettings } from "../../provider/mysql/instance/options";
import { initialiseData } from "../../provider/mysql/instance/data";

const folder = "/srv/initialised";

/**
 * `initialiseData` for tests that are about something else: a host initialises once for each version and set of initial settings
 * (2 to 7 s), and every further server gets a copy that shares the blocks. The copy lacks what makes a server this server.
 */
export async function copyInitialisedData(host: Host, instance: Instance): Promise<void> {
  const { layout, runtime, binaries } = instance;
  if (!runtime.asRoot) return initialiseData(host, instance);
  const optionText = (await host.readFile(layout.optionFile, { asRoot: true })) ?? "";
  const madeWith = [binaries.mysqld, binaries.server, initialSettings(optionText, groupsOf(instance))];
  const kept = `${folder}/${createHash("sha256").update(JSON.stringify(madeWith)).digest("hex").slice(0, 12)}`;
  const { stdout } = await host.run(
    sh`
    [ ! -d ${layout.data} ] || { echo there; exit; }
    [ -d ${kept} ] || { echo missing; exit; }
    rm -rf ${layout.dataInitialising}
    cp -a --reflink=auto ${kept} ${layout.dataInitialising} && chown -R ${`${runtime.osUser}:`} ${layout.dataInitialising} &&
      mv -T ${layout.dataInitialising} ${layout.data}`,
    { asRoot: true },
  );
  if (stdout.trim() !== "missing") return;
  await initialiseData(host, instance);
  // Another test file may keep the same one in this moment: the first that has its name stays.
  await host.run(
    sh`
    mkdir -p ${folder} && making=$(mktemp -d ${folder}/making.XXXXXX) || exit
    cp -a --reflink=auto ${layout.data} "$making/data" && rm -f "$making"/data/auto.cnf "$making"/data/*.pem || exit
    mv -nT "$making/data" ${kept}; rm -rf "$making"`,
    { asRoot: true },
  );
}
