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
export const snapshotProgram = `use strict; use warnings; use IO::Handle;
my ($mysql, @dump) = @ARGV;
my %say;
open(my $orders, "<", "snapshot.sql") or die "snapshot.sql: $!\\n";
while (<$orders>) { chomp; my ($name, $text) = split(/\\t/, $_, 2); $say{$name} = $text }
$SIG{PIPE} = "IGNORE";
# /proc/uptime: perl-base has no clock of its own below a second.
sub now { open(my $f, "<", "/proc/uptime") or die "/proc/uptime: $!\\n"; return (split(" ", <$f>))[0] }
# Every exit ends the processes that were started.
my @started;
END { kill("TERM", @started) if @started }
sub pause { select(undef, undef, undef, $_[0]) }
sub hasInput { my ($fh, $seconds) = @_; my $bits = ""; vec($bits, fileno($fh), 1) = 1;
  return select($bits, undef, undef, $seconds > 0 ? $seconds : 0) > 0 }

# --- a client that is asked one statement after another
sub session {
  pipe(my $in, my $toClient); pipe(my $fromClient, my $out);
  my $pid = fork() // die "fork: $!\\n";
  if (!$pid) {
    @started = ();
    open(STDIN, "<&", $in); open(STDOUT, ">&", $out); open(STDERR, ">&", $out);
    exec($mysql, "--defaults-file=$say{options}", qw(--batch --skip-column-names --raw --unbuffered --force --skip-reconnect));
    exit 127;
  }
  push(@started, $pid);
  close($in); close($out);
  $toClient->autoflush(1);
  return { pid => $pid, in => $toClient, out => $fromClient, text => "", asked => 0, idle => 1 };
}
sub begin { my ($s, $sql) = @_;
  $s->{asked}++; $s->{idle} = 0; $s->{since} = now();
  print { $s->{in} } "$sql;\\nSELECT 'sluice end $s->{asked}';\\n";
}
# The rows; undef if they have not arrived in time. An error is kept in the session.
sub answer { my ($s, $seconds) = @_;
  my $until = now() + $seconds;
  for (;;) {
    if ($s->{text} =~ s/\\A(.*?)^sluice end $s->{asked}\\n//ms) {
      my @lines = split(/\\n/, $1);
      ($s->{error}) = grep { /^ERROR \\d+/ } @lines;
      $s->{idle} = 1;
      return [grep { !/^(?:ERROR \\d+|mysql: \\[Warning\\])/ } @lines];
    }
    if ($s->{text} =~ /^(ERROR (?:2006|2013|2055|4031) .*)$/m) { $s->{dead} = $1 }
    if ($s->{dead}) { $s->{error} = $s->{dead}; return [] }
    my $left = $until - now();
    return undef if !hasInput($s->{out}, $left) && $left <= 0;
    next if !hasInput($s->{out}, 0);
    my $read = sysread($s->{out}, $s->{text}, 65536, length($s->{text}));
    ($s->{dead}) = $s->{text} =~ /^(ERROR \\d+.*)$/m if !$read;
    $s->{dead} ||= "ERROR 2013 the connection ended" if !$read;
  }
}
sub ask { my ($s, $sql, $seconds) = @_;
  begin($s, $sql);
  my $rows = answer($s, $seconds // $say{answerSeconds});
  if (!$rows) { $s->{dead} = $s->{error} = "ERROR 2013 no answer to: " . substr($sql, 0, 60); return [] }
  return $rows;
}
sub leave { my ($s) = @_;
  return if !$s;
  close($s->{in}); kill("TERM", $s->{pid}) if $s->{dead}; close($s->{out}); ended($s->{pid});
}
sub ended { my ($pid) = @_; waitpid($pid, 0); @started = grep { $_ != $pid } @started }

# --- the dump
sub startDump { my ($token) = @_;
  pipe(my $out, my $toOut); pipe(my $err, my $toErr);
  my @words = @dump;
  # Waits in its first statement until the tables are locked, so that connecting costs no time under the lock.
  splice(@words, 2, 0, "--init-command=DO GET_LOCK('$token', 3600)") if $say{dumpWaits};
  my $pid = fork() // die "fork: $!\\n";
  if (!$pid) {
    @started = ();
    open(STDOUT, ">&", $toOut); open(STDERR, ">&", $toErr);
    exec(@words);
    exit 127;
  }
  push(@started, $pid);
  close($toOut); close($toErr);
  return { pid => $pid, out => $out, err => $err, words => "", said => "" };
}
# mysqldump's lines about its progress are dropped, the rest is an error or a warning.
sub hear { my ($d, $seconds) = @_;
  return if $d->{mute} || !hasInput($d->{err}, $seconds);
  my $read = sysread($d->{err}, $d->{words}, 65536, length($d->{words}));
  $d->{mute} = 1 if !$read;
  while ($d->{words} =~ s/\\A(.*)\\n//) {
    my $line = $1;
    $d->{open} = 1 if $line =~ /^-- (?:Setting savepoint|Retrieving)/;
    $d->{said} .= "$line\\n" if $line !~ /^-- /;
  }
}
sub endDump { my ($d, $watch) = @_;
  return if !$d;
  kill("TERM", $d->{pid});
  ask($watch, "KILL $d->{session}", 5) if $d->{session} && !$watch->{dead};
  close($d->{out});
  ended($d->{pid});
  hear($d, 0) while !$d->{mute} && hasInput($d->{err}, 0);
}
sub sessionOfDump { my ($d, $watch, $token) = @_;
  my $sql = $say{dumpWaits} ? $say{waitingDump} : $say{dumpSession};
  $sql =~ s/:token/$token/g; $sql =~ s/:pid/$d->{pid}/g;
  ($d->{session}) = grep { /^\\d+$/ } @{ ask($watch, $sql) };
}

# --- one attempt; true when the snapshot is open and its position known
my (@first, @reason, %starved, $readOnly);
sub attempt { my ($watch) = @_;
  @reason = ("lock");
  my @tables = @{ ask($watch, $say{tables}) };
  return if $watch->{dead};
  failed($watch->{error}) if $watch->{error};
  my @databases = @{ ask($watch, $say{databases}) };
  return if $watch->{dead};
  failed($watch->{error}) if $watch->{error};
  requireDatabases(@databases);
  my @inTheWay = @{ ask($watch, $say{blockers}) };
  @reason = ("lock", @inTheWay);
  return if @inTheWay || $watch->{dead};
  failed($watch->{error}) if $watch->{error};
  my %known = map { $_ => 1 } @tables;
  my %front = map { $_ => 1 } @first;
  my @front = grep { $known{$_} } @first;
  my @ordered = (@front, grep { !$front{$_} } @tables);
  # A READ lock gives way to every writer: a table that is written without a pause is locked for a moment with WRITE, which does
  # not. It waits for readers too, so only where no statement has run for long.
  my %busy = map { $_ => 1 } %starved ? @{ ask($watch, $say{busyTables}) } : ();
  my %mode = map { $_ => $starved{$_} && !$busy{$_} && !$readOnly ? "WRITE" : "READ" } @ordered;
  my $token = "sluice-$$-" . int(now() * 100);
  my $lock = session();
  my ($id) = @{ ask($lock, "SELECT CONNECTION_ID()") };
  failed($lock->{error}) if $lock->{error};
  ask($lock, "DO GET_LOCK('$token', 0)");
  my $dump;
  if ($say{dumpWaits}) {
    $dump = startDump($token);
    my $until = now() + $say{answerSeconds};
    sessionOfDump($dump, $watch, $token);
    while (!$dump->{session} && !$dump->{mute} && now() < $until) { hear($dump, 0.05); sessionOfDump($dump, $watch, $token) }
    failed($dump->{said} || "mysqldump did not connect") if !$dump->{session};
  }
  # Should this program or the network end, the server ends the session, and with it the lock.
  # No session waits for the first table unless it is locked with WRITE; for later tables, writers of the tables before them wait.
  my $lockSeconds = @front && !grep({ $_ eq "WRITE" } values %mode) ? $say{lockSeconds} : $say{queueSeconds};
  ask($lock, "SET SESSION wait_timeout = 1, SESSION lock_wait_timeout = $lockSeconds");
  my $why = $lock->{error} || lockTables($lock, $watch, $id, \\@ordered, \\%mode, $lockSeconds);
  my $from = now();
  $from = $lock->{grantedAt} if $lock->{grantedAt};
  my %position;
  if (!$why) {
    if ($say{dumpWaits}) { begin($lock, "DO RELEASE_LOCK('$token')") } else { $dump = startDump($token); begin($lock, "DO 0") }
    answer($lock, 1);
    for (@{ ask($lock, $say{position}, 1) }) { my ($name, $value) = split(/\\t/, $_, 2); $position{$name} = $value // "" }
    ($position{file}, $position{at}) = split(/\\t/, (@{ ask($lock, $say{log}, 1) })[0] // "") if !$lock->{error};
    until ($dump->{open} || $dump->{mute} || $lock->{error} || now() - $from > $say{heldSeconds}) {
      hear($dump, 0.1);
      ask($lock, "DO 0", 1) if now() - $lock->{since} > 0.3;
    }
    $why = $lock->{error};
    $why ||= $dump->{said} || "mysqldump ended" if $dump->{mute};
    $why ||= "slow" if !$dump->{open};
    ask($lock, "UNLOCK TABLES;\\nSET SESSION wait_timeout = $say{answerSeconds}, SESSION lock_wait_timeout = $say{answerSeconds}", 1);
    $why ||= $lock->{error};
    sessionOfDump($dump, $watch, $token) if !$why && !$say{dumpWaits};
    # Sessions that wait for the dump are seen only if the dump's own session is known.
    $why ||= $watch->{error} || "session" if $say{seesLocks} && !$dump->{session};
  }
  return ($dump, \\%position, $lock, \\@tables) if !$why;
  leave($lock);
  my $said = $dump ? $dump->{said} : "";
  endDump($dump, $watch);
  failed($said) if $said =~ /error/i && !$lock->{error};
  # 1205 the wait was too long, 1317 we ended it, 1146 a table is gone, 1213 a deadlock, 1290 WRITE where read_only is on, 2013 and 4031 our own session ended.
  failed($why) if $why =~ /^ERROR (?!1205|1317|1146|1213|1290|2006|2013|4031)/;
  gaveUp("session") if $why eq "session";
  @inTheWay = @{ ask($watch, $say{blockersNow}) } if $why =~ /^ERROR (?:1205|1317)/;
  @reason = ("lock", @inTheWay);
  @reason = ("many\\t" . @tables) if !@inTheWay && $why =~ /^ERROR 1317/;
  @reason = ("slow") if $why eq "slow";
  @reason = ("tables") if $why =~ /^ERROR 1146/;
  return;
}
# For all databases: one that was made since they were listed is in the GTID set, and not in the dump.
sub requireDatabases {
  my %listed = map { $_ => 1 } split(/ /, $say{databasesListed});
  my %found = map { $_ => 1 } @_;
  my @changed = ((map { "+$_" } grep { !$listed{$_} } sort keys %found), (map { "-$_" } grep { !$found{$_} } sort keys %listed));
  gaveUp("databases\\t@changed") if @changed;
}
# A wait for the first READ lock makes no session wait; from the second on, writers of the tables before it wait.
sub lockTables { my ($lock, $watch, $id, $tables, $mode, $lockSeconds) = @_;
  return if !@$tables;
  my $sql = "LOCK TABLES " . join(", ", map { "$_ $mode->{$_}" } @$tables);
  (my $granted = $say{granted}) =~ s/:id/$id/g;
  begin($lock, $sql);
  $lock->{grantedAt} = $lock->{since} if grep { $_ eq "WRITE" } values %$mode;
  my ($ended, $unheard);
  until (answer($lock, 0.1)) {
    # The server ends the wait by lock_wait_timeout, and the lock when its client is gone.
    return $lock->{dead} = $lock->{error} = "ERROR 2013 the watcher is gone" if $watch->{dead} || $ended && $unheard;
    my $now = now();
    if (!$lock->{grantedAt} && $granted ne "") {
      my ($count, $pending) = split(/\\t/, (@{ ask($watch, $granted, 1) })[0] // "0");
      $lock->{grantedAt} = $now if $count;
      $lock->{pending} = $pending;
    }
    my $since = $granted eq "" ? $lock->{since} : $lock->{grantedAt};
    next if $ended || !($since && $now - $since > $say{queueSeconds} || $now - $lock->{since} > $lockSeconds + 1);
    ($lock->{pending}) = (split(/\\t/, (@{ ask($watch, $granted, 1) })[0] // "0"))[1] if $granted ne "";
    ask($watch, "KILL QUERY $id", 1);
    $ended = 1;
    $unheard = $watch->{error};
  }
  @first = ($lock->{pending}, grep { $_ ne $lock->{pending} } @first) if $lock->{error} && $lock->{pending};
  $starved{ $lock->{pending} } = 1 if $lock->{error} && $lock->{pending};
  $readOnly = 1 if ($lock->{error} // "") =~ /^ERROR 1290/;
  return $lock->{error};
}

# --- the log's last words, and the end
sub failed { print STDERR map { "$_\\n" } @_; exit 1 }
sub gaveUp { my ($why, @lines) = @_; failed("sluice-source\\t$why", map { "sluice-session\\t$_" } @lines) }

my $watch = session();
my $until = now() + $say{limitSeconds};
my ($dump, $position, $lister, $tables);
my ($rest, $lost) = (0.25, 0);
my ($ended, $looked, $history, %waited) = (0, now(), 0);
until ((($dump, $position, $lister, $tables) = attempt($watch)) && isSame()) {
  $watch = another($watch) if $watch->{dead};
  gaveUp(@reason) if now() > $until;
  pause($rest);
  $rest = $rest * 2 > 4 ? 4 : $rest * 2;
}
my $gtids = exists($position->{gtids}) ? "/* SET \\@\\@GLOBAL.GTID_PURGED='$position->{gtids}';*/\\n" : "";
my $buffer = defined($position->{at}) ? "-- $say{change}$position->{file}', $say{changeAt}$position->{at};\\n" : "";
$buffer = "$buffer$gtids";
STDOUT->blocking(0);
until ($ended && $buffer eq "") {
  my ($read, $write) = ("", "");
  vec($read, fileno($dump->{out}), 1) = 1 if !$ended && length($buffer) < 1048576;
  vec($read, fileno($dump->{err}), 1) = 1 if !$dump->{mute};
  vec($write, fileno(STDOUT), 1) = 1 if $buffer ne "";
  select($read, $write, undef, 0.25);
  hear($dump, 0) if !$dump->{mute} && vec($read, fileno($dump->{err}), 1);
  if (!$ended && vec($read, fileno($dump->{out}), 1)) {
    $ended = 1 if !sysread($dump->{out}, $buffer, 262144, length($buffer));
  }
  if ($buffer ne "" && vec($write, fileno(STDOUT), 1)) {
    my $written = syswrite(STDOUT, $buffer);
    if (defined($written)) { substr($buffer, 0, $written) = "" }
    elsif (!$!{EAGAIN}) { endDump($dump, $watch); failed("the loader ended: $!") }
  }
  lookOn() if !$ended;
}
ended($dump->{pid});
my $code = $? >> 8 || $? & 127;
hear($dump, 0) while !$dump->{mute} && hasInput($dump->{err}, 0);
print STDERR $dump->{said};
leave($watch);
exit $code;

# The snapshot is open: whether tables were created or dropped until now is asked after the lock, and the dump is watched meanwhile.
sub isSame {
  %waited = ();
  my @found = later($say{tables});
  my @databases = later($say{databases});
  my $error = $lister->{error};
  leave($lister);
  my $same = join("\\n", sort @$tables) eq join("\\n", sort @found) && join(" ", sort @databases) eq $say{databasesListed};
  return 1 if $same && !$error;
  $watch->{dead} = "ERROR 2013 no answer" if !$watch->{idle} && !answer($watch, 5);
  endDump($dump, $watch);
  failed($error) if $error && $error !~ /^ERROR (?:1205|1317|2006|2013|2055|4031)/;
  requireDatabases(@databases) if !$error;
  @reason = ("tables") if !$error;
  return 0;
}
sub later { my ($sql) = @_;
  return if $lister->{error};
  begin($lister, $sql);
  my $rows;
  until ($rows = answer($lister, 0.1)) {
    if (now() - $lister->{since} > $say{answerSeconds}) { $lister->{dead} = $lister->{error} = "ERROR 2013 no answer"; return }
    hear($dump, 0);
    lookOn();
  }
  return @$rows;
}
# Twice a second: who waits for a metadata lock that the dump holds, and how much the source keeps for its snapshot.
sub lookOn {
  my $now = now();
  if ($watch->{idle}) {
    return if $now - $looked < 0.5;
    $looked = $now;
    (my $sql = $say{waiters}) =~ s/:id/$dump->{session} || 0/ge;
    if ($now - $history > 5) { $sql .= " $say{history}"; $history = $now }
    begin($watch, $sql);
  }
  my $rows = answer($watch, 0);
  if ($rows && !$watch->{error}) {
    $lost = 0;
    my ($list) = map { /^history\\t(\\d+)/ ? $1 : () } @$rows;
    my @waiting = grep { s/^waits\\t// } @$rows;
    stopDump("history\\t$list") if $list && $list > $say{historyLimit};
    my @again = grep { $waited{ (split(/\\t/))[0] } } @waiting;
    stopDump("waits", @again) if @again;
    %waited = map { (split(/\\t/))[0] => 1 } @waiting;
  }
  elsif ($watch->{error} || $now - $watch->{since} > $say{answerSeconds}) {
    $watch->{dead} = $watch->{error} || "ERROR 2013 no answer";
    $watch = another($watch);
  }
}
# The dump continues for the moment in which it is not watched.
sub another { my ($dead) = @_;
  failed($dead->{dead}) if ++$lost > 3;
  leave($dead);
  return session();
}
sub stopDump { my @why = @_; endDump($dump, $watch); gaveUp(@why) }
`;
