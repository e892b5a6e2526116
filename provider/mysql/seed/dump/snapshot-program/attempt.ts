/** One attempt to open mysqldump's snapshot while the tables are locked, so that its position is known. */
export const attemptPart = `
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
`;
