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

# What the first process of a Linux test prints (tests/linux/init) about TEST:
# the lines between `run` and `exit`, and the exit status.
sub linux_program
{
	my ($lines, $test) = @_;
	my (@line, $in);

	for my $line (@{$lines // []}) {
		return (\@line, $1) if $in && $line =~ /^linux: \Q$test\E exit (\d+)/;
		push @line, $line if $in;
		$in = 1 if $line =~ /^linux: run \Q$test\E( |$)/;
	}
	return (\@line, undef);
}

# A kernel reaches its init, its programs succeed, it complains of nothing.
sub linux
{
	my ($title, $lines, @test) = @_;
	my @result = result(scalar(grep { /^linux: init,/ } @$lines),
			    "$title: reaches user space");

	for my $test (@test) {
		my ($line, $status) = linux_program($lines, $test);
		push @result, result(defined $status && $status == 0,
				     "$title: $test exits 0", '# exit status '
				     . ($status // 'none'),
				     map { "#   $_" } @$line);
	}
	my @complaint = grep { /^linux: kernel: / } @$lines;
	my $done = grep { /^linux: done ok$/ } @$lines;
	push @result, result($done && !@complaint,
			     "$title: the kernel complains of nothing",
			     map { "# $_" } @complaint);
	return @result;
}

# What TEST prints hosted is what it prints bare, line by line.
sub same_lines
{
	my ($title, $test, $bare, $hosted) = @_;
	my ($want) = linux_program($bare, $test);
	my ($got)  = linux_program($hosted, $test);
	my $count  = @$want > @$got ? @$want : @$got;
	my @differs;

	for my $i (0 .. $count - 1) {
		my ($b, $h) = map { $_->[$i] // '(no line)' } $want, $got;
		push @differs, "# bare:   $b", "# hosted: $h" if $b ne $h;
	}
	return result($count > 0 && !@differs,
		      "$title: $test prints the lines it prints bare", @differs);
}

# What a kernel's log complains of, as told by its level or its words; times and
# numbers, which differ from run to run, are taken out.
sub kernel_complaints
{
	my ($lines) = @_;
	my ($log) = linux_program($lines, 'dmesg');
	my %complaint;

	for my $line (@$log) {
		my ($level, $text) = $line =~ /^<(\d+)>(?:\[[ \d.]+\] )?(.*)/
		    or next;
		next unless ($level & 7) <= 4
		    || $text =~ /unchecked\ MSR|WARNING|BUG|lost|unstable|skew
				|APIC.*(error|fail|timeout|bogus)|firmware\ bug
				|timer.*(stuck|broken|fail)/xi;
		(my $kind = $text) =~ s/0x[0-9a-f]+|\d+/N/gi;
		$complaint{$kind} //= $text;
	}
	return (\%complaint, scalar @$log);
}

# A kernel complains of nothing that it does not complain of bare, but for what
# matches one of ALLOWED.
sub kernel_log
{
	my ($title, $bare, $hosted, @allowed) = @_;
	my ($known, $bare_count) = kernel_complaints($bare);
	my ($new, $count) = kernel_complaints($hosted);
	my @more = grep { my $text = $_; !grep { $text =~ /$_/ } @allowed }
	    map { $new->{$_} } grep { !exists $known->{$_} } sort keys %$new;

	return result($bare_count && $count && !@more,
		      "$title: the kernel's log has no complaint that it has "
		      . 'not bare', "# lines: $bare_count bare, $count hosted",
		      map { "# only hosted: $_" } @more);
}

# Ticks from the first instruction to init, PERCENT above bare at most. The bare
# count has the firmware's few thousand ticks in it.
sub boot_cost
{
	my ($title, $percent, $bare, $hosted, $serial) = @_;
	my ($want, $got) = map { (map { /^linux: ticks (\d+) / } @$_)[0] // 0 }
	    $bare, $hosted;
	my ($end) = Serial::events($serial, 'end');
	$got -= $end ? $end->{first_entry_ticks} : 0;
	my $more = $want ? 100 * ($got - $want) / $want : 100;

	return result($want > 0 && $got > 0 && $more <= $percent,
		      sprintf('%s: ticks to init at most %s %% above bare',
			      $title, $percent),
		      sprintf('# %d bare, %d hosted: %.2f %%', $want, $got,
			      $more));
}

# What HOW makes of FIELD over the events EVENT: their sum (the number of events
# if there is no FIELD), the least or the greatest.
sub figure
{
	my ($serial, $how, $what, $where) = @_;
	my ($event, $field) = split /\./, $what, 2;
	my @value = map { defined $field ? Serial::value($_, $field) // 0 : 1 }
	    Serial::events($serial, $event,
			   map { split /=/, $_, 2 } split ' ', $where);
	my $figure = 0;

	if ($how eq 'min' || $how eq 'max') {
		my @sorted = sort { $a <=> $b } @value;
		return $sorted[$how eq 'min' ? 0 : -1] // 0;
	}
	$figure += $_ for @value;
	return $figure;
}

# "count grow vm=nm = 1", "sum stats.nm_exits vm=nm <= 1"; on the right also a
# figure, of the same events unless it says which, or some percent of it:
# "sum stats.xfd_exits vm=nm = grow.xfd_exits",
# "min grow.free_bytes = min vm-stop.free_bytes",
# "sum stats.guest_ticks vm=a <= 34% end.ticks"
sub claim
{
	my ($title, $claim, $serial) = @_;
	my $kind = qr/count|sum|min|max/;
	my $places = qr/(?: \S+=\S+)*/;
	my ($how, $what, $where, $op, $percent, $how_want, $want, $where_want) =
	    $claim =~ /^($kind) (\S+)($places) (=|<=|>=|<|>) (?:(\d+)% )?(?:($kind) )?(\S+)($places)$/
	    or die "tests.conf: claim = $claim\n";
	my $got = figure($serial, $how, $what, $where);
	my $bound = $want =~ /^\d+$/ ? $want
	    : figure($serial, $how_want // 'sum', $want,
		     $where_want || $where);
	$bound *= $percent / 100 if defined $percent;
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
