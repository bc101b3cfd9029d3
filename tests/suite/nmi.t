#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# An NMI before every instruction that Tilevisor executes in VMX root operation,
# by the emulator (tests/emulator/run --nmi). Guests must claim all that they
# claim bare, Tilevisor must count as many NMIs as came, no wake-up may be lost,
# and no instruction may be left out but for a reason. Prints how much of the
# paths into, out of and between guests was interrupted.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use FindBin;
use Test::More;
use lib $FindBin::Bin;
use Serial;
use Verdict;
use Watch;

use constant { JOBS => 2, SECONDS => 600, TICKS => 3e9, FEW => 97 };

my $root  = abs_path("$FindBin::Bin/../..");
my $build = $ENV{O} || 'build';
$build = "$root/$build" unless $build =~ m{^/};
my $logs = "$build/logs/nmi";
my $image = "$build/tilevisor.elf";
make_path($logs);
$ENV{O} = $build;

# Guests by name: vCPUs that it uses bare too, those for its trials, words.
my %GUEST = (
	first_use  => [1, 32, ''],
	exceptions => [1, 0, ''],
	switch     => [2, 6, ''],
	smp        => [2, 2, ''],
	events     => [1, 12, ''],
	wakeups    => [2, 0, ''],
	posted     => [2, 0, 'posted'],
);
my @MOST = grep { $_ ne 'posted' } sort keys %GUEST;

# Where it matters most: functions that must be struck at every instruction that
# was executed, as far as the compiler has left them.
my @PATHS = (
	['into and out of a guest', qw(vmx_enter vmx_exit vcpu_run runloop
		vcpu_take_events vcpu_take_posted vcpu_inject_pending
		vcpu_wakes exit_exception exit_cpuid exit_io exit_rdmsr
		exit_wrmsr exit_cr exit_hlt exit_vmcall exit_xsetbv
		exit_intr_window exit_nmi_window exit_external_intr
		exit_slice_over exit_apic_write exit_ept_violation
		exit_inject exit_keep_event trap_interrupt)],
	['between guests', qw(vcpu_load vcpu_put vcpu_load_registers
		vcpu_save_registers vcpu_give_up vcpu_move vcpu_account
		sched_pick sched_done sched_wake sched_charge sched_slice_end
		sched_destination sched_run_timers sched_next_timer
		fpu_load fpu_put xregs_switch machine_save machine_restore
		vcpu_post vcpu_post_interrupt sti_hlt)],
	['growth', qw(fpu_nm_exit grow_area area_grow take_pages commit apply
		xfd_decide_nm xfd_take_nm xfd_must_grow vcpu_apply_traps
		fpu_write_xfd fpu_set_xcr0 policy_grown pages_alloc_aligned)],
);

# The boots: CPUs, when NMIs come, the guests.
my @BOOT = (
	[one    => 1, 'once', @MOST],
	[two    => 2, 'once', @MOST],
	[posted => 2, 'once', 'posted'],
	[again  => 2, 'every=' . FEW, @MOST],
	[halt   => 2, 'each=sti_hlt_waits', 'wakeups'],
);

sub start
{
	my ($name, @args) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	open STDOUT, '>', '/dev/null';
	open STDERR, '>', "$logs/$name.why";
	exec "$root/tests/emulator/run", @args, '--seconds', SECONDS,
	    '--ticks', TICKS, '--serial', "$logs/$name";
	die "exec: $!\n";
}

sub text
{
	my ($name) = @_;
	open my $f, '<', "$logs/$name" or return '';
	local $/;
	return <$f> // '';
}

# [name, arguments] each, JOBS at a time. { name => what Serial makes of it }
sub run_all
{
	my @todo = @_;
	my (%name, %result);

	while (@todo || %name) {
		while (@todo && keys %name < JOBS) {
			my ($name, @args) = @{shift @todo};

			unlink "$logs/$name";
			$name{start($name, @args)} = $name;
		}
		my $name = delete $name{wait()} // next;
		$result{$name} = Serial::parse(text($name));
	}
	return \%result;
}

sub bare_run
{
	my ($guest) = @_;
	my ($vcpus, $fresh, $words) = @{$GUEST{$guest}};

	return ["bare-$guest", '--direct', "$build/guest/$guest.elf",
		'--cmdline', "vcpus=$vcpus $words", '--cpus', $vcpus];
}

sub hosted_run
{
	my ($name, $cpus, $when, @guest) = @_;
	my @module = map {
		my ($vcpus, $fresh, $words) = @{$GUEST{$_}};
		my $all = $vcpus + $fresh;

		('--module', "$build/guest/$_.elf vm=$_ vcpus=$all mem=32M"
		     . " calls=on -- hosted=nm vcpus=$vcpus fresh=$fresh $words"
		     . ($cpus > 1 ? " cpus=$cpus" : ''));
	} @guest;

	return [$name, '--direct', $image, '--cpus', $cpus, '--mem', 512,
		@module, '--until', '"event":"end".*\}$', '--fail', '^tv: panic',
		'--watch', "$logs/$name.watch", '--nmi', $when,
		'--nmi-until', 'report_end'];
}

