import { id } from "../../sql";
import type { ThreadError } from "../facts";
import { outsideStatement } from "../outside";
import { repair, sayRecipes, skip, tableOf, type Recipe } from "./recipes";
import type { ErrorEntry } from "./thread";

/** Every error of the applier with a text of its own; the first row that fits is used. */
export const applierErrors: readonly ErrorEntry[] = [
  {
    thread: "applier",
    errnos: [1205, 1213, 3572, 3101, 1180],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, other sessions of the replica held locks for too long",
    fix: () => "end the sessions that write on the replica, or keep it read-only (`readOnly` of the StagingDatabase)",
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
    what: "stopped applying, a row that the source inserted already exists on the replica",
    fix: (names, error) =>
      sayRecipes(names, [
        repair(
          names,
          "delete the row that was written on the replica; the source's row is applied in its place",
          `DELETE FROM ${tableOf(error)} WHERE <the row that the cause names>`,
        ),
        skip(names, error, "keep the row and skip the transaction; all its changes are lost on the replica"),
        seedAsInnodb(error),
      ]),
  },
  {
    thread: "applier",
    errnos: [1032],
    when: (_names, { table }) => table !== undefined && table.floatColumns.length > 0 && !table.isFoundByKey,
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a row is not found in a table with FLOAT columns and no key",
    fix: (names, error) => {
      const columns = error.table?.floatColumns ?? [];
      return sayRecipes(names, [
        {
          does: `if the data came by mysqldump: it rounded the values of ${columns.join(", ")} to six digits, so rows are not found again. Seed the replica by a clone, which copies them exactly (\`seed: "clone"\` and a changed \`reseed\` of the StagingDatabase)`,
        },
        {
          does: `if it cannot be cloned: on the source, make the columns DOUBLE (ALTER TABLE ${tableOf(error)} ${columns.map((column) => `MODIFY ${id(column).text} DOUBLE`).join(", ")}) or give the table a primary key, then seed again (\`reseed\`)`,
        },
        repair(
          names,
          "for this one row: give it the values that it had on the source before this change; the change is applied to it",
          `UPDATE ${tableOf(error)} SET <the values on the source> WHERE <the row that the change means>`,
        ),
        skip(names, error, "skip the transaction; all its changes are lost on the replica"),
      ]);
    },
  },
  {
    thread: "applier",
    errnos: [1032, 1176],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a row that the source changed is missing on the replica, or has other values there",
    fix: (names, error) =>
      sayRecipes(names, [
        repair(
          names,
          "put the row back as it was on the source before this change; the change is applied to it",
          `REPLACE INTO ${tableOf(error)} VALUES (<the row as it was on the source>)`,
        ),
        skip(names, error, "skip the transaction; all its changes are lost on the replica"),
        seedAsInnodb(error) ?? {
          does: "seed the replica again (`reseed` of the StagingDatabase) if more rows may differ",
        },
      ]),
  },
  {
    thread: "applier",
    errnos: [1396, 1410, 1141, 1147, 3523, 1269, 3530],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a statement names an account or role that the replica does not have",
    fix: (names, error) =>
      sayRecipes(names, [
        {
          does: 'keep statements on accounts out of the channel: add "mysql.%" to `filters.wildIgnoreTables` and run `pulumi up`; this statement is then ignored too',
        },
        skip(names, error, "skip this statement; the next one on an account may stop the applier again"),
      ]),
  },
  {
    thread: "applier",
    when: ({ rules }, error) => outsideStatement(error, rules) !== null,
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a statement changes a routine or event of a database that the filters exclude",
    fix: (names, error) =>
      sayRecipes(names, [
        {
          does: `run \`pulumi up --refresh\`: it skips this transaction, ${outsideStatement(error, names.rules) ?? ""}, and others like it`,
        },
        skip(names, error, "skip this transaction by hand; nothing that the channel brings is lost"),
      ]),
  },
  {
    thread: "applier",
    errnos: [1049, 1305, 1539],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a statement names a database, routine or event that the replica does not hold",
    fix: (names, error) =>
      sayRecipes(names, [
        repair(
          names,
          "create the database, routine or event that the cause names, as it was on the source",
          "<the CREATE statement>",
        ),
        skip(names, error, "skip the statement; what it makes or changes is missing on the replica"),
        {
          does: "seed the replica again with the other database too (`databases` and `reseed` of the StagingDatabase)",
        },
      ]),
  },
  {
    thread: "applier",
    errnos: [1146, 1051, 1824],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a table is missing on the replica",
    fix: (names, error) =>
      sayRecipes(names, [
        {
          does: "if the replica is to be without the table: add it to `filters.ignoreTables` and run `pulumi up`; this change is then ignored too",
        },
        repair(
          names,
          "create the table as it was on the source before this change, with the rows that the change needs",
          "<the CREATE TABLE statement>",
        ),
        skip(names, error, "skip the transaction; all its changes are lost on the replica"),
        { does: "seed the replica again (`reseed` of the StagingDatabase)" },
      ]),
  },
  {
    thread: "applier",
    errnos: [1054, 1091, 1072, 1364, 1136, 1677, 13146],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, a table has other columns or keys than on the source",
    fix: (names, error) =>
      sayRecipes(names, [
        repair(
          names,
          "give the table the columns and keys it had on the source before this change",
          `ALTER TABLE ${tableOf(error)} <the difference>`,
        ),
        skip(names, error, "skip the transaction if the replica already is as it leaves it; else its changes are lost"),
      ]),
  },
  {
    thread: "applier",
    errnos: [1007, 1050, 1060, 1061, 1304, 1537, 1359],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the object that a statement creates already exists on the replica",
    fix: (names, error) =>
      sayRecipes(names, [
        repair(
          names,
          "drop the object that was made on the replica, with all it holds; the source's statement creates it",
          dropOf[error.errno] ?? "<the DROP statement>",
        ),
        skip(names, error, "keep the object and skip the statement; it stays as it was made on the replica"),
      ]),
  },
  {
    thread: "applier",
    errnos: [1008, 1360],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the object that a statement drops does not exist on the replica",
    fix: (names, error) =>
      sayRecipes(names, [skip(names, error, "skip the statement: the replica already is as it leaves it")]),
  },
  {
    thread: "applier",
    errnos: [1290, 1836, 3100],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the replica refuses writes",
    fix: () => "check innodb_read_only and read-only tablespaces on the replica, then run `pulumi up` again",
  },
  {
    thread: "applier",
    errnos: [1593, 1594, 13121, 13122],
    code: "CHANNEL_APPLIER_FAILED",
    what: "stopped applying, the relay log is damaged",
    fix: () => "set relay_log_recovery = ON and restart the replica: it fetches the relay log again",
  },
];

/**
 * Null for a table of InnoDB. Tables of other engines are not in a dump's snapshot: their rows are of a later moment
 * than the dump's position.
 */
function seedAsInnodb(error: ThreadError): Recipe | null {
  const engine = error.table?.engine;
  if (engine === undefined || engine === "InnoDB") return null;
  return {
    does: `if the data came by mysqldump: the table's engine is ${engine}, so its rows are of a later moment than the dump's position. On the source: ALTER TABLE ${tableOf(error)} ENGINE = InnoDB; then seed again (\`reseed\` of the StagingDatabase)`,
  };
}

const dropOf: Readonly<Record<number, string>> = {
  1007: "DROP DATABASE <the database that the cause names>",
  1050: "DROP TABLE <the table that the cause names>",
  1060: "ALTER TABLE <the table> DROP COLUMN <the column that the cause names>",
  1061: "ALTER TABLE <the table> DROP INDEX <the key that the cause names>",
  1304: "DROP PROCEDURE <the procedure that the cause names>", // or FUNCTION: one number for both
  1359: "DROP TRIGGER <the trigger that the cause names>",
  1537: "DROP EVENT <the event that the cause names>",
};
