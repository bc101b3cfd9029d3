#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What goes wrong outside of guests: memory that is not there when it is asked
# for, at every single call, images that are cut short, and VM entries that
# fail. Each run must end
# as our three failures do: a refusal that says what is missing, or one VM that
# is refused or stopped with a reason while the others keep all their claims.
# A hang and a run that ends without a word are failures, and so is a panic but
# for an entry that only a bug of ours can spoil.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use FindBin;
use Test::More;
use lib $FindBin::Bin;
use Serial;

use constant { JOBS => 2, SECONDS => 60, NEVER => 999, CODE_SUCCESS => 1,
	       VICTIM_BYTES => 8 << 20 };

my $root  = abs_path("$FindBin::Bin/../..");
my $build = $ENV{O} || 'build';
$build = "$root/$build" unless $build =~ m{^/};
my $logs = "$build/logs/faults";
make_path($logs);
$ENV{O} = $build;

# One that grows in each of two lives, one whose area is there from the start,
# one beneath which a large page is split.
my %VM = (grows   => "$build/guest/reset.elf vm=grows vcpus=2 mem=8M calls=on"
	      . ' -- hosted=nm vcpus=2 lives=2',
	  reserve => "$build/guest/first_use.elf vm=reserve mem=16M fpu=reserve"
	      . ' calls=on -- hosted=nm',
	  moves   => "$build/guest/moved_memory.elf vm=moves vcpus=2 mem=8M"
	      . ' calls=on -- hosted=nm vcpus=2 rounds=2');
my @ORDER = qw(grows reserve moves);

# Until the machine is off or the VMs are done; the log is $logs/NAME.
sub start
{
	my ($name, $host, @module) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	open STDOUT, '>', '/dev/null';
	open STDERR, '>', "$logs/$name.why";
	exec "$root/tests/emulator/run", '--direct', "$build/tilevisor.elf",
	    '--cpus', 2, '--mem', 96, '--cmdline', $host,
	    (map { ('--module', $_) } @module), '--until',
	    '"event":"end".*\}$', '--seconds', SECONDS, '--serial',
	    "$logs/$name";
	die "exec: $!\n";
}

# Runs all of them, JOBS at a time. { name => what Serial makes of it }
sub run_all
{
	my @todo = @_;
	my (%name, %result);

	while (@todo || %name) {
		while (@todo && keys %name < JOBS) {
			my ($name, @run) = @{shift @todo};

			unlink "$logs/$name";
			$name{start($name, @run)} = $name;
		}
		my $name = delete $name{wait()} // next;
		my $text = '';

		if (open my $f, '<', "$logs/$name") {
			local $/;
			$text = <$f> // '';
		}
		$result{$name} = Serial::parse($text);
	}
	return \%result;
}

