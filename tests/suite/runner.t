#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The runner's own tests: a run that did not get to its end has failed, however
# it looks until then; tests.conf can be read and leaves no guest out.
use strict;
use warnings;
use FindBin;
use Test::More;
use lib $FindBin::Bin;
use Conf;
use Serial;

# Verdict finds its neighbours from the program's place: this one's parent.
BEGIN { $FindBin::Bin =~ s{/suite/?$}{}; }
use Verdict;

sub failures
{
	return scalar grep { !$_->{ok} } @_;
}

sub guest
{
	my ($skip, @line) = @_;
	return Verdict::guest('g', \@line, $skip, 'CRASH');
}

my @whole = ('1..2', 'ok 1 - a', 'ok 2 - b', '# end');
is failures(guest(undef, @whole)), 0, 'a whole plan passes';
is failures(guest(undef, @whole[0 .. 2])), 1, 'without its last line: CRASH';
is failures(guest(undef, @whole[0, 1, 3])), 1, 'with a claim missing: CRASH';
is failures(guest(undef, @whole[1 .. 3])), 1, 'without a plan: CRASH';
is failures(guest(undef)), 1, 'with nothing at all: CRASH';
is failures(guest(undef, '1..1', 'not ok 1 - a', '# end')), 1,
    'a claim that does not hold fails';
is failures(guest(undef, '1..1', 'ok 1 - a # SKIP no AMX', '# end')), 1,
    'a SKIP fails';
is failures(guest('^one CPU$', '1..1', 'ok 1 - a # SKIP one CPU', '# end')), 0,
    'but not for a reason that is in order';

my $same = Verdict::same_claims('g', ['ok 1 - a', 'ok 2 - b'],
				['ok 1 - a', 'ok 2 - b', 'ok 3 - exits']);
ok $same->{ok}, 'a hosted guest may claim more than bare';
$same = Verdict::same_claims('g', ['ok 1 - a', 'ok 2 - b'], ['ok 1 - a']);
ok !$same->{ok}, 'but not less';
$same = Verdict::same_claims('g', ['ok 1 - a'], ['not ok 1 - a']);
ok !$same->{ok}, 'and not otherwise';

my $serial = Serial::parse(<<'END');
tv: hello
[nm] 1..1
[nm] ok 1 - a
[kvm] 1..1
[nm] # end
tv: event {"event":"grow","vm":"nm","vcpu":0,"to":10752}
tv: event {"event":"stats","vm":"nm","vcpu":0,"exits":{"CPUID":7}}
tv: event {"event":"stats","vm":"nm","vcpu":1,"exits":{"CPUID":5}}
tv: event {"event":"vm-stop","vm":"nm","reason":"exit port","code":1}
tv: event {"event":"vm-stop","vm":"kvm","reason":"no memory: need 3","code":0}
tv: event {broken}
END
is_deeply $serial->{vm}{nm}, ['1..1', 'ok 1 - a', '# end'],
    'lines belong to their VM';
is scalar Serial::events($serial, 'malformed'), 1, 'a broken event is seen';
for my $claim (['count grow vm=nm = 1', 1], ['count grow vm=kvm = 0', 1],
	       ['sum stats.exits.CPUID vm=nm = 12', 1],
	       ['sum stats.exits.CPUID vm=nm vcpu=1 <= 4', 0],
	       ['max stats.exits.CPUID = 7', 1],
	       ['min stats.exits.CPUID vm=nm = max stats.exits.CPUID', 0],
	       ['sum grow.to vm=nm = sum stats.exits.CPUID vcpu=0', 0],
	       ['sum stats.exits.CPUID vcpu=1 <= 42% stats.exits.CPUID vm=nm', 1],
	       ['sum stats.exits.CPUID vcpu=1 <= 41% stats.exits.CPUID vm=nm', 0]) {
	my ($text, $holds) = @$claim;
	is Verdict::claim('g', $text, $serial)->{ok}, $holds, "claim $text";
}
ok Verdict::vm_stop('g', 'nm', undef, $serial)->{ok}, 'code 1 is success';
ok !Verdict::vm_stop('g', 'kvm', undef, $serial)->{ok}, 'code 0 is not';
ok Verdict::vm_stop('g', 'kvm', 'no memory', $serial)->{ok},
    'unless the reason is the expected one';
ok !Verdict::vm_stop('g', 'eager', undef, $serial)->{ok},
    'a VM that never stops fails';
is Serial::parse("tv: panic: x\n")->{panic}, 'tv: panic: x', 'a panic is seen';

my @linux = ('linux: init, Linux 6', 'linux: ticks 1000 until init',
	     'linux: run amx', '[OK]	x', 'linux: amx exit 0', 'linux: done ok');
sub with
{
	my ($from, $to) = @_;
	return [map { $_ eq $from ? $to : $_ } @linux];
}
is failures(Verdict::linux('l', \@linux, 'amx')), 0, 'a kernel that did well';
is failures(Verdict::linux('l', with('linux: amx exit 0', 'linux: amx exit 1'),
			   'amx')), 1, 'a program that fails is seen';
is failures(Verdict::linux('l', \@linux, 'amx', 'matrix')), 1,
    'so is one that never ran';
is failures(Verdict::linux('l', ['linux: kernel: BUG', @linux], 'amx')), 1,
    'and a kernel that complains';
ok Verdict::same_lines('l', 'amx', \@linux, \@linux)->{ok}, 'equal lines';
ok !Verdict::same_lines('l', 'amx', \@linux, with('[OK]	x', '[OK]	y'))->{ok},
    'lines that differ';
ok !Verdict::same_lines('l', 'matrix', \@linux, \@linux)->{ok},
    'no line is no proof';
my @log = ('linux: run dmesg', '<6>[    0.1] a CPU', '<4>[    0.2] slow 7',
	   'linux: dmesg exit 0');
my @other = @log;
$other[2] = '<4>[    9.9] slow 8';
ok Verdict::kernel_log('l', \@log, \@other)->{ok}, 'a complaint that bare has';
for my $line ('<3>[    0.3] broken', '<6>[    0.3] tsc: marked unstable',
	      '<6>[    0.3] unchecked MSR access error: RDMSR from 0x8b') {
	my @more = (@log[0, 1], $line, $log[3]);
	ok !Verdict::kernel_log('l', \@log, \@more)->{ok}, "not so: $line";
	ok Verdict::kernel_log('l', \@log, \@more, 'broken|unstable|MSR')->{ok},
	    '... unless it is allowed';
}
ok !Verdict::kernel_log('l', \@log, \@linux)->{ok}, 'no log is no proof';
my $first = Serial::parse('tv: event {"event":"end","first_entry_ticks":500}');
my $later = with('linux: ticks 1000 until init',
		 'linux: ticks 1530 until init');
ok Verdict::boot_cost('l', 3, \@linux, $later, $first)->{ok}, '3 % is 3 %';
ok !Verdict::boot_cost('l', 2, \@linux, $later, $first)->{ok}, 'and not 2 %';

my @section = Conf::read_file("$FindBin::Bin/tests.conf");
ok @section > 0, 'tests.conf can be read';
my %run = map { $_ => 1 } grep { defined }
    map { $_->{guest}, map { /guest=(\S+)/ } @{$_->{vm} // []} } @section;
for my $dir (glob "$FindBin::Bin/guest/*/") {
	my ($name) = $dir =~ m{([^/]+)/$};
	next if $name eq 'lib' || $name eq 'bench';
	ok $run{$name}, "tests.conf runs guest $name";
}
done_testing;
