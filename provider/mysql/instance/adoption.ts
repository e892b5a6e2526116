import { sh } from "../../host/command";
import type { Host } from "../../host/host";
import { keptVariables } from "../seed/source/source";
import type { Instance } from "./instance";
import { groupsOf } from "./options";

/**
 * A directory that is taken over may have an option file; Sluice's file replaces it. Returns the settings that its data
 * depends on: the source's settings are another server's, and with another innodb_page_size or lower_case_table_names
 * it would not start.
 */
export async function keepOptionFile(host: Host, instance: Instance): Promise<Readonly<Record<string, string>>> {
  const { layout, runtime } = instance;
  const { optionFile } = layout;
  await host.run(sh`[ ! -e ${optionFile} ] || cp -pn ${optionFile} ${`${optionFile}.before-sluice`}`, runtime);
  return keptVariables((await host.readFile(optionFile, runtime)) ?? "", groupsOf(instance));
}