sub is_whole
{
	my ($serial, $vm) = @_;
	my ($stop) = Serial::events($serial, 'vm-stop', vm => $vm);
	my $tap = Serial::tap(@{$serial->{vm}{$vm} // []});

	return $stop && $stop->{code} == CODE_SUCCESS && $tap->{ended}
	    && @{$tap->{tests}} == ($tap->{plan} // -1)
	    && !grep { !$_->{ok} } @{$tap->{tests}};
}

# What a call of the guest's may answer without memory: page_move.h.
sub was_told
{
	my ($serial, $vm) = @_;
	my $text = join "\n", @{$serial->{vm}{$vm} // []};

	return $vm eq 'moves' && $text =~ /^# (the last|a) step: got 0x2,/m;
}

# (how it ended, where it is known which VM's, the VM's; or undef, complaint)
sub outcome
{
	my ($serial, $reason, @vm) = @_;
	my ($refused) = grep { s/^tv: refused: // } map { my $l = $_; $l }
	    @{$serial->{host}};
	my ($end) = Serial::events($serial, 'end');

	return (undef, $serial->{panic}) if $serial->{panic};
	if (defined $refused) {
		return (undef, "refused for another reason: $refused")
		    if $refused !~ $reason;
		return (undef, "refused when VMs ran")
		    if Serial::events($serial, 'vm-start');
		return ('refused at boot', $refused);
	}
	return (undef, 'it neither ended nor was refused') if !$end;

	my @broken = grep { !is_whole($serial, $_) } @vm;
	return ('survived', '') if !@broken && $end->{verdict} eq 'ok';
	return (undef, "VMs with less than all claims: @broken")
	    if @broken != 1;

	my ($vm) = @broken;
	for my $event (Serial::events($serial, 'vm-refused', vm => $vm)) {
		return ('VM refused', "$vm: $event->{reason}")
		    if $event->{reason} =~ $reason;
		return (undef, "$vm refused: $event->{reason}");
	}
	my ($stop) = Serial::events($serial, 'vm-stop', vm => $vm);
	return (undef, "$vm has no end") if !$stop;
	return ('VM stopped', "$vm: $stop->{reason}")
	    if $stop->{reason} =~ $reason;
	return ('guest told', "$vm: no memory for its call")
	    if was_told($serial, $vm);
	return (undef, "$vm stopped: $stop->{reason}");
}

# Memory after a VM was refused: as much as before it was tried.
sub leaks
{
	my ($serial, $after) = @_;
	my ($refused) = Serial::events($serial, 'vm-refused');

	return 0 if !$refused;
	my ($at) = grep { $ORDER[$_] eq $refused->{vm} } 0 .. $#ORDER;
	my ($last) = $at ? Serial::events($serial, 'vm-start',
					  vm => $ORDER[$at - 1]) : ();
	my $before = $last ? $last->{free_bytes} : $after->{$refused->{vm}};

	$after->{$refused->{vm}} //= $refused->{free_bytes};
	return defined $before && $before != $refused->{free_bytes};
}

sub sweep
{
	my $host = 'log=debug slice=50 fail-alloc=';
	my @module = @VM{@ORDER};
	my $whole = run_all(['none', $host . NEVER, @module])->{none};
	my ($calls) = map { /^tv: (\d+) calls of the page allocator/ ? $1 : () }
	    @{$whole->{host}};
	my ($how, $why) = outcome($whole, qr/./, @ORDER);

	is $how, 'survived', 'with all memory there, every claim holds'
	    or diag $why;
	cmp_ok $calls // 0, '>', 0, 'the calls of the allocator are counted';
	cmp_ok $calls // 0, '<', NEVER, 'and none of them was to fail';
	my $result = run_all(map { ["at-$_", "$host$_", @module] }
			     1 .. $calls // 0);
	my (%table, %after, @silent, @wrong, @leak, %caller_seen);

	for my $k (1 .. $calls // 0) {
		my $serial = $result->{"at-$k"};
		my @said = map { /^tv: fail-alloc=$k: no \d+ pages for (\S+)/
				     ? $1 : () } @{$serial->{host}};
		my $end;

		push @silent, $k if @said != 1;
		($end, $why) = outcome($serial, qr/no memory|wants/, @ORDER);
		push @wrong, "$k ($said[0]): $why" if !$end;
		push @leak, $k if leaks($serial, \%after);
		$table{$said[0] // '?'}{$end // 'WRONG'}++;
	}
	print_table(\%table);
	is "@silent", '', "each of $calls calls failed, once, and the log says so";
	is join("\n", @wrong), '', 'every run ended as it should';
	is "@leak", '', 'a VM that is refused leaves no page behind';
	for my $kind ('refused at boot', 'VM refused', 'VM stopped') {
		ok((grep { $_->{$kind} } values %table),
		   "at least one run: $kind");
	}
}

sub print_table
{
	my ($table) = @_;
	my @kind = ('refused at boot', 'VM refused', 'VM stopped',
		    'guest told', 'survived', 'WRONG');
	my %sum;

	diag_row('the call fails in', @kind);
	for my $who (sort keys %$table) {
		diag_row($who, map { $table->{$who}{$_} // '-' } @kind);
		$sum{$_} += $table->{$who}{$_} // 0 for @kind;
	}
	diag_row('all', map { $sum{$_} } @kind);
}

sub diag_row
{
	my ($first, @rest) = @_;

	note sprintf '%-20s' . ' %15s' x @rest, $first, @rest;
}

# A file's first BYTES bytes; its name.
sub cut
{
	my ($from, $bytes) = @_;
	my $to = "$logs/cut-$bytes.elf";

	open my $in, '<:raw', $from or die "$from: $!\n";
	open my $out, '>:raw', $to or die "$to: $!\n";
	my $text;
	read $in, $text, $bytes;
	print $out $text;
	close $out or die "$to: $!\n";
	return $to;
}

sub cut_short
{
	my $image = "$build/guest/first_use.elf";
	my @bytes = (1, 51, 64, 1000, 5000, int((-s $image) / 3));
	my $result = run_all(map {
		["cut-$_", 'log=debug',
		 cut($image, $_) . ' vm=short mem=16M calls=on -- hosted=nm',
		 $VM{reserve}]
	} @bytes);

	for my $n (@bytes) {
		my ($how, $why) = outcome($result->{"cut-$n"}, qr/image|file|kernel/,
					  'short', 'reserve');

		is $how, 'VM refused', "an image of $n bytes only: $why";
	}
}

# What the entry is made to fail by (vmx/fail_entry.c), and what must come of
# it: a panic that names it, or that VM alone is stopped with the reason.
my %PANIC = (
	vmcs    => qr/refused: there is no current VMCS/,
	launch  => qr/refused: VMRESUME with a VMCS that was not launched \(5\)/,
	control => qr/refused: invalid control fields \(7\)/,
	host    => qr/refused: invalid host-state fields \(8\)/,
	msr     => qr/failed: MSR_LOAD_FAIL, qualification 1/,
);
my %STOP = (
	event => qr/^VM entry refused: ENTRY_INTR_INFO: reserved type/,
	guest => qr/^VM entry failed: INVALID_STATE, qualification 0: GUEST_RFLAGS/,
);
my @ENTRIES = (1, 2, 7, 30); # of those that something had delayed

# A panic has the whole VMCS, as far as there is one, and the guest's registers.
sub dumps
{
	my ($serial) = @_;
	my @vmcs = grep { /^tv: vmcs: \w+ +(0|0x[0-9a-f]+)$/ } @{$serial->{host}};
	my @r = grep { /^tv: guest r\[\d+\] [0-9a-fx]+$/ } @{$serial->{host}};

	return @vmcs . ' fields, ' . @r . ' registers';
}

sub entries
{
	my $host = 'log=debug slice=50 fail-entry=';
	my @module = @VM{@ORDER};
	my @kind = (sort(keys %PANIC), sort keys %STOP);
	my $result = run_all(map {
		my $kind = $_;
		map { ["$kind-$_", "$host$kind,$_", @module] } @ENTRIES
	} @kind);
	my %whose;

	for my $kind (@kind) {
		for my $k (@ENTRIES) {
			my $title = "entry $k fails by $kind";
			my $serial = $result->{"$kind-$k"};
			my ($vm) = map { /^tv: fail-entry=$kind: entry $k, which is (\w+)\/\d's/
					    ? $1 : () } @{$serial->{host}};

			ok $vm, "$title: the log says whose";
			$whose{$vm // '?'}++;
			if ($PANIC{$kind}) {
				like $serial->{panic} // 'none', $PANIC{$kind},
				    "$title: a bug of ours is a panic";
				like dumps($serial), $kind eq 'vmcs'
				    ? qr/^0 fields, 16 / : qr/^1\d\d fields, 16 /,
				    "$title: with the VMCS and the registers";
				ok !Serial::events($serial, 'end'),
				    "$title: and no VM goes on";
				next;
			}
			my ($how, $why) = outcome($serial, $STOP{$kind}, @ORDER);
			my @end = Serial::events($serial, 'vm-stop');

			is $how, 'VM stopped', "$title: $why, all others keep"
			    . ' their claims';
			is scalar(@end), scalar(@ORDER), "$title: every VM ends";
			is $end[0]{vm}, $vm, "$title: that one at once";
			cmp_ok $end[1]{free_bytes} - $end[0]{free_bytes}, '>=',
			    VICTIM_BYTES, "$title: its memory is given back";
		}
	}
	cmp_ok scalar(keys %whose), '>', 1,
	    'more than one VM was hit: ' . join ' ', sort keys %whose;
}

sweep();
cut_short();
entries();
done_testing;
