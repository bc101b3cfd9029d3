/* SPDX-License-Identifier: MIT */
/*
 * ticks: prints the time-stamp counter, which the guest shares with the machine
 * beneath it. It judges nothing: who compares two runs knows where each began.
 */
#include <stdio.h>
#include <x86intrin.h>

int main(void)
{
	printf("%llu\n", (unsigned long long)__rdtsc());
	return 0;
}
