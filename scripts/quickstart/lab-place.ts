import { readFile } from "node:fs/promises";
import { startLab } from "../../lab/index.ts";
import type { Place } from "./place";

export const labName = "quickstart";
const directory = "/srv/mysql/shop";

/** Two hosts on this machine: a production-like source under light load, and a staging host with a copy-on-write file system. */
export async function labPlace(say: (text: string) => void): Promise<Place> {
  const lab = await startLab({ name: labName, hosts: ["source", "staging"], log: say });
  const [source, staging] = [lab.host("source"), lab.host("staging")];
  const server = source.mysql;
  if (server === undefined)
    throw new Error("the lab's source has no MySQL server; `npm run quickstart:down` and start again");
  return {
    intro: `two hosts of a lab on this machine: source ${source.address}, staging ${staging.address}`,
    source: { address: source.address, port: server.port, user: server.user },
    sourcePassword: (await readFile(server.passwordPath, "utf8")).trim(),
    host: { address: staging.address, user: staging.user, hostKey: staging.hostKeyFingerprint },
    sshKey: await readFile(staging.privateKeyPath, "utf8"),
    directory,
    port: 3307,
    sourceSql: async (statement) =>
      (await source.run(["mysql", "--batch", "--skip-column-names"], { stdin: statement })).stdout,
    stagingSql: async (statement) =>
      (
        await staging.run(
          [
            "runuser",
            "-u",
            staging.user,
            "--",
            "mysql",
            "--batch",
            "--skip-column-names",
            `--socket=${directory}/run/mysqld.sock`,
          ],
          {
            stdin: statement,
          },
        )
      ).stdout,
    lookAround: [
      `npm run lab -- ssh --name ${labName} staging                     a shell on the staging host`,
      `npm run lab -- mysql --name ${labName} source                    the source's own client`,
      `npm run lab -- ssh --name ${labName} staging mysql --socket=${directory}/run/mysqld.sock`,
    ],
  };
}
