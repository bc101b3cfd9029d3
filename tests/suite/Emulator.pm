# SPDX-License-Identifier: MIT
# Where the emulator is; builds it if it is nowhere, with progress on stderr.
package Emulator;
use strict;
use warnings;

sub directory
{
	my ($root) = @_;

	chomp(my $dir = `'$root/tests/emulator/build'`);
	die "tests/emulator/build failed\n" if $? || !-d $dir;
	return $dir;
}

1;
