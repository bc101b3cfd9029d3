/* SPDX-License-Identifier: MIT */
/*
 * forks [PROCESSES [AT_ONCE]]: every process uses one tile once and ends. Each
 * is a first use of AMX by a task that never had tile state, so this is the
 * load that counts what first uses cost. It does no arithmetic: see matrix.c.
 */
#include <immintrin.h>
#include <string.h>
#include <sys/wait.h>

#include "tiles.h"

static const struct tilecfg config = {
	.palette       = 1,
	.bytes_per_row = { TILE_BYTES },
	.rows          = { TILE_ROWS },
};

/* Loads a pattern of the process's own, lets others run, and reads it back. */
static int child(long number)
{
	unsigned char in[TILE_ROWS * TILE_BYTES], out[sizeof(in)];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)((size_t)number * 31 + i * 7 + 1);
	memset(out, 0, sizeof(out));

	_tile_loadconfig(&config);
	_tile_loadd(0, in, TILE_BYTES);
	if (number % 8 == 0)
		usleep(1);
	_tile_stored(0, out, TILE_BYTES);
	_tile_release();

	return memcmp(in, out, sizeof(in)) == 0 ? TEST_PASS : TEST_FAIL;
}

/* Waits for one child; true if it passed. */
static int reap(void)
{
	int status;

	if (wait(&status) < 0) {
		perror("wait");
		return 0;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_PASS)
		return 1;
	printf("a process ended with wait status %#x\n", (unsigned)status);
	return 0;
}

int main(int argc, char **argv)
{
	const long total   = argc > 1 ? atol(argv[1]) : 100;
	const long at_once = argc > 2 ? atol(argv[2]) : 4;
	long passed = 0, running = 0;

	if (total < 1 || at_once < 1) {
		fprintf(stderr, "usage: forks [PROCESSES [AT_ONCE]]\n");
		return 2;
	}
	tiles_request();
	fflush(stdout);
	for (long i = 0; i < total; i++) {
		if (running == at_once) {
			passed += reap();
			running--;
		}
		const pid_t pid = fork();

		if (pid == 0)
			_exit(child(i));
		if (pid < 0) {
			perror("fork");
			break;
		}
		running++;
	}
	while (running-- > 0)
		passed += reap();

	printf("forks: %ld of %ld processes kept their tile\n", passed, total);
	return passed == total ? TEST_PASS : TEST_FAIL;
}
