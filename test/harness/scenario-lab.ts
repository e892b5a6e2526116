import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Lab, LabHost } from "../../lab/index.ts";
import type { Program } from "./program";

/** Where a scenario's staging database stands. Scenarios that run side by side have places of their own. */
export interface Place {
  readonly directory: string;
  readonly port: number;
  /** Address of the source, for scripts. */
  readonly source: string;
}

/** Everything any program of this floor asks for: examples and scenarios read the same keys. */
export async function configure(
  program: Program,
  lab: Lab,
  place: Place,
  stagingName = "staging",
): Promise<readonly string[]> {
  const staging = lab.host(stagingName);
  const { password, ...source } = await sourceOf(lab.host("source"));
  const sshKey = await readFile(staging.privateKeyPath, "utf8");
  await program.setPlain({
    source: JSON.stringify(source),
    directory: place.directory,
    port: String(place.port),
    host: JSON.stringify({ address: staging.address, user: staging.user, hostKey: staging.hostKeyFingerprint }),
  });
  await program.set("sourcePassword", password, "secret");
  await program.set("sshKey", sshKey, "secret");
  const keyLine = sshKey.split("\n")[2] ?? sshKey; // any line of the key's middle tells the key
  return [password, keyLine];
}

export async function configureSecondSource(program: Program, lab: Lab): Promise<readonly string[]> {
  const [shop, outlet] = [await sourceOf(lab.host("source")), await sourceOf(lab.host("source2"))];
  const plain = ({ password: _password, ...rest }: typeof shop) => JSON.stringify(rest);
  await program.setPlain({ shopSource: plain(shop), outletSource: plain(outlet) });
  await program.set("shopPassword", shop.password, "secret");
  await program.set("outletPassword", outlet.password, "secret");
  return [shop.password, outlet.password];
}

async function sourceOf(host: LabHost) {
  if (host.mysql === undefined) throw new Error(`host ${host.name} has no MySQL server`);
  const { port, user, passwordPath } = host.mysql;
  return { address: host.address, port, user, password: (await readFile(passwordPath, "utf8")).trim() };
}

/** One file with a dump of each database, as a user makes it of several sources. */
export async function makeBackup(lab: Lab, file: string, databases: Readonly<Record<string, string>>): Promise<void> {
  const dumps: string[] = [];
  for (const [source, database] of Object.entries(databases)) {
    const options = [
      "--single-transaction",
      "--set-gtid-purged=ON",
      "--source-data=2",
      "--routines",
      "--triggers",
      "--events",
    ];
    const { stdout } = await lab.host(source).run(["mysqldump", ...options, "--hex-blob", "--databases", database]);
    dumps.push(stdout);
  }
  const staging = lab.host("staging");
  await staging.run(["mkdir", "-p", path.dirname(file)]);
  await staging.run(["tee", file], { stdin: dumps.join("\n") });
}

/** Statements on a source as root, or on the staging server of a place as its management account. Gives what they print. */
export async function runSql(host: LabHost, statements: string, place?: Place): Promise<string> {
  const mysql = ["mysql", "--batch", "--skip-column-names"];
  const command =
    place === undefined
      ? mysql
      : ["runuser", "-u", host.user, "--", ...mysql, `--socket=${place.directory}/run/mysqld.sock`];
  return (await host.run(command, { stdin: statements })).stdout.trim();
}

/** A script as root, which finds the place in its environment. */
export async function runScript(host: LabHost, script: string, place: Place): Promise<string> {
  const environment = [`SOURCE=${place.source}`, `DIRECTORY=${place.directory}`, `PORT=${String(place.port)}`];
  return (await host.run(["env", ...environment, "sh", "-eu"], { stdin: script })).stdout.trim();
}

/** What of ours is left on the host; empty after a destroy. Lock files stay: removing one would let two runs hold it. */
export async function findTraces(host: LabHost, place: Place): Promise<string> {
  const script = `
    [ ! -e "$DIRECTORY" ] || echo "directory $DIRECTORY: $(ls -A "$DIRECTORY" | tr '\\n' ' ')"
    grep -rlF "$DIRECTORY/" /etc/systemd/system /run/systemd 2>/dev/null || :
    grep -rlF "\"$DIRECTORY\"" /var/lib/sluice 2>/dev/null || :
    for p in /proc/[0-9]*; do
      tr '\\0' ' ' <"$p/cmdline" 2>/dev/null | grep -F "$DIRECTORY/" | sed "s|^|process $p: |" || :
    done
    ss -Hltn "sport = :$PORT" | sed "s|^|listens: |"
  `;
  return runScript(host, script, place);
}

/** After a test that failed: whatever stands at the place goes. */
export async function clearPlace(host: LabHost, place: Place): Promise<void> {
  const script = `
    for unit in $(grep -rlF "$DIRECTORY/" /etc/systemd/system | xargs -rn1 basename); do
      systemctl kill --signal=KILL "$unit" || :
      systemctl disable --now "$unit" || :
      rm -f "/etc/systemd/system/$unit"
    done
    systemctl daemon-reload
    rm -rf -- "$DIRECTORY"
  `;
  await runScript(host, script, place);
}
