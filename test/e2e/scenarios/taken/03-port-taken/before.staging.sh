test -d "$DIRECTORY/data" && grep -q billing "$DIRECTORY/sluice.json"
rm -r "$DIRECTORY"
systemd-run --quiet --unit=e2e-listener perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1, LocalPort => shift, ReuseAddr => 1) or die; sleep' "$PORT"
until ss -Hltn "sport = :$PORT" | grep -q .; do :; done
