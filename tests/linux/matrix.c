/* SPDX-License-Identifier: MIT */
/*
 * matrix [THREADS [ROUNDS [SIZE]]]: every thread multiplies SIZE x SIZE
 * matrices with AMX, as BF16 and as INT8 with every signedness, and compares
 * each result with plain C. The values are small integers, so both ways are
 * exact and must agree to the bit. Other threads' tiles live in between, so a
 * lost or mixed-up tile shows as a wrong product.
 */
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "tiles.h"

#define LARGEST 128 /* a multiple of TILE_BYTES; bounds the memory used */

enum kind {
	BF16,
	INT8_SS,
	INT8_SU,
	INT8_US,
	INT8_UU,
	KIND_COUNT,
};

static const char *const kind_name[KIND_COUNT] = {
	[BF16]    = "bf16",     /* TDPBF16PS */
	[INT8_SS] = "int8 s*s", /* TDPBSSD */
	[INT8_SU] = "int8 s*u", /* TDPBSUD */
	[INT8_US] = "int8 u*s", /* TDPBUSD */
	[INT8_UU] = "int8 u*u", /* TDPBUUD */
};

/* One thread's matrices: values, what the tiles eat, and both products. */
struct job {
	pthread_t thread;
	unsigned int seed;
	int size, rounds, wrong;
	int a[LARGEST][LARGEST];
	int b[LARGEST][LARGEST];
	uint8_t packed_a[LARGEST * LARGEST * 2];
	uint8_t packed_b[LARGEST * LARGEST * 2];
	int32_t product[LARGEST][LARGEST];
};

static int random_below(struct job *j, int limit)
{
	j->seed = j->seed * 1103515245u + 12345u;
	return (int)((j->seed >> 16) % (unsigned int)limit);
}

static int random_value(struct job *j, enum kind kind, int is_a)
{
	const int is_unsigned =
		kind == INT8_UU || kind == (is_a ? INT8_US : INT8_SU);

	if (kind == BF16)
		return random_below(j, 65) - 32;
	return random_below(j, 256) - (is_unsigned ? 0 : 128);
}

/* The upper half of the float; exact for integers of up to 8 bits. */
static uint16_t bf16(int value)
{
	const float f = (float)value;
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return (uint16_t)(bits >> 16);
}

static void put(uint8_t *at, size_t index, enum kind kind, int value)
{
	const uint16_t half = bf16(value);

	if (kind == BF16)
		memcpy(at + index * 2, &half, sizeof(half));
	else
		at[index] = (uint8_t)value;
}

/*
 * A stays row by row. B is stored the way the dot products want it (SDM volume
 * 2, TDPBF16PS): the 2 or 4 values of a column that are multiplied together lie
 * beside each other.
 */
static void pack(struct job *j, enum kind kind)
{
	const size_t size = (size_t)j->size, group = kind == BF16 ? 2 : 4;

	for (size_t r = 0; r < size; r++) {
		for (size_t c = 0; c < size; c++) {
			const size_t to = (r / group) * size * group +
					  c * group + r % group;

			put(j->packed_a, r * size + c, kind, j->a[r][c]);
			put(j->packed_b, to, kind, j->b[r][c]);
		}
	}
}

static void dot(enum kind kind)
{
	switch (kind) {
	case BF16:
		_tile_dpbf16ps(0, 1, 2);
		return;
	case INT8_SS:
		_tile_dpbssd(0, 1, 2);
		return;
	case INT8_SU:
		_tile_dpbsud(0, 1, 2);
		return;
	case INT8_US:
		_tile_dpbusd(0, 1, 2);
		return;
	default:
		_tile_dpbuud(0, 1, 2);
		return;
	}
}

