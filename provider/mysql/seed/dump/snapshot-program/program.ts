import { attemptPart } from "./attempt";
import { clientPart } from "./client";
import { watchPart } from "./watch";

/**
 * Opens mysqldump's snapshot at a known position of the source, and stops the dump when it makes other sessions of the source
 * wait. Perl, because a seeding outlives the connection that started it; no module but those of perl-base.
 *
 *     watch    looks: sessions that block the dump, sessions that wait for it, the length of the history list
 *     lock     holds LOCK TABLES ... READ for at most two seconds, one session for each attempt
 *     dump     mysqldump --single-transaction; its output is passed on when the attempt has succeeded
 *
 * Not FLUSH TABLES WITH READ LOCK: when it gives up behind a long statement, the tables of that statement stay flagged, and
 * every new statement on them waits (47 s seen). A LOCK TABLES ... READ that waits makes only writers of tables wait that it has
 * already been granted, and one that gives up leaves nothing behind.
 *
 * While the lock is held no transaction on those tables is half committed: one that has a row lock has a metadata lock, until
 * its GTID is in gtid_executed. So snapshot, GTID set and position are of one moment for all that is brought.
 */
export const snapshotProgram = `${clientPart}${attemptPart}${watchPart}`;
