# SPDX-License-Identifier: MIT
# What tests/emulator/run --watch leaves: what became of each instruction of the
# hypervisor. The format is that of patches/33-watch-root.patch.
package Watch;
use strict;
use warnings;

use constant {
	EXECUTED  => 0x01,	# an instruction at this address
	STRUCK    => 0x02,	# an NMI came before it
	BLOCKED   => 0x04,	# none could: blocked until IRET
	SHADOW    => 0x08,	# none could: an instruction before it loaded SS
	NEXT      => 0x10,	# the next one in memory was executed after it
	ELSEWHERE => 0x20,	# another one was
	ROOT      => 0x40,	# it was executed in VMX operation
};
use constant NUMBERS => 256;

# { instructions, nmis, seen => a byte for each address }
sub read_file
{
	my ($path) = @_;

	open my $f, '<:raw', $path or die "$path: $!\n";
	local $/;
	my $all = <$f>;
	my ($instructions, $nmis) = unpack 'Q2', $all;
	return { instructions => $instructions, nmis => $nmis,
		 seen => substr $all, 8 * NUMBERS };
}

# Functions of an image, in the order of their addresses: { name, at, size },
# AT counted from image_start.
sub functions
{
	my ($image) = @_;
	my (@function, $start, $end);

	for (`nm -n '$image'`) {
		my ($at, $kind, $name) = /^(\w+) (\w) (\S+)$/ or next;
		$at = hex $at;
		$start = $at if $name eq 'image_start';
		$end = $at if $name eq 'text_end';
		push @function, { name => $name, at => $at } if $kind =~ /t/i;
	}
	die "$image is not an image of the hypervisor\n"
	    unless defined $start && defined $end;
	@function = grep { $_->{at} >= $start && $_->{at} < $end } @function;
	for my $i (0 .. $#function) {
		my $next = $i < $#function ? $function[$i + 1]{at} : $end;

		$function[$i]{size} = $next - $function[$i]{at};
		$function[$i]{at} -= $start;
	}
	return grep { $_->{size} } @function;
}

# Of the bytes of FUNCTION, how many instructions have all of FLAGS and none of
# the flags NOT.
sub count
{
	my ($watch, $function, $flags, $not) = @_;

	return scalar grep { ($_ & $flags) == $flags && !($_ & ($not // 0)) }
	    unpack 'C*', substr $watch->{seen}, $function->{at},
	    $function->{size};
}

1;
