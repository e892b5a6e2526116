import { sh } from "../../host/command";
import type { Host } from "../../host/host";
import { removeService } from "../../host/service/service";
import { releaseAlone } from "./allocation";
import { clearFunction, endBeforeRemoval, removeSeconds, requireRemovable } from "./data";
import type { InstancePlace } from "./instance";
import { ownEntries } from "./layout";
import { ensureOwnDirectory } from "./prepare";
import { servicePlaceOf } from "./service";

/**
 * Removes the unit and everything that Sluice created in the directory, the mark last; foreign files stay. May be
 * repeated.
 */
export async function removeInstance(host: Host, instance: InstancePlace): Promise<void> {
  const { layout, runtime } = instance;
  const { directory } = await requireRemovable(host, instance, "it cannot be removed");
  if (directory !== "absent") await ensureOwnDirectory(host, instance);
  await endBeforeRemoval(host, instance);
  await removeService(host, servicePlaceOf(instance));
  await releaseAlone(host, instance);
  const mark = layout.mark.slice(layout.directory.length + 1);
  const entries = ownEntries.filter((name) => name !== mark);
  await host.run(
    sh`
    [ -d ${layout.directory} ] || exit 0
    ${clearFunction}
    cd ${layout.directory} && clear ${entries} && rm -f -- ${mark} || exit
    cd / && rmdir ${layout.directory} 2>/dev/null; exit 0`,
    { asRoot: runtime.asRoot, withinSeconds: removeSeconds },
  );
}
