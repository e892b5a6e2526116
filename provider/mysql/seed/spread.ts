import { type Command, sh } from "../../host/command";

/**
 * Loads a dump through the client. Our own dump goes through several sessions at once. mysqldump writes the rows of a
 * table as one INSERT a line, about a megabyte each, and their order does not matter; everything else keeps its place.
 * So the lines of a table that has many go to sessions in turns, after everything before them was executed, and everything
 * after them waits until they were.
 *
 *     tee | perl -> session 0: databases, tables, small tables, triggers, routines, views
 *             `---> session 1..n: rows of one large table
 *
 * Not for a user's file: there a line may depend on the one before (`SET @x`, `START TRANSACTION`).
 */
export const spreadFiles = {
  program: "spread.pl",
  session: "session.sh",
} as const;

const aloneLines = 4; // below 4 MB, opening sessions costs more than they gain (15 ms each, a line takes 100 ms: measured)
const mostSessions = 8; // then one mysqldump no longer keeps up: 100 MB/s of text (measured), 15 MB/s a session

/*
 * Two kinds of table accept rows in their order only: ARCHIVE no AUTO_INCREMENT value below the last (1022), InnoDB no
 * FTS_DOC_ID of the user's own below the last (182).
 */

/**
 * The client names the line of a statement that is refused; the stream itself is not kept. So the lines of each session
 * are counted, and it is remembered at which of them an object began: `nameFailed` writes `object: table` and its name
 * to the loader's errors.
 */
export const namingProgram = `my ($database, $engine, %lines, %objects) = ("", "");
my $name = qr/(\`(?:[^\`]|\`\`)+\`(?:[.]\`(?:[^\`]|\`\`)+\`)?)/;
my $kinds = qr/TABLE|VIEW|PROCEDURE|FUNCTION|TRIGGER|EVENT|DATABASE|TABLESPACE/;
sub begin { my ($k, $opening) = @_;
  $lines{$k} = $opening =~ tr/\\n//;
  $objects{$k} = [];
}
sub note { my ($k) = @_;
  $lines{$k}++;
  my $line = substr($_, 0, 400);
  if ($line =~ /^INSERT INTO $name/) { remember($k, "rows of \${engine}table", $1) }
  elsif ($line =~ /^USE $name/) { $database = $1 }
  elsif ($line =~ /^[)].* ENGINE=(\\w+)/) { $engine = $1 eq "InnoDB" ? "" : "$1 " }
  elsif ($line =~ /^-- (?:Final|Temporary) view structure for view $name/) { remember($k, "view", $1) }
  elsif ($line =~ /^(?:\\/[*]!\\d+ )?CREATE\\b.*?\\b($kinds)\\b[^\`]*$name/) { remember($k, lc $1, $2) }
}
sub remember { my ($k, $kind, $of) = @_;
  my $in = $kind =~ /^(?:database|tablespace)$/ || $of =~ /\`[.]\`/ || $database eq "" ? "" : "$database.";
  my ($known, $text) = ($objects{$k}, "$kind $in$of");
  push @$known, [ $lines{$k}, $text ] unless @$known && $known->[-1][1] eq $text;
}
sub nameFailed { my ($k) = @_;
  open(my $log, "<", "loader.err") or return;
  my ($at) = reverse map { /^ERROR .* at line (\\d+)/ ? $1 : () } <$log>;
  my $found = objectAt($k, $k > 0 ? undef : $at);
  print STDERR "object: $found\\n" if defined $found;
}
sub objectAt { my ($k, $at) = @_;
  my ($found) = grep { !defined $at || $_->[0] <= $at } reverse @{ $objects{$k} };
  return $found && $found->[1];
}
`;

/** A session's first words: mysqldump's own settings (character set, checks, no binary log), and each line a transaction. */
const spreadProgram = `use strict; use warnings; use IO::Handle;
my $alone = $ARGV[0] == 0; # a user's file: one session, with nothing added
my $sessions = $ARGV[0] < ${mostSessions} ? $ARGV[0] + 1 : ${mostSessions};
my ($preamble, $use, $rows) = ("", "", 0);
my ($begun, $body, $ordered, %open);
${namingProgram}$SIG{PIPE} = "IGNORE";
sub say { my ($k) = @_;
  if (!$open{$k}) {
    open($open{$k}, "|-", "sh", "${spreadFiles.session}") or die "no session: $!\\n";
    my $opening = $alone ? "" : $preamble . "SET SESSION autocommit = 1;\\n" . $use;
    print { $open{$k} } $opening;
    begin($k, $opening);
  }
  note($k);
  return if (print { $open{$k} } $_) && ($k == 0 || $open{$k}->flush);
  endAll();
  exit 1;
}
sub endAll {
  my @failed = grep { !close($open{$_}) } sort keys %open;
  %open = ();
  nameFailed($failed[0]) if @failed;
  exit 1 if @failed;
}
while (<STDIN>) {
  if ($alone) { say(0); next }
  $begun ||= /^(?:-- Current Database: |CREATE |USE )/;
  if (!$begun) { $preamble .= $_; next }
  $body = (split(" ", $_))[1] ne ";" if /^DELIMITER \\S/;
  $use = $_ if !$body && /^USE /;
  if (!$body && /^INSERT INTO / && substr($_, -2) eq ";\\n") {
    $rows++;
    my $spreads = $rows > ${aloneLines} && !$ordered;
    endAll() if $spreads && $rows == ${aloneLines} + 1;
    say($spreads ? 1 + $rows % $sessions : 0);
    next;
  }
  endAll() if $rows > ${aloneLines} && !$ordered;
  $rows = 0;
  if (!$body) {
    $ordered = 0 if /^CREATE TABLE /;
    $ordered = 1 if /^  \`FTS_DOC_ID\` /i || /^[)] ENGINE=ARCHIVE/i;
  }
  say(0);
}
endAll();
`;

export const filesOfSpread = (client: Command): Readonly<Record<string, string>> => ({
  [spreadFiles.program]: spreadProgram,
  [spreadFiles.session]: sh`exec ${client} 2>>loader.err
`.text,
});

export const spreadLoad: Command = sh`perl ${spreadFiles.program} "$(getconf _NPROCESSORS_ONLN || echo 1)"`;

/** Every line as it comes, through one session. */
export const plainLoad: Command = sh`perl ${spreadFiles.program} 0`;
