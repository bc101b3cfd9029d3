# SPDX-License-Identifier: MIT
# A run of the emulator at whose terminal a test sits: sends keys, waits for
# what must come. Its serial line is kept in $O/logs/terminal.
package Session;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use FindBin;
use IPC::Open2;
use IO::Select;
use POSIX qw(_exit);
use Time::HiRes qw(time);

use constant WAIT_SECONDS => 60; # a hang, not a slow machine
use constant LAST_BYTES   => 2000;

my $root  = abs_path("$FindBin::Bin/../..");
my $build = $ENV{O} || 'build';
$build = "$root/$build" unless $build =~ m{^/};

sub build_directory
{
	return $build;
}

sub log_directory
{
	my $dir = "$build/logs/terminal";

	make_path($dir);
	return $dir;
}

# OPTIONS are those of tests/emulator/run.
sub start
{
	my ($class, $name, @options) = @_;
	my $dir = log_directory();
	my $self = bless {
		seen => '', taken => '',
	}, $class;

	local $ENV{O} = $build;
	open my $stderr, '>&', \*STDERR or die "stderr: $!\n";
	open STDERR, '>', "$dir/$name.run" or die "$dir/$name.run: $!\n";
	$self->{pid} = open2($self->{out}, $self->{in},
			     "$root/tests/emulator/run", '--terminal',
			     '--serial', "$dir/$name.serial",
			     '--log', "$dir/$name.emulator",
			     '--seconds', 300, @options);
	open STDERR, '>&', $stderr;
	binmode $self->{$_} for qw(in out);
	$self->{ready} = IO::Select->new($self->{out});
	return $self;
}

# Tilevisor with VMs: "NAME GUEST OPTIONS -- WORDS".
sub start_vms
{
	my ($class, $name, $cmdline, $options, @vms) = @_;
	my @module;

	for my $line (@vms) {
		my ($vm, $guest, $rest) = split ' ', $line, 3;

		push @module, '--module',
		    "$build/guest/$guest.elf vm=$vm " . ($rest // '');
	}
	return $class->start($name, '--direct', "$build/tilevisor.elf",
			     '--cmdline', $cmdline, '--fail', '^tv: panic',
			     @{$options}, @module);
}

# Keys, or any bytes. Larger than a pipe holds: output is read meanwhile.
sub send
{
	my ($self, $bytes) = @_;

	while ($bytes ne '') {
		my (undef, $can) = IO::Select->select(
			undef, IO::Select->new($self->{in}), undef, 0.01);
		$self->read_more(0);
		next unless $can;
		my $sent = syswrite $self->{in}, substr($bytes, 0, 4096);
		return unless $sent;
		substr($bytes, 0, $sent) = '';
	}
}

# False: nothing came, or the line was closed.
sub read_more
{
	my ($self, $seconds) = @_;

	return 0 unless $self->{ready}->can_read($seconds);
	return 0 unless sysread $self->{out}, my $part, 65536;
	$self->{seen} .= $part;
	return 1;
}

# The text up to what matches PATTERN, which is taken; undef: it did not come.
sub expect
{
	my ($self, $pattern, $seconds) = @_;
	my $end = time + ($seconds // WAIT_SECONDS);

	for (;;) {
		if ($self->{seen} =~ /$pattern/) {
			my $text = substr $self->{seen}, 0, $+[0], '';
			$self->{taken} .= $text;
			return $text;
		}
		next if $self->read_more(0.1);
		last if time > $end || waitpid($self->{pid}, POSIX::WNOHANG);
	}
	return undef;
}

# Has PATTERN come since the beginning, or does it come now? Takes nothing.
sub comes
{
	my ($self, $pattern) = @_;
	my $end = time + WAIT_SECONDS;

	until ("$self->{taken}$self->{seen}" =~ /$pattern/) {
		next if $self->read_more(0.1);
		return 0 if time > $end || waitpid($self->{pid}, POSIX::WNOHANG);
	}
	return 1;
}

# What has come and was not taken, for a failure.
sub rest
{
	my ($self) = @_;
	my $text = $self->{seen};

	$text = substr $text, -LAST_BYTES() if length $text > LAST_BYTES;
	$text =~ tr/\r//d;
	$text =~ s/([^\n\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;
	return "what came instead:\n$text";
}

# After the machine has ended by itself: the status of the run.
sub finish
{
	my ($self) = @_;

	close $self->{in};
	1 while $self->read_more(WAIT_SECONDS);
	waitpid $self->{pid}, 0;
	undef $self->{pid};
	return $? >> 8;
}

sub DESTROY
{
	my ($self) = @_;

	return unless $self->{pid};
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
