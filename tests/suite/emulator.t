#!/bin/sh
# SPDX-License-Identifier: MIT
# The emulator without Tilevisor: its model of the CPU, then Linux and KVM in
# it. Two sources of TAP, numbered through.
root=$(dirname "$0")/../..
{
	"$root/tests/run" emulator ||
		echo "not ok - tests/run emulator ended with status $?"
	"$root/tests/emulator/check" ||
		echo "not ok - tests/emulator/check ended with status $?"
} | awk '
	/^1\.\.[0-9]+/ { next }
	/^(not )?ok/ {
		n++
		if (!sub(/^not ok( +[0-9]+)?/, "not ok " n))
			sub(/^ok( +[0-9]+)?/, "ok " n)
	}
	{ print; fflush() }
	END { print "1.." n }'
