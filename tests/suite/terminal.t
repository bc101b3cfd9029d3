#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Somebody sits at the terminal: input through the UART, bare and hosted, and
# the monitor with VMs that go on running.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use FindBin;
use IPC::Open2;
use lib $FindBin::Bin;
use Session;
use Test::More;

use constant ESCAPE => "\x1d";
use constant { PASTE_BYTES => 100_000, BARE_BYTES => 10_000 };

my $session; # the one that is running

sub shows
{
	my ($what, $pattern) = @_;
	my $text = $session->expect($pattern);

	return $text if ok(defined $text, $what);
	diag $session->rest;
	die "the session ends here\n";
}

sub comes
{
	my ($what, $pattern) = @_;

	return if ok($session->comes($pattern), $what);
	diag $session->rest;
	die "the session ends here\n";
}

# Types LINE at the monitor and waits for PATTERN and the next prompt.
sub monitor
{
	my ($line, $pattern, $what) = @_;

	$session->send("$line\r");
	shows($what // "monitor: $line", qr/$pattern[^\n]*\n(?s:.*?)tv> $/);
}

sub fnv1a
{
	my ($bytes) = @_;
	my $hash = 2166136261;

	$hash = (($hash ^ $_) * 16777619) & 0xffffffff for unpack 'C*', $bytes;
	return sprintf '%x', $hash;
}

# Every byte value but the monitor's, in no simple order.
sub random_bytes
{
	my ($count) = @_;
	my $x = 12345;

	return join '', map {
		$x = ($x * 1103515245 + 12345) & 0x7fffffff;
		my $byte = $x >> 16 & 0xff;
		chr($byte == ord(ESCAPE) ? 0 : $byte);
	} 1 .. $count;
}

# COMMAND of the guest `uart`, with COUNT bytes: none is lost or twice.
sub input
{
	my ($where, $command, $count, $between) = @_;
	my $bytes = random_bytes($count);

	$session->send("$command $count\n");
	shows("$where: $command $count begins", qr/go\r?\n/);
	$session->send($bytes);
	shows("$where: what RTS is for", $between) if $between;
	shows("$where: $command $count, nothing lost, by FIFO",
	      qr/sum $count is \Q@{[fnv1a($bytes)]}\E, 0 overruns, 0 strange causes, by FIFO/);
}

# What a terminal gives a guest, the same bare and hosted.
sub conversation
{
	my ($where, $paste) = @_;

	shows("$where: the guest is ready", qr/uart: ready\r?\n/);
	$session->send("ask\n");
	shows("$where: half a line is shown", qr/name\? $/);
	input($where, 'sum', 1000);
	input($where, 'late', 3000);
	input($where, 'sum', $paste);
	my $bytes = join '', map { chr } grep { chr ne ESCAPE } 0 .. 255;
	my $count = length $bytes;
	$session->send("raw $count\n");
	shows("$where: raw begins", qr/go\r?\n/);
	$session->send($bytes);
	shows("$where: CR, LF, NUL and 8-bit bytes pass as they are",
	      qr/\Q$bytes\E/);
}

sub bare
{
	$session = Session->start(
		'bare', '--direct', Session::build_directory() . '/guest/uart.elf',
		'--mem', 64, '--cmdline', 'session');
	conversation('bare', BARE_BYTES);
	$session->send("end\n");
	is $session->finish, 0, 'bare: it ends well';
}

sub hosted
{
	$session = Session->start_vms('hosted', 'console-raw=a log=warn',
				      [qw(--mem 128)],
				      'a uart mem=16M -- session');
	conversation('hosted', PASTE_BYTES);
	input('hosted', 'held', 2000, qr/\b0 bytes without RTS/);
	$session->send("raw 1\n");
	shows('hosted: raw 1 begins', qr/go\r?\n/);
	$session->send(ESCAPE);
	shows('Ctrl-] opens the monitor', qr/tv: monitor.*\n(.*\n)*tv> $/);
	$session->send(ESCAPE);
	shows('Ctrl-] again is sent to the VM', qr/\x1d/);
	$session->send("end\n");
	is $session->finish, 0, 'hosted: it ends well';
}

sub commands
{
	$session = Session->start_vms(
		'commands', 'log=warn', [qw(--mem 256 --cpus 2)],
		'one first_use mem=16M vcpus=2 -- vcpus=1', # soon at its end
		'two hostile mem=16M -- cli_loop',
		'three uart mem=16M -- session',
		'four uart mem=16M xfd=kvm -- session');
	comes('VM one stops', qr/"vm-stop","vm":"one"/);
	comes('its terminal goes to the next', qr/tv: the terminal is two's/);
	comes('VM three is ready, with its name', qr/\[three\] uart: ready/);
	comes('and VM four', qr/\[four\] uart: ready/);
	comes('VM two never gives up', qr/\[two\] # cli; jmp/);
	$session->send(ESCAPE);
	shows('the monitor opens', qr/tv: monitor.*\n(.*\n)*tv> $/);
	monitor('help', 'tv: help(?s:.*)tv: off', 'monitor: help lists them');
	monitor('vms', '\* two +multiboot1 +1 +16 +nm +runs',
		'monitor: vms, * has the terminal');
	monitor('vms', 'one +multiboot1 +2 +16 +nm +stopped, code 1',
		'monitor: vms, a stopped one');
	monitor('vcpus', 'two/0 +\d +(running|ready) .* 2560 not grown',
		'monitor: vcpus, one that spins with interrupts off');
	monitor('vcpus', 'three/0 +\d +halted ',
		'monitor: vcpus, one that waits');
	monitor('vcpus', 'one/0 +\d +stopped .*1\d{4} grown',
		'monitor: vcpus, one that used tiles');
	monitor('xfd', 'two/0 +nm +0x1 +0  0x40000   RDMSR XFD WRMSR XFD\r',
		'monitor: xfd, missing and trapped');
	monitor('xfd', 'four/0 +kvm +0x1 +0 +0   .*WRMSR XFD_ERR',
		'monitor: xfd, nothing missing under kvm');
	monitor('exits', '\d+ IO_INSTRUCTION(?s:.*)exits of all VMs',
		'monitor: exits of all');
	monitor('exits three', '\d+ HLT(?s:.*)exits of three',
		'monitor: exits of one');
	monitor('trace 3',
		'(tv: CPU 0 +\d+ us ago \S+ +rip +0x[0-9a-f]+ [A-Z_]+\r\n){2}'
		. 'tv: CPU 0',
		'monitor: trace');
	monitor('bogus', 'there is no command "bogus"; help lists them');
	monitor('kill', 'it is written "kill VM"');
	monitor('kill five', 'there is no VM "five"; vms lists them');
	monitor('console one', 'one has stopped \(code 1\)');
	monitor("help me\x15vms", '\* two', 'monitor: Ctrl-U erases');
	$session->send("console three\r");
	shows('console: the terminal is another VM\'s',
	      qr/tv: the terminal is three's/);
	$session->send("ask\n");
	shows('whose bytes come as they are', qr/\nname\? $/);
	$session->send(ESCAPE);
	shows('the monitor opens again', qr/tv> $/);
	$session->send("kill two\r");
	shows('kill: that VM stops',
	      qr/"vm-stop","vm":"two","reason":"killed at/);
	monitor('vms', 'two .*stopped, code -1(?s:.*)three .*runs',
		'kill: and no other');
	$session->send("console four\r");
	shows('console: to VM four', qr/tv: the terminal is four's/);
	$session->send("ask\n");
	shows('which answers', qr/\nname\? $/);
	$session->send(ESCAPE);
	shows('the monitor opens once more', qr/tv> $/);
	$session->send("reset three\r");
	shows('reset: that VM begins again', qr/"event":"vm-reset","vm":"three"/);
	$session->send("console three\r");
	shows('reset: and is ready again', qr/uart: ready/);
	$session->send(ESCAPE . "off\r");
	shows('off: every VM stops',
	      qr/"vm":"(three|four)","reason":"switched off(?s:.*)"event":"end"/);
	$session->finish;
}

# A VM that reads nothing does not keep the keyboard from the monitor.
sub deaf
{
	$session = Session->start_vms('deaf', 'log=warn', [qw(--mem 128)],
				      'a hostile mem=16M -- cli_loop',
				      'b uart mem=16M -- session');
	shows('VM b is ready', qr/\[b\] uart: ready/);
	$session->send('x' x 6000);
	shows('what is dropped is said', qr/tv: a does not read its 4096 bytes/);
	$session->send(ESCAPE);
	shows('the monitor opens all the same', qr/tv> $/);
	monitor('exits a', '\d+ EXTERNAL_INTERRUPT',
		'keys end the stay of a guest with interrupts off');
	$session->send("console b\r");
	shows('and gives the terminal away', qr/tv: the terminal is b's/);
	$session->send("ask\n");
	shows('to a VM that reads', qr/\nname\? $/);
	$session->send(ESCAPE . "off\r");
	shows('the end', qr/"event":"end"/);
	$session->finish;
}

# A machine whose tables lead no interrupt from the console to a CPU.
sub polled
{
	$session = Session->start_vms('polled', 'console-raw=a',
				      [qw(--mem 128 --no-acpi)],
				      'a uart mem=16M -- session');
	comes('without ACPI the console is polled, and it is said',
	      qr/tv: the console's input is polled: there is no MADT/);
	shows('polled: the guest is ready', qr/uart: ready\r?\n/);
	input('polled', 'sum', 200);
	$session->send("end\n");
	is $session->finish, 0, 'polled: it ends well';
}

# A terminal gets its settings back, however the emulator ends.
sub tty
{
	my $guest = Session::build_directory() . '/guest/uart.elf';
	my $run = "$FindBin::Bin/../emulator/run --terminal --direct $guest "
	    . '--mem 64 --cmdline session';
	my %ends = (
		'by its key' => ["$run", 0, "\x1c"],
		'by a signal' => ["timeout --foreground -s TERM 10 $run", 124, ''],
		'by itself' => [$run, 0, "end\n"],
	);

	for my $how (sort keys %ends) {
		my ($command, $status, $keys) = @{$ends{$how}};
		local $ENV{O} = Session::build_directory();
		my $pid = open2(my $out, my $in, 'script', '-qec',
				"stty -g; $command 2>/dev/null; "
				. 'echo status $?; stty -g', '/dev/null');
		my $text = '';
		while (sysread $out, $text, 4096, length $text) {
			next unless $keys ne '' && $text =~ /uart: ready/;
			syswrite $in, $keys;
			$keys = '';
		}
		waitpid $pid, 0;
		my ($before, $got, $after) = $text =~
		    /^([0-9a-f:]+)\r\n.*status (\d+)\r\n([0-9a-f:]+)/ms;
		is $got, $status, "a terminal: the emulator ends $how";
		is $after, $before, "a terminal: as it was, ended $how";
	}
}

# Types COMMAND in the guest's shell and waits for PATTERN and the next prompt.
sub at_shell
{
	my ($what, $command, $pattern) = @_;

	$session->send("$command\r");
	shows("linux: $what", qr/$pattern(?s:.*?)linux:\S+# /);
}

# A Debian kernel that ends in a shell, and MODULES beside it.
sub start_linux
{
	my ($version, @modules) = @_;
	chomp(my $dir = `'$FindBin::Bin/../linux/build' $version`);

	$session = Session->start(
		'linux', '--direct', Session::build_directory() . '/tilevisor.elf',
		'--cmdline', 'console-raw=linux log=warn', '--mem', 1024,
		'--fail', '^tv: panic', '--module',
		"$dir/vmlinuz vm=linux mem=640M -- console=ttyS0 quiet no5lvl "
		. 'panic=-1 mitigations=off nokaslr tests=shell',
		'--module', "$dir/initrd vm=linux initrd", @modules);
	shows("linux $version: the init explains itself",
	      qr/matrix 4 +products/);
	shows("linux $version: a prompt, without a newline", qr/linux:\S+# /);
}

# The older kernel: to its shell, through a reboot to it again, and off.
sub linux_6_1
{
	start_linux('6.1');
	at_shell('it is the kernel that was asked for', 'uname -r',
		 qr/\n6\.1\.\S+\r\n/);
	at_shell('tiles', 'matrix 2', qr/ 0 wrong/);
	$session->send("reboot\r");
	shows('reboot: the VM begins again', qr/"event":"vm-reset","vm":"linux"/);
	shows('linux 6.1: its prompt again',
	      qr/matrix 4 +products(?s:.*?)linux:\S+# /);
	$session->send("poweroff\r");
	shows('poweroff: the guest stops by itself',
	      qr/"vm-stop","vm":"linux","reason":"the guest powered off"/);
	shows('and the machine with it', qr/"event":"end"/);
	$session->finish;
}

# A Debian kernel's shell, while another VM runs beside it.
sub linux
{
	my $text = join '', map { sprintf "%07d %s\n", $_, '#' x 56 }
	    1 .. PASTE_BYTES / 65;
	my $bytes = random_bytes(20_000);

	start_linux('6.12', '--module',
		    Session::build_directory() . '/guest/uart.elf vm=b mem=16M '
		    . '-- session');
	at_shell('what is typed is echoed and done', 'echo $((6 * 7))',
		 qr/echo \$\(\(6 \* 7\)\)\r\n42\r\n/);
	$session->send("echo begun; sleep 1000\r");
	shows('linux: a command that lasts', qr/\nbegun\r\n/);
	$session->send("\x03");
	shows('linux: Ctrl-C ends it', qr/linux:\S+# /);
	$session->send("stty -echo; cat >text; md5sum text; stty echo\r");
	shows('linux: cat waits', qr/stty echo\r\n/);
	$session->send("$text\x04");
	shows('linux: ' . length($text) . ' bytes pasted, none lost',
	      qr/\Q@{[md5_hex($text)]}\E  text/);
	shows('linux: the prompt again', qr/linux:\S+# /);
	$session->send("stty raw -echo; echo go; head -c 20000 | md5sum; "
		       . "stty sane\r");
	shows('linux: a raw tty', qr/\ngo/);
	$session->send($bytes);
	shows('linux: 20000 bytes of any value, none lost',
	      qr/\Q@{[md5_hex($bytes)]}\E  -/);
	shows('linux: the prompt once more', qr/linux:\S+# /);
	at_shell('tiles', 'matrix 2', qr/ 0 wrong/);
	comes('its first tile instruction was trapped once',
	      qr/"event":"grow","vm":"linux".*"nm_exits":1,/);
	$session->send(ESCAPE);
	shows('the monitor opens', qr/tv> $/);
	monitor('vcpus', 'linux/0 .* 10752 grown', 'monitor: vcpus of linux');
	monitor('xfd', 'linux/0 +nm .*nothing, all is native',
		'monitor: no exit is left after the growth');
	$session->send("console b\r");
	shows('console: the other VM', qr/tv: the terminal is b's/);
	$session->send("ask\n");
	shows('which answers', qr/name\? $/);
	$session->send(ESCAPE . "console linux\r");
	shows('console: and back', qr/tv: the terminal is linux's/);
	$session->send("\r");
	shows('linux: is still there', qr/linux:\S+# /);
	$session->send(ESCAPE . "kill b\r\x04poweroff\r");
	shows('poweroff: the guest stops by itself',
	      qr/"vm-stop","vm":"linux","reason":"the guest powered off"/);
	shows('and the machine with it', qr/"event":"end"/);
	$session->finish;
}

my %play = (bare => \&bare, hosted => \&hosted, commands => \&commands,
	    deaf => \&deaf, polled => \&polled, tty => \&tty,
	    linux => \&linux, linux_6_1 => \&linux_6_1);
for my $name (@ARGV ? @ARGV : qw(bare hosted commands deaf polled tty linux linux_6_1)) {
	eval { $play{$name}->(); 1 } or diag $@;
}
done_testing;
