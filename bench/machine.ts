import { cpus, loadavg, totalmem } from "node:os";
import { labName, type Place } from "./place";
import { requirePulumi } from "../scripts/pulumi-cli/cli";

/** What the numbers depend on. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGigabytes: number;
  readonly load: string;
  readonly fileSystems: string;
  readonly settings: string;
  readonly versions: string;
}

const variables = ["innodb_flush_log_at_trx_commit", "sync_binlog", "innodb_flush_method", "innodb_buffer_pool_size"];

/** Processes that wanted to run in the last minute, on average. */
export const readLoad = (): number => loadavg()[0] ?? NaN;

export async function readMachine({ source, staging }: Place, loadBefore: number): Promise<Machine> {
  const text = async (host: typeof source, command: string): Promise<string> =>
    (await host.run(["sh", "-c", command])).stdout.trim().replaceAll(/\s+/g, " ");
  const query = variables.map((name) => `'${name}=', @@${name}`).join(", ' ', ");
  const cli = await requirePulumi(() => undefined);
  const kind = (directory: string) => `findmnt --noheadings --output FSTYPE --target ${directory}`;
  const [processor] = cpus();
  return {
    cores: cpus().length,
    processor: processor?.model ?? "unknown",
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    load: `${loadBefore.toFixed(1)} before, ${readLoad().toFixed(1)} after`,
    fileSystems: `source ${await text(source, kind("/var/lib/mysql"))}, staging ${await text(staging, kind("/srv"))} on a loop device`,
    settings: `${await text(source, `mysql --batch --skip-column-names --execute="SELECT CONCAT(${query})"`)} (source; staging the same but for a buffer pool of 128 MB)`,
    versions: [
      await text(staging, "mysqld --version | sed 's/.*Ver /mysqld /; s/ for .*//'"),
      (await text(staging, "mydumper --version")).replace(/, built.*/, ""),
      `pulumi ${cli.version}`,
      `node ${process.version}`,
      `lab ${labName}`,
    ].join(", "),
  };
}
