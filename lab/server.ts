import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { readIfThere, writeSecret } from "./disk.ts";
import type { LabHost, LabServer } from "./machine.ts";
import { awaitCondition } from "./wait.ts";

/** Crash recovery of a few hundred MB was measured at 2 s; a few GB on a busy disk need a minute. */
const answersWithinSeconds = 120;

/** What replicating, dumping (mysqldump, mydumper) and CLONE ask of an account on the source. */
const privileges = [
  "SELECT",
  "RELOAD",
  "PROCESS",
  "LOCK TABLES",
  "REPLICATION SLAVE",
  "REPLICATION CLIENT",
  "SHOW VIEW",
  "EVENT",
  "TRIGGER",
  "BACKUP_ADMIN",
];

/** Returns when the source's MySQL answers `SELECT 1` to the account callers use, over TCP with TLS. */
export async function ensureServer(host: LabHost, server: LabServer, log: (line: string) => void): Promise<void> {
  const asRoot = (statement: string) => host.run(["mysql", "--batch", "--skip-column-names"], { stdin: statement });
  await awaitCondition({ until: `MySQL on ${host.name} answers`, withinSeconds: answersWithinSeconds, log }, async () =>
    asRoot("SELECT 1"),
  );
  if ((await readIfThere(server.optionFile)) === undefined) {
    const password = randomBytes(18).toString("base64url"); // no character that SQL or an option file would have to quote
    await asRoot(
      `SET sql_log_bin = 0;
      DROP USER IF EXISTS ${server.user};
      CREATE USER ${server.user} IDENTIFIED BY '${password}';
      GRANT ${privileges.join(", ")} ON *.* TO ${server.user};`,
    );
    const ca = await host.run(["cat", "/var/lib/mysql/ca.pem"]);
    await writeFile(server.caPath, ca.stdout, { mode: 0o644 });
    await writeSecret(server.passwordPath, password);
    await writeSecret(server.optionFile, renderOptionFile(host, server, password));
  }
  const options = (await readIfThere(server.optionFile)) ?? "";
  // Through cat: what Node gives a child as standard input is a socket, which /dev/stdin cannot open.
  const asUser = "cat | mysql --defaults-file=/dev/stdin --ssl-ca=/var/lib/mysql/ca.pem --execute='SELECT 1'";
  await host.run(["sh", "-c", asUser], {
    stdin: options,
  });
}

function renderOptionFile(host: LabHost, server: LabServer, password: string): string {
  return `[client]
host=${host.address}
port=${server.port}
user=${server.user}
password="${password}"
ssl-ca=${server.caPath}
ssl-mode=VERIFY_CA
`;
}
