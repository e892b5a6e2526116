import { readCounters } from "../host/counters";
import { readMysqlCounters } from "../mysql/client";

/**
 * Starts counting; the returned function gives the cost of the operation. The counters belong to the process: the numbers
 * are an operation's own while no other operation runs at the same time. The benchmark reads the line.
 */
export function startCost(): (operation: string) => string {
  const [host, mysql] = [readCounters(), readMysqlCounters()];
  const startedAt = performance.now();
  return (operation) => {
    const [hostNow, mysqlNow] = [readCounters(), readMysqlCounters()];
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(3);
    return [
      `cost of ${operation}: ${seconds} s`,
      `connections ${String(hostNow.connections - host.connections)}`,
      `commands ${String(hostNow.sessions - host.sessions)}`,
      `streams ${String(hostNow.forwards - host.forwards)}`,
      `logins ${String(mysqlNow.connections - mysql.connections)}`,
      `statements ${String(mysqlNow.roundTrips - mysql.roundTrips)}`,
    ].join(", ");
  };
}
