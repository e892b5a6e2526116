/** Repeats the attempt until it succeeds, then passes the dump on, and ends it if other sessions of the source wait for it. */
export const watchPart = `
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
