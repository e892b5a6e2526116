import { dumpedApplierStatement, dumpedFromReplica, dumpedPositionStatement } from "../terms";
import { id } from "../sql";
import { systemDatabases } from "./source-facts";

/**
 * What stands between a dump and the server: grep picks the few lines that say what the dump is, for DumpScanner, and awk
 * drops the lines that are not for this server. Both look at the beginning of a line only, at more than 1 GB/s of one core
 * (measured: 0.3 s and 0.1 s of processor time a GB).
 */

/** Extended regular expressions, one a line: every line that DumpScanner reads something from. */
export const scanPatterns: string = [
  "^-- (MySQL|MariaDB|MySQLShell) dump ",
  "^-- Dump (created|completed|end time)",
  "^-- Server version",
  "^-- Host: ",
  "^(# ?)?(Started|Finished) dump at",
  "^.{0,40}GTID_PURGED",
  // The further lines of a GTID set.
  "^(-- )?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}:",
  `^.{0,20}${toExtended(dumpedPositionStatement)}`,
  `^-- .{0,80}${toExtended(dumpedFromReplica)}`,
  "^[[:space:]]*CREATE[[:space:]]+(DATABASE|SCHEMA)",
  "^[[:space:]]*USE[[:space:]]",
  "^DELIMITER[[:space:]]",
]
  .map((pattern) => `${pattern}\n`)
  .join("");

/** The subset that our patterns use, for `grep -E` and awk. */
function toExtended({ source }: RegExp): string {
  return source.replaceAll("(?:", "(").replaceAll("\\s", "[[:space:]]").replaceAll("\\b", "");
}

/** Names of databases, quoted, one a line: `filterProgram` reads them from `wantedFile`. Empty: all but the server's own. */
export const wantedFile = "wanted";

export const renderWanted = (databases: "ALL" | readonly string[]): string =>
  databases === "ALL" ? "" : databases.map((name) => `${id(name).text}\n`).join("");

const quotedSystem = systemDatabases.map((name) => `own["\`${name}\`"] = 1`).join("; ");

/**
 * Drops from a backup that somebody made, outside the bodies of routines:
 * - the server's own schemas: accounts of another server would lock us out, or let others in;
 * - databases that are not wanted;
 * - accounts and grants, for the same reason as the server's schemas;
 * - statements about replication and GTIDs: their values are read, and set when everything else is there.
 */
export const filterProgram = `
function isWanted(name) { return listed ? (name in want) : !(tolower(name) in own) }
BEGIN { ${quotedSystem}; while ((getline line < "${wantedFile}") > 0) { want[line] = 1; listed = 1 } }
{ head = toupper(substr($0, 1, 120)) }
head ~ /^DELIMITER / { body = ($2 != ";") }
gtids { gtids = ($0 !~ /;[ \\t\\r]*$/); next }
!body && head ~ /^(-- CURRENT DATABASE: |USE )/ {
  name = $0; sub(/^([^:]*: *|[^ ]+ +)/, "", name); sub(/;?[ \\t\\r]*$/, "", name)
  if (name !~ /^\`/) name = "\`" name "\`"
  skip = !isWanted(name)
}
!body && head ~ /^CREATE (DATABASE|SCHEMA) / && match($0, /\`([^\`]|\`\`)+\`/) {
  if (isWanted(substr($0, RSTART, RLENGTH))) print
  next
}
skip { next }
body { print; next }
head ~ /^SET .*GTID_PURGED/ { gtids = ($0 !~ /;[ \\t\\r]*$/); next }
head ~ /^(${[dumpedPositionStatement, dumpedApplierStatement].map(toExtended).join("|")})/ { next }
head ~ /^(CREATE|ALTER|DROP|RENAME) USER |^(CREATE|DROP) ROLE |^(GRANT|REVOKE) |^SET (PASSWORD|DEFAULT ROLE) / { next }
{ print }
`;
