# SPDX-License-Identifier: MIT
# Turns what a run left behind into results: { ok, text, notes }. A run that
# cannot be judged line by line has failed, with one of the words CRASH, TIMEOUT
# and PANIC saying how. Pure: reads no file and starts nothing.
package Verdict;
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/suite";
use Serial;

sub result
{
	my ($ok, $text, @notes) = @_;
	return { ok => $ok ? 1 : 0, text => $text, notes => \@notes };
}

# One guest's lines. SKIP: pattern of reasons that are in order.
sub guest
{
	my ($title, $lines, $skip, $why_ended) = @_;
	my $tap = Serial::tap(@$lines);
	my @result;

	for my $t (@{$tap->{tests}}) {
		my @notes = @{$t->{notes}};
		my $ok	  = $t->{ok};
		if (defined $t->{skip}
		    && !($skip && $t->{skip} =~ /$skip/)) {
			$ok = 0;
			push @notes, "# skipped ($t->{skip}), but this "
				     . 'machine has what it needs';
		}
		push @result, result($ok, "$title: $t->{text}", @notes);
	}
	my $done = @{$tap->{tests}};
	my $plan = $tap->{plan};
	if (!defined $plan) {
		push @result, result(0, "$title: prints a plan",
				     "# $why_ended: no plan at all");
	} elsif (!$tap->{ended} || $done != $plan) {
		push @result, result(0, "$title: reaches its plan's end",
				     "# $why_ended: $done of $plan claims",
				     @{$tap->{notes}});
	} else {
		push @result, result(1, "$title: reaches its plan's end");
	}
	return @result;
}

# What a guest claims bare it must claim hosted, word for word, unless it matches
# BARE_ONLY.
sub same_claims
{
	my ($title, $bare, $hosted, $bare_only) = @_;
	my %seen = map { $_->{text} => $_ } @{Serial::tap(@$hosted)->{tests}};
	my @differs;

	for my $t (@{Serial::tap(@$bare)->{tests}}) {
		my $other = $seen{$t->{text}};
		next if defined $t->{skip}
		    || ($bare_only && $t->{text} =~ /$bare_only/);
		if (!$other) {
			push @differs, "# bare only: $t->{text}";
		} elsif ($other->{ok} != $t->{ok} || defined $other->{skip}) {
			push @differs, "# differs: $t->{text}";
		}
	}
	return result(!@differs, "$title: claims what it claims bare", @differs);
}

# The sum of FIELD over events EVENT, or their number if there is no FIELD.
sub figure
{
	my ($serial, $what, $where) = @_;
	my ($event, $field) = split /\./, $what, 2;
	my $sum = 0;

	for my $hit (Serial::events($serial, $event,
				    map { split /=/, $_, 2 } split ' ', $where)) {
		$sum += defined $field ? Serial::value($hit, $field) // 0 : 1;
	}
	return $sum;
}

# "count grow vm=nm = 1", "sum stats.nm_exits vm=nm <= 1"; on the right also a
# sum of the same events: "sum stats.xfd_exits vm=nm = grow.xfd_exits"
sub claim
{
	my ($title, $claim, $serial) = @_;
	my ($how, $what, $where, $op, $want) =
	    $claim =~
	    /^(count|sum) (\S+)((?: \S+=\S+)*) (=|<=|>=|<|>) (\S+)$/
	    or die "tests.conf: claim = $claim\n";
	my $got = figure($serial, $what, $where);
	my $bound = $want =~ /^\d+$/ ? $want
				      : figure($serial, $want, $where);
	my $ok = $op eq '='  ? $got == $bound
	       : $op eq '<=' ? $got <= $bound
	       : $op eq '>=' ? $got >= $bound
	       : $op eq '<'  ? $got < $bound
			     : $got > $bound;
	return result($ok, "$title: $claim", $ok ? () : "# got $got, want $op $bound");
}

# A VM's end as the host reports it: PATTERN matches its reason, or the guest
# ended itself through the exit port with success.
sub vm_stop
{
	my ($title, $vm, $pattern, $serial) = @_;
	my ($stop) = Serial::events($serial, 'vm-stop', vm => $vm);
	my $reason = $stop ? $stop->{reason} // '' : 'no vm-stop event';

	return result($stop && $reason =~ /$pattern/,
		      "$title: stops with /$pattern/", "# reason: $reason")
	    if defined $pattern;
	my $code = $stop ? $stop->{code} // '' : '';
	return result($code eq '1', "$title: ends with success",
		      "# reason: $reason, code: $code");
}

sub says
{
	my ($title, $pattern, $text) = @_;
	return result(scalar($text =~ /$pattern/m), "$title: says /$pattern/");
}

sub never
{
	my ($title, $pattern, $text) = @_;
	my $found = $text =~ /^(.*$pattern.*)$/m ? $1 : undef;
	return result(!defined $found, "$title: never says /$pattern/",
		      defined $found ? "# $found" : ());
}

1;
