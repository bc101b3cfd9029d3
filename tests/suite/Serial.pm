# SPDX-License-Identifier: MIT
# Takes a run's serial line apart: the lines of every VM, the host's events, and
# the TAP in a list of lines. Judges nothing.
package Serial;
use strict;
use warnings;
use JSON::PP;

# { host => [lines], vm => { name => [lines] }, events => [{...}], panic => text }
sub parse
{
	my ($text) = @_;
	my %s = (host => [], vm => {}, events => []);

	for my $line (split /\r?\n/, $text) {
		$line =~ tr/\r//d;
		if ($line =~ /^\[([\w.-]+)\] ?(.*)/) {
			push @{$s{vm}{$1}}, $2;
			next;
		}
		push @{$s{host}}, $line;
		if ($line =~ /^tv: event (\{.*\})\s*$/) {
			my $event = eval { decode_json($1) };
			push @{$s{events}}, $event // { event => 'malformed',
							text  => $1 };
		}
		$s{panic} //= $line if $line =~ /^tv: panic/;
	}
	return \%s;
}

# What guests print: { plan => N, tests => [{ok, text, skip, notes}], ended }
sub tap
{
	my (@line) = @_;
	my %t = (tests => [], notes => []);

	for my $line (@line) {
		if ($line =~ /^1\.\.(\d+)/) {
			$t{plan} = $1;
		} elsif ($line =~ /^(not )?ok\b\s*(\d*)\s*-?\s*(.*)/) {
			my ($not, $number, $text) = ($1, $2, $3);
			my $skip = $text =~ s/\s*#\s*SKIP\s*(.*)$//i ? $1 : undef;
			push @{$t{tests}}, { ok => !$not, number => $number,
					     text => $text, skip => $skip,
					     notes => $t{notes} };
			$t{notes} = [];
		} elsif ($line =~ /^# end\s*$/) {
			$t{ended} = 1;
		} elsif ($line =~ /^Bail out!/) {
			$t{bailed} = $line;
		} elsif ($line =~ /^#/) {
			push @{$t{notes}}, $line;
		}
	}
	return \%t;
}

# Events that have all the fields of the hash WHERE with these values.
sub events
{
	my ($s, $name, %where) = @_;

	return grep {
		my $e = $_;
		$e->{event} eq $name
		    && !grep { !defined value($e, $_)
			       || value($e, $_) ne $where{$_} } keys %where;
	} @{$s->{events}};
}

# The field PATH ("exits.CPUID") of an event, or undef.
sub value
{
	my ($event, $path) = @_;

	for my $key (split /\./, $path) {
		return undef unless ref $event eq 'HASH';
		$event = $event->{$key};
	}
	return $event;
}

1;
