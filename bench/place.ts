import { readFile } from "node:fs/promises";
import { startLab, stopLab, type LabHost } from "../lab/index.ts";

export const labName = "bench";
/** Below it, both sides work: on the same file system. */
export const benchDirectory = "/srv/bench";

/** The lab of the benchmark: nothing runs in it but what is measured. */
export interface Place {
  readonly source: LabHost;
  readonly staging: LabHost;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly databases: readonly string[];
  /** Rows and indexes on the source, as its server estimates them. */
  readonly dataMegabytes: number;
}

export async function openPlace(dataMegabytes: number, say: (text: string) => void): Promise<Place> {
  await stopLab(labName, say); // an earlier run may have been cut off in the middle of anything
  const lab = await startLab({ name: labName, hosts: ["source", "staging"], dataMegabytes, log: say });
  const [source, staging] = [lab.host("source"), lab.host("staging")];
  if (source.mysql === undefined) throw new Error("the lab's source has no MySQL server");
  await source.run(["systemctl", "stop", "shop-load"]);
  await staging.run(["mkdir", "-p", benchDirectory]);
  const databases = ["shop", "analytics"];
  return {
    source,
    staging,
    address: source.address,
    port: source.mysql.port,
    user: source.mysql.user,
    password: (await readFile(source.mysql.passwordPath, "utf8")).trim(),
    databases,
    dataMegabytes: Number(await askSource(source, sizeQuery(databases))),
  };
}

export const closePlace = (say: (text: string) => void): Promise<void> => stopLab(labName, say);

export async function askSource(source: LabHost, query: string): Promise<string> {
  const { stdout } = await source.run(["mysql", "--batch", "--skip-column-names"], { stdin: query });
  return stdout.trim();
}

const sizeQuery = (databases: readonly string[]): string =>
  `SELECT ROUND(SUM(DATA_LENGTH + INDEX_LENGTH) / 1000000) FROM information_schema.TABLES
   WHERE TABLE_SCHEMA IN (${databases.map((name) => `'${name}'`).join(", ")})`;

/** Writes that an earlier run left pending are not counted as a cost of the next run. */
export const settle = async ({ source, staging }: Place): Promise<void> => {
  await Promise.all([source.run(["sync"]), staging.run(["sync"])]);
};

/** Processor time of everything in both hosts so far. Unlike the clock it hardly depends on what else this machine does. */
export async function readProcessorSeconds({ source, staging }: Place): Promise<number> {
  const used = await Promise.all(
    [source, staging].map(async (host) => {
      const { stdout } = await host.run(["cat", "/sys/fs/cgroup/cpu.stat"]);
      return Number(/^usage_usec (\d+)$/m.exec(stdout)?.[1]) / 1e6;
    }),
  );
  return used.reduce((sum, seconds) => sum + seconds, 0);
}
