import { dumpedApplierStatement, dumpedFromReplica, dumpedPositionStatement } from "../terms";
import { id } from "../sql";
import { systemDatabases } from "./source/facts";

/**
 * What is between a dump and the server: grep picks the few lines that say what the dump is, for DumpScanner, and perl
 * drops the lines that are not for this server. Both look at the beginning of a line only. No awk: mawk, which is Debian's,
 * takes four times as long for a line twice as long (46 s for one of 80 MB, measured), and a row may be a line of 1 GB.
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

/** The subset that our patterns use, for `grep -E`. */
function toExtended({ source }: RegExp): string {
  return source.replaceAll("(?:", "(").replaceAll("\\s", "[[:space:]]").replaceAll("\\b", "");
}

/** Names of databases, quoted, one a line: `filterProgram` reads them from `wantedFile`. Empty: all but the server's own. */
export const wantedFile = "wanted";

export const renderWanted = (databases: "ALL" | readonly string[]): string =>
  databases === "ALL" ? "" : databases.map((name) => `${id(name).text}\n`).join("");

const perlSystem = systemDatabases.map((name) => `'\`${name}\`'`).join(", ");
const position = [dumpedPositionStatement, dumpedApplierStatement].map(({ source }) => source).join("|");

/**
 * Drops from a user's backup, outside the bodies of routines:
 * - the server's own schemas: accounts of another server would lock Sluice out, or let strangers in;
 * - databases that are not wanted;
 * - accounts and grants, for the same reason as the server's schemas;
 * - statements about replication and GTIDs: their values are read, and set after everything else is loaded.
 */
export const filterProgram = `use strict; use warnings;
my (%want, $body, $skip, $gtids);
my %own = map { $_ => 1 } (${perlSystem});
open(my $list, "<", "${wantedFile}") or die "${wantedFile}: $!\\n";
while (<$list>) { chomp; $want{$_} = 1 }
sub isWanted { my ($name) = @_; return %want ? $want{$name} : !$own{lc $name} }
while (<STDIN>) {
  my $head = uc(substr($_, 0, 120));
  $body = (split(" ", $_))[1] ne ";" if $head =~ /^DELIMITER \\S/;
  if ($gtids) { $gtids = !ends($_); next }
  if (!$body && $head =~ /^(?:-- CURRENT DATABASE: |USE )/) {
    (my $name = $_) =~ s/^(?:-- [^:]*: *|[^ ]+ +)//;
    $name =~ s/;?[ \\t\\r\\n]*$//;
    $skip = !isWanted($name =~ /^\`/ ? $name : "\`$name\`");
  }
  if (!$body && $head =~ /^CREATE (?:DATABASE|SCHEMA) / && /(\`(?:[^\`]|\`\`)+\`)/) {
    print if isWanted($1);
    next;
  }
  next if $skip;
  if ($body) { print; next }
  if ($head =~ /^SET .*GTID_PURGED/) { $gtids = !ends($_); next }
  next if $head =~ /^(?:${position})/;
  next if $head =~ /^(?:(?:CREATE|ALTER|DROP|RENAME) USER |(?:CREATE|DROP) ROLE |(?:GRANT|REVOKE) |SET (?:PASSWORD|DEFAULT ROLE) )/;
  print;
}
sub ends { return substr($_[0], -80) =~ /;[ \\t\\r]*$/ }
`;
