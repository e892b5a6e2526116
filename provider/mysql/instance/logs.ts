import { sh } from "../../host/command";
import type { HostReader } from "../../host/host";
import { readServiceOutput } from "../../host/service/service";
import { asServer, type Instance } from "./instance";
import { servicePlaceOf } from "./service";
import { sinceLastStart } from "./start-failure";

const logLines = 200; // a failed start of 9.7 writes about 20; InnoDB's own dumps are longer
const printedLines = 20; // mysqld prints a few lines until its log is open

/** What mysqld wrote since its last start: its log, and without an error in it what it printed before the log was open. */
export async function readLogs(
  host: HostReader,
  { layout, runtime }: Pick<Instance, "layout" | "runtime">,
  place = servicePlaceOf({ layout, runtime }),
): Promise<readonly string[]> {
  const [{ stdout: log }, printed] = await Promise.all([
    // As the user of mysqld: a symlink in its log directory would show a file of root's in our errors.
    host.query(sh`tail -n ${logLines} ${layout.errorLog} 2>/dev/null; exit 0`, asServer(runtime)),
    readServiceOutput(host, place, printedLines),
  ]);
  const lines = sinceLastStart(log);
  return lines.some((line) => /\[ERROR\]/.test(line)) ? lines : [...lines, ...printed];
}
