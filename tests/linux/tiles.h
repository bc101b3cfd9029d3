/* SPDX-License-Identifier: MIT */
/*
 * What the AMX programs for Linux share: the permission to use tiles, and tile
 * shapes. Not for freestanding code; the exit codes are those of the kernel's
 * selftests.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	TEST_PASS = 0,
	TEST_FAIL = 1,
	TEST_SKIP = 4,
};

#define TILE_ROWS  16
#define TILE_BYTES 64 /* per row */

/* SDM volume 1, "TILECFG State and Palette": the operand of LDTILECFG. */
struct tilecfg {
	uint8_t palette;
	uint8_t start_row;
	uint8_t reserved[14];
	uint16_t bytes_per_row[16];
	uint8_t rows[16];
};
_Static_assert(sizeof(struct tilecfg) == 64, "SDM: LDTILECFG m512");

/* Shapes the first count tiles as TILE_ROWS rows of TILE_BYTES bytes. */
static inline struct tilecfg tilecfg_full(int count)
{
	struct tilecfg cfg = { .palette = 1 };

	for (int i = 0; i < count; i++) {
		cfg.bytes_per_row[i] = TILE_BYTES;
		cfg.rows[i]          = TILE_ROWS;
	}
	return cfg;
}

/*
 * Asks Linux for permission to use TILEDATA, for this process and all that it
 * forks. Ends the program with TEST_SKIP if the kernel or the CPU has no AMX.
 */
static inline void tiles_request(void)
{
	const long req_xcomp_perm = 0x1023; /* <asm/prctl.h>, Linux 5.16 */
	const long tiledata       = 18;

	if (syscall(SYS_arch_prctl, req_xcomp_perm, tiledata) != 0) {
		printf("no permission to use TILEDATA: no AMX here\n");
		exit(TEST_SKIP);
	}
}
