# SPDX-License-Identifier: MIT
# Reads tests.conf: sections [suite/name] of `key = value` lines. A section
# [suite/*] holds what the suite's other sections need not repeat. Knows the
# keys, so that a misspelt one is an error; starts nothing.
package Conf;
use strict;
use warnings;

# Keys that may be repeated; every occurrence counts.
my %LIST = map { $_ => 1 } qw(vm claim says never show set module stopped
			    log-allowed);
# Keys that occur once; the last occurrence counts, so sections override [*].
my %ONCE = map { $_ => 1 } qw(
	guest image iso runs vcpus fresh policies words options host
	linux tests bare-words boot-cost
	cpus mem vm-mem model vmx corrupt protocol load-at acpi bad-msrs
	seconds ticks skip panic until endless bare-only);

# Returns the sections in the file's order: { suite, name, KEY => value or [] }.
sub read_file
{
	my ($path) = @_;
	my (@section, %default, $current);

	open my $f, '<', $path or die "$path: $!\n";
	while (my $line = <$f>) {
		chomp $line;
		next if $line =~ /^\s*(#|$)/;
		if ($line =~ m{^\[(\w+)/([\w.-]+|\*)\]\s*$}) {
			$current = begin($1, $2, \%default);
			push @section, $current if $2 ne '*';
		} elsif ($current && $line =~ /^([\w-]+)\s*=\s*(.*?)\s*$/) {
			set($current, $1, $2, "$path:$.");
		} else {
			die "$path:$.: neither [suite/name] nor key = value\n";
		}
	}
	return @section;
}

sub begin
{
	my ($suite, $name, $default) = @_;

	return $default->{$suite} = { suite => $suite, name => $name }
	    if $name eq '*';
	my %copy = %{$default->{$suite} // { suite => $suite }};
	$_ = ref $_ ? [@$_] : $_ for values %copy;
	$copy{name} = $name;
	return \%copy;
}

sub set
{
	my ($section, $key, $value, $where) = @_;

	if ($LIST{$key}) {
		push @{$section->{$key}}, $value;
	} elsif ($ONCE{$key}) {
		$section->{$key} = $value;
	} else {
		die "$where: unknown key $key\n";
	}
}

1;
