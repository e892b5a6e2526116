import { readFile } from "node:fs/promises";
import path from "node:path";
import type { LabHost } from "../lab/index.ts";
import { openProgram, type Program } from "../test/harness/program";
import { benchDirectory, type Place } from "./place";
import { time } from "./program";
import { peersOf, type OwnRow, type RowName } from "./rows";

const servers = 10; // on each host: ten sources, ten replicas, a channel between any two
const [sourcePort, replicaPort] = [3400, 3500];
const directory = `${benchDirectory}/many`;
const password = "followed by a hundred";

/** A hundred channels between servers that hold nothing. */
export interface Many {
  run(row: RowName, plain: Program, limitSeconds: number): Promise<number>;
  close(): Promise<void>;
}

/** The rows about them that are asked for, with their peers. */
export const manyRows = (only: readonly OwnRow[]): readonly RowName[] =>
  only.filter((row) => row.endsWith("-100-channels")).flatMap((row): RowName[] => [row, ...peersOf[row]]);

export async function openMany(place: Place, limitSeconds: number, say: (text: string) => void): Promise<Many> {
  const { source, staging } = place;
  say(`starting ${String(servers)} sources and ${String(servers)} replicas, and a hundred channels`);
  await start(source, sourcePort);
  await start(staging, replicaPort);
  const program = await openProgram("bench-many", path.join(__dirname, "programs", "many"));
  const host = { address: staging.address, user: staging.user, hostKey: staging.hostKeyFingerprint };
  await program.setPlain({
    host: JSON.stringify(host),
    directory,
    source: source.address,
    servers: String(servers),
    sourcePort: String(sourcePort),
    replicaPort: String(replicaPort),
  });
  await program.set("sourcePassword", password, "secret");
  await program.set("sshKey", await readFile(staging.privateKeyPath, "utf8"), "secret");
  await time(program, ["up", "--yes", "--skip-preview"], limitSeconds);
  const pulumi = async (which: Program, ...words: string[]) => (await time(which, words, limitSeconds)).seconds;
  return {
    run: async (row, plain) => {
      if (row === "status-100-channels") return timeStatus(program);
      if (row === "pulumi-stack-export") return pulumi(program, "stack", "export", "--show-secrets");
      return pulumi(row === "refresh-100-channels" ? program : plain, "refresh", "--yes", "--skip-preview");
    },
    close: async () => {
      await program.remove();
      for (const at of [source, staging]) await at.run(["sh", "-c", stopScript]);
    },
  };
}

async function timeStatus(program: Program): Promise<number> {
  const startedAt = performance.now();
  const { code, output } = await program.sluice(["status"]);
  if (code !== 0) throw new Error(`sluice status ended with ${String(code)}\n${output}`);
  return (performance.now() - startedAt) / 1000;
}

const start = (host: LabHost, firstPort: number) =>
  host.run(["bash", "-euo", "pipefail", "-s"], { stdin: startScript(firstPort) });

/**
 * Small servers from one initialised data directory. Without native AIO, because the kernel counts its slots for the whole machine
 * (fs.aio-max-nr: 65,536) and a server takes 3,000.
 */
const startScript = (firstPort: number): string => `
mkdir -p ${directory} && chown mysql:mysql ${directory} && chmod 755 ${directory} && cd ${directory}
[ -d seed ] || mysqld --no-defaults --initialize-insecure --user=mysql --datadir=${directory}/seed 2>initialise.err
rm -f seed/auto.cnf
for i in $(seq ${String(servers)}); do
  at=${directory}/$i; port=$((${String(firstPort)} + i))
  mkdir -p $at/run && cp -a --reflink=auto seed $at/data && chown mysql:mysql $at $at/run
  systemd-run --quiet --collect --unit=sluice-bench-many-$i mysqld --no-defaults --user=mysql --datadir=$at/data \\
    --socket=$at/run/mysqld.sock --pid-file=$at/run/pid --port=$port --server-id=$port --log-error=$at/error.log --mysqlx=OFF \\
    --innodb-use-native-aio=OFF --innodb-buffer-pool-size=16M --innodb-redo-log-capacity=8M --table-open-cache=100 \\
    --gtid-mode=ON --enforce-gtid-consistency=ON --replica-parallel-workers=1 --plugin-load-add=auth_socket.so
done
for i in $(seq ${String(servers)}); do
  on() { mysql --no-defaults --user=root --socket=${directory}/$i/run/mysqld.sock "$@"; }
  for try in $(seq 300); do on --execute='DO 0' 2>/dev/null && break; sleep 0.2; done
  on <<'END'
SET SESSION sql_log_bin = 0;
CREATE USER repl@'%' IDENTIFIED BY '${password}';
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@'%';
CREATE USER sluice@localhost IDENTIFIED WITH auth_socket;
GRANT ALL ON *.* TO sluice@localhost WITH GRANT OPTION;
END
done`;

const stopScript = `systemctl stop 'sluice-bench-many-*'; rm -rf ${directory}`;
