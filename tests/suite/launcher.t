#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# tests/emulator/run: every way in which a run can end has its status and its
# sentence, and leaves nothing behind.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

use constant { SUCCESS => 0, FAILURE => 1, TIMEOUT => 2 };

my $root  = abs_path("$FindBin::Bin/../..");
my $build = $ENV{O} || 'build';
$build = "$root/$build" unless $build =~ m{^/};

# Runs the hostile guest bare with WORDS on its command line.
sub launch
{
	my ($words, @options) = @_;
	my $tmp = tempdir(CLEANUP => 1);

	mkdir "$tmp/t";
	local $ENV{TMPDIR} = "$tmp/t";
	local $ENV{O} = $build;
	open my $run, '-|', "$root/tests/emulator/run --mem 64 "
	    . "--direct '$build/guest/hostile.elf' --cmdline '$words' "
	    . "--serial '$tmp/serial' @options 2>&1" or die "launch: $!\n";
	my $said = do { local $/; <$run> // '' };
	close $run;
	my @left = glob "$tmp/t/*";
	return { status => $? >> 8, said => $said, left => scalar @left };
}

sub ends
{
	my ($name, $status, $sentence, $words, @options) = @_;
	my $run = launch($words, @options);

	is $run->{status}, $status, "$name: status $status";
	like $run->{said}, $sentence, "$name: says why" if defined $sentence;
	is $run->{left}, 0, "$name: leaves nothing behind";
}

ends('the exit port', SUCCESS, undef, '');
ends('the awaited line', SUCCESS, undef, 'cli_loop',
     '--until', "'^# cli; jmp'");
ends('a line of failure', FAILURE, qr/a line that means failure/, 'cli_loop',
     '--fail', "'^# cli; jmp'", '--until', 'never');
ends('an awaited line that does not come', FAILURE,
     qr/switched itself off early/, '', '--until', 'never');
ends('a triple fault', FAILURE, qr/exception with no resolution/,
     'triple_fault');
ends('out of ticks', TIMEOUT, qr/no verdict after 1\d\d000000 ticks/,
     'cli_loop', '--ticks', '150000000');
ends('out of time', TIMEOUT, qr/no verdict after 2 seconds/, 'cli_loop',
     '--seconds', 2);
ends('a model the emulator does not know', FAILURE,
     qr/cpu directive malformed/, '', '--model', 'z80');
ends('damage it does not know', FAILURE, qr/--corrupt is for multiboot2/, '',
     '--corrupt', 'magic');

# What is printed of a failure is the end of both logs.
my $run = launch('cli_loop', '--fail', "'^# cli; jmp'");
like $run->{said}, qr/serial line, last lines\n(.*\n)*# cli; jmp/,
    'a failure shows the serial line';
like $run->{said}, qr/emulator log, last lines\n/, 'and the emulator log';
done_testing;
