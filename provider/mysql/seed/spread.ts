import { type Command, sh } from "../../host/command";
import type { Files } from "./client-options";

/**
 * Loads a dump of ours through several sessions at once. mysqldump writes the rows of a table as one INSERT a line, about a
 * megabyte each, and their order does not matter; everything else keeps its place. So the lines of a table that has many go to
 * sessions in turns, after what stands before them was executed, and what stands behind them waits until they were.
 *
 *     tee | awk --> session 0: databases, tables, small tables, triggers, routines, views
 *             `---> session 1..n: rows of one large table
 *
 * Not for what somebody else has written: there a line may depend on the one before (`SET @x`, `START TRANSACTION`).
 */
export const spreadFiles = {
  program: "spread.awk",
  session: "session.sh",
  /** Not there: no session has failed. */
  failed: "failed",
} as const;

const aloneLines = 4; // below 4 MB, opening sessions costs more than they gain (15 ms each, a line takes 100 ms: measured)
const mostSessions = 8; // then one mysqldump no longer keeps up: 100 MB/s of text (measured), 15 MB/s a session

/** A session's first words: mysqldump's own settings (character set, checks, no binary log), and each line a transaction. */
const spreadProgram = `
function session(k) { return "sh ${spreadFiles.session} " k }
function say(k) {
  if (!(k in open)) { open[k] = 1; print preamble "SET SESSION autocommit = 1;\\n" use | session(k) }
  print | session(k)
  if (k) fflush(session(k))
}
function end(k) { if (k in open) { close(session(k)); delete open[k] } }
function endAll(k) {
  for (k = 0; k <= sessions; k++) end(k)
  if ((getline line < "${spreadFiles.failed}") > 0) exit 1
  close("${spreadFiles.failed}")
}
BEGIN { sessions = cores < ${mostSessions} ? cores + 1 : ${mostSessions} }
!begun && /^(-- Current Database: |CREATE |USE )/ { begun = 1 }
!begun { preamble = preamble $0 "\\n"; next }
/^DELIMITER / { body = ($2 != ";") }
!body && /^USE / { use = $0 }
!body && /^INSERT INTO / && substr($0, length($0)) == ";" {
  rows++
  if (rows == ${aloneLines} + 1) endAll()
  say(rows > ${aloneLines} ? 1 + rows % sessions : 0)
  next
}
{
  if (rows > ${aloneLines}) endAll()
  rows = 0
  say(0)
}
END { endAll() }
`;

/** Whatever of it fails is written down: not every awk gives back what a command that it has closed ended with. */
const sessionScript = (client: Command): Command =>
  sh`${client} 2>>loader.err || echo "$1" >>${spreadFiles.failed}
`;

export const filesOfSpread = (client: Command): Files => ({
  [spreadFiles.program]: spreadProgram,
  [spreadFiles.session]: sessionScript(client).text,
});

/** Bytes, whatever the locale: a line may hold any. */
export const spreadLoad: Command = sh`LC_ALL=C awk -v cores="$(getconf _NPROCESSORS_ONLN || echo 1)" -f ${spreadFiles.program}`;
