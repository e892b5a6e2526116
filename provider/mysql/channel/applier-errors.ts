import { startReplica, stopReplica } from "../terms";
import type { ThreadError } from "./facts";
import type { ChannelNames, ErrorEntry } from "./thread-error";

/** Every error of the applier that has words of its own; the first line that fits counts. */
export const applierErrors: readonly ErrorEntry[] = [
  {
    thread: "applier",
    errnos: [1205, 1213, 3572, 3101, 1180],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, other sessions of the replica held locks for too long",
    fix: () => "end what writes on the replica, or keep it read-only (`readOnly` of the StagingDatabase)",
    passes: true,
  },
  {
    thread: "applier",
    errnos: [1114],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a table of the replica is full",
    fix: () =>
      "for a MEMORY table set max_heap_table_size on the replica to at least the source's value (`config` of the StagingDatabase); for any other table free space on the replica's disk; then run `pulumi up` again",
    passes: true,
  },
  {
    thread: "applier",
    errnos: [1021, 1026, 1030, 1206, 1041, 1135],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the replica ran out of space or memory",
    fix: () => "free space on the replica's disk, then run `pulumi up` again",
    passes: true,
  },
  {
    thread: "applier",
    errnos: [1062, 1586],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a row of the source is already there on the replica",
    fix: (names, error) =>
      `somebody wrote on the replica: delete that row there, or pass the transaction over; then start: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1032, 1176],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a row that the source changed is not there on the replica",
    fix: (names, error) =>
      `somebody deleted on the replica: put that row back, or pass the transaction over; then start: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1396, 1410, 1141, 1147, 3523, 1269, 3530],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a statement names an account or role that the replica does not have",
    fix: (names, error) =>
      `let account statements of the source pass by: filters.wildIgnoreTables ["mysql.%"]; and pass this one over: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1049, 1305, 1539],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a statement is about a database, routine or event that the replica does not hold",
    fix: (names, error) =>
      `bring that database too (\`databases\` of the StagingDatabase) or keep its tables out by filters, which do not reach routines and events; and pass this transaction over: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1146, 1051, 1054, 1091, 1072, 1364, 1136, 1824, 1677, 13146],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a table is missing or has other columns than on the source",
    fix: (names, error) =>
      `make the table as it is on the source, widen the filters, or seed again; then start: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1007, 1008, 1050, 1060, 1061, 1304, 1537, 1304, 1359, 1360],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, what a statement makes or removes is already there or gone on the replica",
    fix: (names, error) => `pass the transaction over if the replica is right as it is: ${passOver(names, error)}`,
  },
  {
    thread: "applier",
    errnos: [1290, 1836, 3100],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the replica refuses writes",
    fix: () =>
      "the tables are sealed (read-only tablespaces or options): check read_only and innodb_read_only on the replica",
  },
  {
    thread: "applier",
    errnos: [1593, 1594, 13121, 13122],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the relay log is damaged",
    fix: () => "set relay_log_recovery = ON and restart the replica: it fetches the relay log anew",
  },
];

/** The statements that let the applier go on behind a transaction; MySQL's manual, "Skipping Transactions With GTIDs". */
export function passOver({ channel, server }: ChannelNames, { transaction }: ThreadError): string {
  const start = startReplica(server, channel).display;
  if (!/^[0-9a-f-]{36}:/i.test(transaction)) return start;
  const stop = stopReplica(server, channel).display;
  return `${stop}; SET GTID_NEXT = '${transaction}'; BEGIN; COMMIT; SET GTID_NEXT = 'AUTOMATIC'; ${start}`;
}