# One boot's claims; returns what was watched.
sub judge
{
	my ($serial, $bare, $name, $cpus, $when, @guest) = @_;
	my $title = "$when, $cpus CPU" . ($cpus > 1 ? 's' : '')
	    . (@guest == 1 ? ", @guest" : '');
	my ($end) = Serial::events($serial, 'end');
	my $watch = Watch::read_file("$logs/$name.watch");
	my @result;

	is $serial->{panic}, undef, "$title: no panic";
	ok $end, "$title: runs to its end" or diag text("$name.why");
	for my $guest (@guest) {
		my $lines = $serial->{vm}{$guest} // [];
		my @bad = grep { !$_->{ok} }
		    Verdict::guest($guest, $lines, qr/^one CPU$/, 'CRASH'),
		    Verdict::same_claims($guest, $bare->{"bare-$guest"}{host},
					 $lines),
		    Verdict::vm_stop($guest, $guest, undef, $serial);

		is join("\n", map { $_->{text}, @{$_->{notes}} } @bad), '',
		    "$title: $guest claims what it claims bare, and more";
	}
	cmp_ok $watch->{nmis}, '>', 0, "$title: NMIs came";
	is $end->{nmis} // 'nothing', $watch->{nmis},
	    "$title: Tilevisor counts as many as came";
	ok((grep { /^tv: CPU 0: NMI \d+ struck the host at/ }
	    @{$serial->{host}}), "$title: and the log says where");
	note "$title: $watch->{nmis} NMIs, $watch->{instructions} instructions";
	return $watch;
}

# What one of them has struck is struck.
sub merge
{
	my ($first, @more) = @_;
	my $seen = $first->{seen};

	$seen |= $_->{seen} for @more;
	return { seen => $seen };
}

sub row
{
	my ($name, @number) = @_;
	note sprintf '%-28s' . ' %9s' x @number, $name, @number;
}

# Of FUNCTION: executed in root operation, struck, not struck because NMIs were
# blocked, or SS had been loaded, or for no reason.
sub numbers
{
	my ($watch, $function) = @_;
	my ($root, $struck) = (Watch::ROOT, Watch::STRUCK);
	my $why = Watch::BLOCKED | Watch::SHADOW;

	return map { Watch::count($watch, $function, @$_) }
	    [$root], [$root | $struck],
	    [$root | Watch::BLOCKED, $struck],
	    [$root | Watch::SHADOW, $struck], [$root, $struck | $why];
}

sub completeness
{
	my ($watch) = @_;
	my @function = Watch::functions($image);
	my %function = map { $_->{name} => $_ } @function;
	my (@sum, @unexplained, @handler);

	for my $f (@function) {
		my @n = numbers($watch, $f);

		$sum[$_] += $n[$_] for 0 .. $#n;
		push @unexplained, $f->{name} if $n[4];
		push @handler, $f->{name} if $n[2];
	}
	row('function', qw(executed struck blocked shadow neither));
	for my $path (@PATHS) {
		my ($what, @name) = @$path;

		note "$what:";
		for my $name (grep { $function{$_} } @name) {
			my @n = numbers($watch, $function{$name});

			row($name, @n) if $n[0];
			is $n[1], $n[0], "$what: every instruction of $name"
			    . ' that was executed was struck' if $n[0];
		}
		my @never = grep { !$function{$_}
		    || !(numbers($watch, $function{$_}))[0] } @name;
		note "  inlined or not executed: @never" if @never;
	}
	row('all functions', @sum);
	note "in an NMI's handler: @handler";
	is "@unexplained", '',
	    'an instruction is struck, or NMIs are blocked there';
}

my $bare = run_all(map { bare_run($_) } sort keys %GUEST);
my $hosted = run_all(map { hosted_run(@$_) } @BOOT);
my %watch = map { $_->[0] => judge($hosted->{$_->[0]}, $bare, @$_) } @BOOT;

completeness(merge(@watch{qw(one two posted)}));

# An NMI between STI and HLT lets in what HLT is to wait for.
my ($halt) = grep { $_->{name} eq 'sti_hlt_waits' } Watch::functions($image);
is_deeply [(numbers($watch{halt}, { %$halt, size => 1 }))[0],
	   Watch::count($watch{halt}, $halt, Watch::STRUCK)], [0, 1],
    'after an NMI between STI and HLT a CPU does not halt';
done_testing;