/* One tile of the product: row and col count in elements of 4 bytes. */
static void multiply_tile(struct job *j, enum kind kind, int row, int col)
{
	const int width    = kind == BF16 ? 2 : 1; /* bytes per input element */
	const int group    = 4 / width;
	const int step     = TILE_BYTES / width; /* inputs per row of a tile */
	const int stride_a = j->size * width;
	const int stride_b = j->size * group * width;

	_tile_zero(0);
	for (int k = 0; k < j->size; k += step) {
		const int b_row = k / group;

		_tile_loadd(1, j->packed_a + row * stride_a + k * width,
			    stride_a);
		_tile_loadd(2, j->packed_b + b_row * stride_b + col * 4,
			    stride_b);
		dot(kind);
	}
	sched_yield(); /* others get to use their tiles: ours must survive */
	_tile_stored(0, &j->product[row][col], sizeof(j->product[0]));
}

static int expected(const struct job *j, int row, int col)
{
	int sum = 0;

	for (int k = 0; k < j->size; k++)
		sum += j->a[row][k] * j->b[k][col];
	return sum;
}

static int product_of(const struct job *j, enum kind kind, int row, int col)
{
	float f;

	if (kind != BF16)
		return j->product[row][col];
	memcpy(&f, &j->product[row][col], sizeof(f));
	return (int)f;
}

static void compare(struct job *j, enum kind kind)
{
	for (int r = 0; r < j->size; r++) {
		for (int c = 0; c < j->size; c++) {
			const int want = expected(j, r, c);
			const int got  = product_of(j, kind, r, c);

			if (want == got)
				continue;
			if (j->wrong++ == 0)
				printf("%s: [%d][%d] is %d, not %d\n",
				       kind_name[kind], r, c, got, want);
		}
	}
}

static void multiply(struct job *j, enum kind kind)
{
	for (int r = 0; r < j->size; r++) {
		for (int c = 0; c < j->size; c++) {
			j->a[r][c] = random_value(j, kind, 1);
			j->b[r][c] = random_value(j, kind, 0);
		}
	}
	pack(j, kind);
	for (int r = 0; r < j->size; r += TILE_ROWS) {
		for (int c = 0; c < j->size; c += TILE_BYTES / 4)
			multiply_tile(j, kind, r, c);
	}
	compare(j, kind);
}

static void *run(void *arg)
{
	const struct tilecfg config = tilecfg_full(3);
	struct job *j               = arg;

	_tile_loadconfig(&config);
	for (int round = 0; round < j->rounds; round++) {
		for (int kind = 0; kind < KIND_COUNT; kind++)
			multiply(j, (enum kind)kind);
	}
	_tile_release();
	return NULL;
}

static int argument(int argc, char **argv, int i, int otherwise)
{
	return argc > i ? atoi(argv[i]) : otherwise;
}

int main(int argc, char **argv)
{
	const int threads = argument(argc, argv, 1, 2);
	const int rounds  = argument(argc, argv, 2, 2);
	const int size    = argument(argc, argv, 3, 64);
	int wrong         = 0;

	if (threads < 1 || rounds < 1 || size < TILE_BYTES ||
	    size % TILE_BYTES != 0 || size > LARGEST) {
		fprintf(stderr, "usage: matrix [THREADS [ROUNDS [64|128]]]\n");
		return 2;
	}
	tiles_request();
	struct job *jobs = calloc((size_t)threads, sizeof(*jobs));

	if (!jobs) {
		perror("calloc");
		return 2;
	}
	for (int i = 0; i < threads; i++) {
		jobs[i].seed   = (unsigned int)i + 1;
		jobs[i].size   = size;
		jobs[i].rounds = rounds;
		if (pthread_create(&jobs[i].thread, NULL, run, &jobs[i])) {
			perror("pthread_create");
			return 2;
		}
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(jobs[i].thread, NULL);
		wrong += jobs[i].wrong;
	}
	printf("matrix: %d threads, %d products of %dx%d each, %d wrong\n",
	       threads, rounds * KIND_COUNT, size, size, wrong);
	return wrong == 0 ? TEST_PASS : TEST_FAIL;
}
