/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: one pure file and one program each, built by
 * clang with libFuzzer, ASan and UBSan. A target judges what comes out, so that
 * a wrong answer is found as well as a wild access. Its seeds are made by
 * fuzz_seeds(): `TARGET --seeds` writes them into the current folder. A first
 * comment of the form
 *
 *	links: boot/mb2.c boot/lib/print.c
 *
 * names the files a target is linked with. One translation unit only.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/lib/bytes.h"
#include "boot/lib/panic.h"
#include "boot/lib/types.h"
#include "tests/unit/fake_serial.h"

#define UNUSED __attribute__((unused))

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Calls fuzz_seed() for each input to begin with. */
static void fuzz_seeds(void);

UNUSED static void fuzz_seed(const void *data, size_t size)
{
	static unsigned int count;
	char name[32];
	FILE *file;

	snprintf(name, sizeof(name), "seed-%02u", count++);
	file = fopen(name, "wb");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file)) {
		perror(name);
		exit(EXIT_FAILURE);
	}
}

UNUSED static void fuzz_seed_text(const char *text)
{
	fuzz_seed(text, strlen(text));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (*argc == 2 && strcmp((*argv)[1], "--seeds") == 0) {
		fuzz_seeds();
		exit(EXIT_SUCCESS);
	}
	return 0;
}

/* What must hold for every input; else this input is a finding. */
#define REQUIRE(condition)                                                     \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
				__LINE__, #condition);                         \
			abort();                                               \
		}                                                              \
	} while (0)

/* One sentence, as it goes to the console: there, printable, not cut. */
UNUSED static void require_sentence(const char *text, size_t size)
{
	const size_t length = strnlen(text, size);

	REQUIRE(length > 0 && length < size - 1);
	for (size_t i = 0; i < length; i++)
		REQUIRE((u8)text[i] >= ' ' && (u8)text[i] != 0x7f);
}

/* An input taken apart; behind its end everything reads 0. */
struct input {
	const u8 *at;
	size_t left;
};

UNUSED static u64 take(struct input *in, size_t bytes)
{
	u64 v          = 0;
	const size_t n = in->left < bytes ? in->left : bytes;

	memcpy(&v, in->at, n);
	in->at += n;
	in->left -= n;
	return v;
}

UNUSED static void take_into(struct input *in, void *to, size_t bytes)
{
	const size_t n = in->left < bytes ? in->left : bytes;

	memset(to, 0, bytes);
	if (n)
		memcpy(to, in->at, n);
	in->at += n;
	in->left -= n;
}

/* A copy that ends where the input does, so that ASan sees a step beyond. */
UNUSED static void *exact(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	REQUIRE(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

UNUSED static void put16(u8 *p, u16 v)
{
	memcpy(p, &v, 2);
}

/* An assertion of the tree that does not hold is a finding too. */
UNUSED __attribute__((weak)) void panic(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "panic: not so: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	abort();
}

#endif
