/** What all of the program uses: its orders, a mysql client that is asked one statement after another, and the last words. */
export const clientPart = `use strict; use warnings; use IO::Handle;
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

# --- the log's last words, and the end
sub failed { print STDERR map { "$_\\n" } @_; exit 1 }
sub gaveUp { my ($why, @lines) = @_; failed("sluice-source\\t$why", map { "sluice-session\\t$_" } @lines) }
`;
