import { SluiceError } from "../../errors";
import type { Host } from "../../host/host";
import { lookAtService, makeService, removeService, startService } from "../../host/service/service";
import type { MysqlClient, MysqlReader } from "../reader";
import { sql } from "../sql";
import { variableName } from "../terms";
import { readInstance } from "./facts";
import type { Instance, InstancePlace } from "./instance";
import { requireStopped } from "./refusals";
import { privatePlaceOf, privateServiceOf } from "./service";
import { awaitAnswering, type AnswerWait } from "./start";
import { stopInstance, type StopLimit } from "./stop";

/**
 * One boot in which only the management account reaches the server: for data that must be changed before it serves, or for a copy
 * of a server's data. `connect` uses `layout.privateSocket`.
 */
export interface PrivateBoot extends Omit<AnswerWait, "place"> {
  /** More words of mysqld's command line, such as `--skip-log-bin`. Must not hold a secret: the unit and `ps` show them. */
  readonly options?: readonly string[];
}

/**
 * Boots the data of the instance with its option file, but without network, replication and events, on a socket of its own.
 * mysqld is not started again when it ends, nor with the machine. May be repeated: finds a private server that already runs.
 * End it with `stopPrivately` before the instance itself is started.
 */
export async function startPrivately(host: Host, instance: Instance, boot: PrivateBoot): Promise<MysqlClient> {
  const place = privatePlaceOf(instance);
  if (!(await lookAtService(host, place)).running) {
    requireStopped(instance.object, await readInstance(host, instance), "its data cannot be booted privately");
    const service = privateServiceOf(instance, [...(boot.options ?? []), ...closing(instance)]);
    await makeService(host, service);
    await startService(host, service);
  }
  const mysql = await awaitAnswering(host, instance, { ...boot, place });
  try {
    await requireClosed(mysql, instance);
  } catch (error) {
    await stopPrivately(host, instance, { ...boot, allowKill: true });
    throw error;
  }
  return mysql;
}

/** Stops the private server cleanly and removes its service. May be repeated; does nothing where none was started. */
export async function stopPrivately(host: Host, place: InstancePlace, limit: StopLimit): Promise<void> {
  const service = privatePlaceOf(place);
  await stopInstance(host, place, limit, service);
  await removeService(host, service);
}

/** Last, so that no other option wins over them. */
const closing = ({ binaries }: Instance): readonly string[] => [
  "--skip-networking",
  "--loose-mysqlx=OFF",
  `--${variableName(binaries.server, "skip_replica_start")}`,
  "--event-scheduler=OFF",
  // Values of SET PERSIST are in the data directory and win over the command line.
  "--persisted-globals-load=OFF",
];

/** A plugin or a component may start what no option stops. */
export async function requireClosed(mysql: MysqlReader, { object }: Pick<Instance, "object">): Promise<void> {
  const row = await mysql.queryRow<{ closed: number; events: string; threads: number }>(
    sql`SELECT @@GLOBAL.skip_networking AS closed, @@GLOBAL.event_scheduler AS events, (SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE service_state <> 'OFF') + (SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE service_state <> 'OFF') AS threads`,
  );
  if (row?.closed === 1 && row.events !== "ON" && row.threads === 0) return;
  throw new SluiceError({
    code: "SERVER_START_FAILED",
    object,
    what: "the server does more than answer through its private socket, and was stopped",
    found: `skip_networking=${String(row?.closed)}, event_scheduler=${String(row?.events)}, ${String(row?.threads)} replication threads`,
    needs: "skip_networking=1, event_scheduler=OFF, no replication thread",
  });
}
