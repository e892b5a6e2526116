import { benchDirectory, type Place } from "./place";

// What an administrator types, as root on the staging host. Every phase says how long it took.

export const handDirectory = `${benchDirectory}/hand`;
const directory = handDirectory;
const unit = "sluice-bench-hand";

const begin = `
begin=$EPOCHREALTIME
phase() { end=$EPOCHREALTIME; echo "phase $1 $(echo "$end $begin" | awk '{ printf "%.3f", $1 - $2 }')"; begin=$end; }
cd ${directory}
on() { mysql --no-defaults --user=root --socket=${directory}/run/mysqld.sock --batch --skip-column-names "$@"; }
`;

/** From nothing to a server that answers, under systemd, as CLONE needs it. */
export const serverScript = `${begin}
install --directory --owner=mysql --group=mysql data run log tmp
chmod 755 . && chown root:mysql my.cnf && chmod 640 my.cnf
mysqld --no-defaults --initialize-insecure --user=mysql --datadir=${directory}/data 2>initialise.err
systemd-run --quiet --collect --unit=${unit} --property=Type=notify --property=LimitNOFILE=524288 \\
  --property=Restart=on-failure --property=RestartForceExitStatus=16 --setenv=MYSQLD_PARENT_PID=1 \\
  mysqld --defaults-file=${directory}/my.cnf </dev/null
until on --execute='SET GLOBAL super_read_only = 0' 2>/dev/null; do sleep 0.1; done
phase server
`;

export const dumpScript = ({ databases }: Place): string => `
mysqldump --defaults-file=source.cnf --single-transaction --source-data=2 --set-gtid-purged=ON \\
  --routines --triggers --events --databases ${databases.join(" ")} </dev/null | on
phase data
`;

/** CLONE ends with a restart, which cuts the session: 2013, or 3707 without a supervisor. */
export const cloneScript = ({ address, port, user, password }: Place): string => `
cat >clone.sql <<'END'
SET GLOBAL clone_valid_donor_list = '${address}:${String(port)}';
CLONE INSTANCE FROM '${user}'@'${address}':${String(port)} IDENTIFIED BY '${password}' REQUIRE SSL;
END
on <clone.sql 2>clone.err || grep -q '^ERROR \\(2006\\|2013\\) ' clone.err || { cat clone.err >&2; exit 1; }
until [ "$(on --execute='SELECT STATE FROM performance_schema.clone_status' 2>/dev/null)" = Completed ]; do sleep 0.1; done
on --execute='SET GLOBAL super_read_only = 0'
phase data
`;

/**
 * Through files, as these programs work. mydumper 0.10 cannot read the GTID set of a 9.x server, so it is queried
 * separately, from an idle source; myloader 0.10 cannot load routines, so mysqldump brings them.
 */
export const mydumperScript = ({ address, port, user, databases }: Place): string => `
gtids=$(mysql --defaults-file=source.cnf --batch --skip-column-names --execute='SELECT @@GLOBAL.gtid_executed' </dev/null)
mydumper --defaults-file=source.cnf --host=${address} --port=${String(port)} --user=${user} --ssl --verbose=1 \\
  --regex='^(${databases.join("|")})\\.' --triggers --trx-consistency-only --threads=4 --outputdir=dump </dev/null
on --execute='ALTER INSTANCE DISABLE INNODB REDO_LOG'
myloader --socket=${directory}/run/mysqld.sock --user=root --verbose=1 --threads=4 --directory=dump </dev/null
mysqldump --defaults-file=source.cnf --no-data --no-create-info --skip-triggers --set-gtid-purged=OFF \\
  --routines --events --databases ${databases.join(" ")} </dev/null | on
on --execute='ALTER INSTANCE ENABLE INNODB REDO_LOG'
on --execute="RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '$gtids'"
rm -r dump
phase data
`;

export const channelScript = ({ address, port, user, password }: Place, limitSeconds: number): string => `
gtids=$(mysql --defaults-file=source.cnf --batch --skip-column-names --execute='SELECT @@GLOBAL.gtid_executed' </dev/null)
cat >channel.sql <<'END'
CHANGE REPLICATION SOURCE TO SOURCE_HOST = '${address}', SOURCE_PORT = ${String(port)}, SOURCE_USER = '${user}',
  SOURCE_PASSWORD = '${password}', SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1;
START REPLICA;
END
on <channel.sql
missed=$(on --execute="SELECT WAIT_FOR_EXECUTED_GTID_SET('$gtids', ${String(limitSeconds)})")
[ "$missed" = 0 ] || { echo "not caught up" >&2; exit 1; }
running="SELECT COUNT(*) FROM performance_schema.replication_connection_status c JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME)
  WHERE c.SERVICE_STATE = 'ON' AND a.SERVICE_STATE = 'ON'"
until [ "$(on --execute="$running")" = 1 ]; do sleep 0.1; done
on --execute='SET GLOBAL super_read_only = 1'
phase channel
`;

export const endScript = `
systemctl stop ${unit} 2>/dev/null
systemctl reset-failed ${unit} 2>/dev/null
rm -rf ${directory}`;

export const sourceOptions = ({ address, port, user, password }: Place): string => `[client]
host=${address}
port=${String(port)}
user=${user}
password="${password}"
ssl-mode=REQUIRED
`;
