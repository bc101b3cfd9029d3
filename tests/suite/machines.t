#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The same images on machines that differ: firmware, medium, CPUs, memory. QEMU
# without hardware help has no VT-x: there the self-tests pass, or the start ends
# in the sentence about VMX. The emulator goes on to running VMs. What was seen
# is left in $O/machines.tsv, of which `make tested` makes a table.
use strict;
use warnings;
use FindBin;
use File::Path qw(make_path remove_tree);
use POSIX qw(_exit);

my $root = "$FindBin::Bin/../..";
my $build = $ENV{O} || 'build';
$build = "$root/$build" unless $build =~ m{^/};
my $logs = "$build/logs/machines";
remove_tree($logs);
make_path($logs);

my $no_vmx = '^tv: refused: this CPU has no VMX \(CPUID\.1:ECX\[5\] is 0\)';
my $failure = '^tv: (panic|not ok)';
my $vms_end = '"event":"end","verdict":"ok"';

sub file_text
{
	my ($path) = @_;
	open my $f, '<:raw', $path or return '';
	local $/;
	(my $text = <$f> // '') =~ tr/\r//d;
	return $text;
}

sub write_text
{
	my ($path, $text) = @_;
	open my $f, '>', $path or die "$path: $!\n";
	print $f $text;
	close $f;
	return $path;
}

# A volume for an application, with this tilevisor.cfg (undef: none).
sub volume_of
{
	my ($app, $name, $config, @files) = @_;
	my @all = @files;

	push @all, write_text("$logs/$name.cfg", $config), 'tilevisor.cfg'
	    if defined $config;
	system("$root/tests/qemu/esp", "$logs/$name.img", $app, @all) == 0
	    or die "tests/qemu/esp failed\n";
	return "$logs/$name.img";
}

sub volume
{
	return volume_of("$build/tilevisor.efi", @_);
}

# tilevisor.efi with a signature that OVMF's test key makes.
sub signed
{
	my $key = '/usr/share/ovmf/PkKek-1-snakeoil';

	system("openssl rsa -in $key.key -passin pass:snakeoil "
	       . "-out '$logs/key' 2>'$logs/sign' && "
	       . "sbsign --key '$logs/key' --cert $key.pem --output "
	       . "'$logs/signed.efi' '$build/tilevisor.efi' >>'$logs/sign' 2>&1")
	    == 0 or die file_text("$logs/sign");
	return "$logs/signed.efi";
}

my $guest = "$build/guest/no_xfd_aware.elf";
my $vm = 'vm=a vcpus=4 mem=32M calls=on -- hosted=nm vcpus=1 fresh=3';
my $tests = volume('selftest', "options console=com1 selftest\n");
my $vms = volume('vms', "# one VM\noptions console=com1 log=debug\n"
		 . "module guests/guest.elf $vm\n");
system('mmd', '-i', $vms, '::/guests') == 0
    && system('mcopy', '-i', $vms, $guest, '::/guests/guest.elf') == 0
    or die "mtools failed\n";

# Does this QEMU's own CPU have x2APIC? (Since version 9.0.)
sub has_x2apic
{
	return system('echo quit | qemu-system-x86_64 -accel tcg -machine q35 '
		      . '-cpu max,x2apic=on,enforce -nodefaults -display none '
		      . '-S -monitor stdio >/dev/null 2>&1') == 0;
}

# firmware, how it starts, medium, CPUs, MiB, more options of tests/qemu/run
my @self_tests = (
	['seabios', 'GRUB', 'cd', 1, 256],
	['seabios', 'GRUB', 'cd', 2, 256],
	['seabios', 'GRUB', 'cd', 8, 256],
	['seabios', 'GRUB', 'cd', 1, 6144],
	['seabios', 'GRUB', 'cd', 8, 6144],
	['seabios', 'GRUB', 'cd', 2, 6144, '--x2apic', 'on'],
	['seabios', 'GRUB', 'cd', 8, 256, '--x2apic', 'on'],
	['seabios', 'GRUB', 'cd', 2, 512, '--board', 'pc'],
	['seabios', 'GRUB', 'disk', 1, 256],
	['seabios', 'GRUB', 'usb', 2, 256],
	['ovmf', 'GRUB', 'cd', 1, 256],
	['ovmf', 'GRUB', 'cd', 2, 256],
	['ovmf', 'GRUB', 'cd', 8, 6144],
	['ovmf', 'GRUB', 'disk', 2, 256],
	['ovmf', 'GRUB', 'usb', 2, 6144],
	['ovmf', 'tilevisor.efi', 'disk', 1, 256],
	['ovmf', 'tilevisor.efi', 'usb', 2, 6144],
	['ovmf', 'tilevisor.efi', 'usb', 8, 256],
	['ovmf', 'tilevisor.efi', 'usb', 8, 6144],
	['ovmf', 'tilevisor.efi', 'usb', 2, 256, '--x2apic', 'on'],
);

sub memory_name
{
	my ($mib) = @_;
	return $mib % 1024 ? "$mib MiB" : $mib / 1024 . ' GiB';
}

sub qemu_run
{
	my ($r, $image, $verdict, @until) = @_;
	my ($firmware, $starter, $medium, $cpus, $mem, @more) = @$r;
	my %more = @more;
	my $x2apic = $more{'--x2apic'} // 'off';
	my $board = $more{'--board'} // 'q35';

	return { machine => "QEMU TCG $board", firmware => $firmware,
		 starter => $starter, medium => $medium, cpus => $cpus,
		 mem => $mem, x2apic => $x2apic, verdict => $verdict,
		 command => ["$root/tests/qemu/run", '--firmware', $firmware,
			     '--medium', $medium, '--cpus', $cpus, '--mem',
			     $mem, '--seconds', 240, '--fail', $failure, @more,
			     (map { ('--until', $_) } @until), $image] };
}

sub emulator_run
{
	my ($cpus, $x2apic) = @_;
	my @without = ('--set', 'cpu: exclude_features="x2apic"');

	return { machine => 'Bochs, patched', firmware => 'Bochs BIOS',
		 starter => 'GRUB', medium => 'cd', cpus => $cpus, mem => 512,
		 x2apic => $x2apic, verdict => 'VMs run to their end',
		 command => ["$root/tests/emulator/run", '--iso',
			     "$build/tilevisor.iso", '--cpus', $cpus, '--mem',
			     512, '--seconds', 400, '--ticks', 3e10, '--fail',
			     '^tv: panic', '--until', $vms_end,
			     $x2apic eq 'on' ? () : @without] };
}

my @run;
for my $r (@self_tests) {
	my ($image, $cpus) = ($r->[1] eq 'GRUB' ? "$build/selftest.iso" : $tests,
			      $r->[3]);
	push @run, qemu_run($r, $image, 'self-tests pass',
			    "\"event\":\"selftest\",\"verdict\":\"ok\","
			    . "\"cpus\":$cpus,");
}
for my $r (['seabios', 'GRUB', 'cd', 2, 256], ['ovmf', 'GRUB', 'cd', 2, 256],
	   ['ovmf', 'GRUB', 'usb', 2, 256]) {
	push @run, qemu_run($r, "$build/tilevisor.iso",
			    'refused: no VMX', '^tv: 2 CPUs run', $no_vmx);
}
push @run, qemu_run(['ovmf', 'tilevisor.efi', 'disk', 2, 256], $vms,
		    'refused: no VMX', 'started by tilevisor\.efi',
		    '^tv: 2 CPUs run', $no_vmx);
# The conformance image needs neither VT-x nor AMX to come to its verdict. What
# QEMU's own CPU gets wrong: docs/differential.md.
my $tcg_wrong = 'the local APIC can be disabled and enabled again'
    . '|F\.24 RDMSR and WRMSR|D\.3 #3 sizes follow XCR0';
my $verdict = '^# verdict: \d+ claims hold, ';
for my $r (['seabios', 'GRUB', 'cd', 1, 256], ['ovmf', 'GRUB', 'cd', 1, 256]) {
	push @run, qemu_run($r, "$build/bare.iso",
			    'conformance image comes to its verdict',
			    "${verdict}[0-3] do not");
	splice @{$run[-1]{command}}, -1, 0, '--fail',
	    "^not ok \\d+ - (?!$tcg_wrong)";
}
push @run, { title => 'QEMU with KVM: conformance image comes to its verdict',
	     skipped => -w '/dev/kvm' ? undef : 'no /dev/kvm that we may use',
	     command => ["$root/tests/qemu/run", '--accel', 'kvm', '--seconds',
			 600, '--until', $verdict, "$build/bare.iso"] };
push @run, map { emulator_run($_, 'on') } 1, 2, 4, 8;
push @run, emulator_run(2, 'off');

# With Secure Boot the firmware passes over what is not signed; what is, starts.
push @run, qemu_run(['ovmf-secure', 'tilevisor.efi', 'disk', 2, 256],
		    volume_of(signed(), 'signed',
			      "options console=com1 selftest\n"),
		    'signed: self-tests pass; unsigned: not started',
		    'Access Denied',
		    '"event":"selftest","verdict":"ok","cpus":2,');
splice @{$run[-1]{command}}, -1, 0, $tests;

# A panic names its functions wherever the image was moved to.
push @run, { title => 'tilevisor.efi under OVMF: a panic has its back-trace',
	     command => ["$root/tests/qemu/run", '--firmware', 'ovmf',
			 '--medium', 'usb', '--cpus', 2, '--seconds', 240,
			 '--until', '^tv: panic: selftest: a panic was asked for',
			 '--until', '^tv: by 0{8}[0-9a-f]{8} fail_panic\+',
			 '--until', '^tv: by 0{8}[0-9a-f]{8} boot_main\+',
			 '--until', '^tv: panic ends',
			 volume('panic',
				"options console=com1 selftest=panic\n")] };

# What our UEFI loader says to what is wrong: firmware goes on to the next
# medium, so that one machine shows them all. The last one is good.
my @wrong = (
	['no-config', undef, '\\\\tilevisor\.cfg cannot be opened \(not found\)'],
	['directive', "\n\nmodul x\n",
	 'tilevisor\.cfg, line 3: "modul" is neither "options" nor "module"'],
	['no-file', "module there/is none\n",
	 'there/is cannot be opened \(not found\)'],
	['empty-file', "module tilevisor.txt vm=a\n",
	 'tilevisor\.txt has 0 bytes, at least 1'],
	['directory', "module EFI vm=a\n", 'EFI is not a file that can be read \(unsupported\)'],
	['utf-16', "\xff\xfeo\0", 'line 1: the file is UTF-16'],
);
my $empty = write_text("$logs/empty", '');
my @volumes = map {
	volume("wrong-$_->[0]", $_->[1],
	       $_->[0] eq 'empty-file' ? ($empty, 'tilevisor.txt') : ())
} @wrong;
push @run, { title => 'each mistake in tilevisor.cfg ends in its sentence, '
		 . 'and the firmware goes on',
	     command => ["$root/tests/qemu/run", '--firmware', 'ovmf',
			 '--medium', 'usb', '--seconds', 240,
			 '--fail', '^tv: panic',
			 (map { ('--until', "tv: refused: .*$_->[2]") } @wrong),
			 '--until', '"event":"selftest","verdict":"ok"',
			 @volumes, $tests] };

my $number = 0;

sub ok
{
	my ($ok, $text, @notes) = @_;
	$number++;
	print $ok ? '' : 'not ', "ok $number - $text\n", map { "# $_\n" } @notes;
	return $ok;
}

sub title
{
	my ($run) = @_;
	return $run->{title} // "$run->{machine}, $run->{firmware}, "
	    . "$run->{starter} from $run->{medium}, $run->{cpus} CPU"
	    . ($run->{cpus} > 1 ? 's' : '') . ', '
	    . memory_name($run->{mem})
	    . ($run->{x2apic} eq 'on' ? ', x2APIC' : '')
	    . ": $run->{verdict}";
}

sub start
{
	my ($n, $run) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid;
	open STDERR, '>', "$logs/$n.run";
	open STDOUT, '>&', \*STDERR;
	my ($program, @args) = @{$run->{command}};
	exec $program, '--serial', "$logs/$n.serial", @args or _exit(127);
}

my $x2apic = has_x2apic();
my @seen;

sub report
{
	my ($n, $run) = @_;

	if ($run->{skipped}) {
		ok(1, title($run) . " # SKIP $run->{skipped}");
		return;
	}
	my $good = ok($run->{status} == 0, title($run),
		      $run->{status} ? split(/\n/, file_text("$logs/$n.run"))
				     : ());
	return if !$good || $run->{title};
	push @seen, join("\t", @$run{qw(machine firmware starter medium cpus)},
			 memory_name($run->{mem}), @$run{qw(x2apic verdict)});
}

# In order, as many at a time as there are CPUs.
sub run_all
{
	my ($jobs, @all) = @_;
	my %running;
	my $next = 0;

	local $SIG{INT} = local $SIG{TERM} = sub {
		kill 'TERM', keys %running;
		exit 1;
	};
	for my $n (0 .. $#all) {
		until (defined $all[$n]{status}) {
			while ($next < @all && keys %running < $jobs) {
				my $r = $all[$next];
				if ($r->{machine} && $r->{machine} =~ /^QEMU/
				    && $r->{x2apic} eq 'on' && !$x2apic) {
					$r->{skipped} =
					    "this QEMU's TCG has no x2APIC";
				}
				if ($r->{skipped}) {
					$r->{status} = 0;
				} else {
					$running{start($next, $r)} = $r;
				}
				$next++;
			}
			last if defined $all[$n]{status};
			my $done = delete $running{waitpid -1, 0} or next;
			$done->{status} = $? >> 8 || $? & 127;
		}
		report($n, $all[$n]);
	}
}

# `make qemu` takes this machine's own VT-x only where it can nest and has AMX.
sub kvm_claims
{
	my @case = (
		['all is there', 'vmx amx_tile amx_int8 amx_bf16', 'Y', 1, ''],
		['nested=1, as older kernels say it',
		 'vmx amx_tile amx_int8 amx_bf16', '1', 1, ''],
		['no VT-x', 'amx_tile amx_int8 amx_bf16', 'Y', 1,
		 'no vmx in /proc/cpuinfo'],
		['no /dev/kvm', 'vmx amx_tile amx_int8 amx_bf16', 'Y', 0,
		 'there is no /dev/kvm'],
		['no module', 'vmx amx_tile amx_int8 amx_bf16', undef, 1,
		 'kvm_intel is not loaded'],
		['not nested', 'vmx amx_tile amx_int8 amx_bf16', 'N', 1,
		 'its parameter nested=1'],
		['no AMX', 'vmx', 'Y', 1, 'no amx_tile in /proc/cpuinfo'],
		['a part of AMX', 'vmx amx_tile', 'Y', 1, 'no amx_int8'],
	);

	for my $c (@case) {
		my ($name, $flags, $nested, $device, $says) = @$c;
		my $fake = "$logs/kvm";

		remove_tree($fake);
		make_path("$fake/dev", "$fake/proc",
			  "$fake/sys/module/kvm_intel/parameters");
		write_text("$fake/proc/cpuinfo", "flags\t\t: fpu $flags sse\n");
		write_text("$fake/dev/kvm", '') if $device;
		write_text("$fake/sys/module/kvm_intel/parameters/nested",
			   "$nested\n") if defined $nested;
		my $out = `'$root/tests/qemu/kvm' '$fake'`;
		ok($says eq '' ? $? == 0 && $out eq ''
		   : $? != 0 && $out =~ /\Q$says/, "nested KVM: $name", $out);
	}
}

# `make usb` writes to nothing but a whole removable disk. Nobody answers here.
sub usb_claims
{
	my ($fixed) = map { m{/block/(\w+)/} } grep { file_text($_) eq "0\n" }
	    sort glob '/sys/block/*/removable';
	my @case = (['', 'which disk\?'], ["$logs/empty", 'not a block device'],
		    ['/dev/null', 'not a block device']);

	push @case, ["/dev/$fixed", 'is not removable']
	    if defined $fixed && -b "/dev/$fixed";
	for my $c (@case) {
		my $usb = "'$root/tests/usb' '$build/tilevisor.iso'";
		my $out = `$usb '$c->[0]' 2>&1 </dev/null`;
		ok($? != 0 && $out =~ /^usb: .*$c->[1]/,
		   "make usb refuses '$c->[0]'", $out);
	}
}

chomp(my $cpus = `nproc 2>/dev/null` || 1);
$| = 1;
run_all($cpus, @run);
kvm_claims();
usb_claims();
write_text("$build/machines.tsv", join('', map { "$_\n" } @seen));
my $stale = `'$root/tests/machines' --check '$build/machines.tsv' 2>&1`;
ok($? == 0, 'docs/tested.md says what was seen here', split /\n/, $stale);
print "1..$number\n";
