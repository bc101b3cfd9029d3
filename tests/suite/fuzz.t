#!/bin/sh
# SPDX-License-Identifier: MIT
# Every fuzz target for as long as it asks for itself: a claim each. `make fuzz`
# gives all of them a minute, or SECONDS.
cd "$(dirname "$0")/../.." || exit 1
targets=$(for f in tests/fuzz/*.c; do basename "$f" .c; done)

# shellcheck disable=SC2086
tests/fuzz/run own $targets | awk -v expected="$(echo "$targets" | wc -l)" '
$1 !~ /:$/ && / nothing found$/ {
	printf "ok %d - %s: %d inputs, %d edges, nothing found\n", ++n, $1, $3, $4
	next
}
/FOUND/ { printf "not ok %d - %s\n", ++n, $1 }
{ print "# " $0 }
END { print "1.." expected }'
