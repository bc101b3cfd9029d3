/* SPDX-License-Identifier: MIT */
/* links: vmx/walk.c */
/* seconds: 20 */
/*
 * The guest page walk over tables that the input fills: reads only guest
 * memory, writes accessed and dirty flags and nothing else, and its page faults
 * have error codes that a CPU can give (SDM vol. 3, "Page-Fault Exceptions").
 */
#include "vmx/walk.h"

#include "tests/fuzz/fuzz.h"
#include "vmx/policy.h"

#define MEMORY_BYTES 0x4000
#define FLAGS_AD     0x60
#define ERROR_KNOWN  0x1f
#define WORDS        200

static u8 *memory;

void *policy_memory(struct vcpu *v, gpa_t at, u64 bytes)
{
	(void)v;
	if (at.v > MEMORY_BYTES || bytes > MEMORY_BYTES - at.v)
		return NULL;
	return memory + at.v;
}

/* Pairs of a place and an entry; places repeat within few entries a page. */
static void fill(struct input *in)
{
	for (int i = 0; i < WORDS && in->left >= 5; i++) {
		const u64 at  = take(in, 2) % MEMORY_BYTES & ~7ULL;
		u64 entry     = take(in, 2);
		const u64 top = take(in, 1);

		entry |= (top & 0x0f) << 12 | (top >> 4) << 60;
		put64(memory + at, entry);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct paging p = { .address_mask = FIELD(45, 12) };
	const u64 bits  = take(&in, 2);
	const gva_t at  = gva(take(&in, 8));
	u32 error       = 0;
	gpa_t to;

	p.cr0 = CR0_PE | (bits & 1 ? CR0_PG : 0) | (bits & 2 ? CR0_WP : 0);
	p.cr4 = (bits & 4 ? CR4_PAE : 0) | (bits & 8 ? CR4_PSE : 0) |
		(bits & 16 ? CR4_SMEP : 0) | (bits & 32 ? CR4_SMAP : 0) |
		(bits & 64 ? CR4_LA57 : 0);
	p.efer = bits & 128 ? EFER_NXE : 0;
	if ((bits & 256) && (bits & 4) && (bits & 1))
		p.efer |= EFER_LME | EFER_LMA;
	p.user = bits & 512;
	p.ac   = bits & 1024;
	p.cr3  = take(&in, 2);
	for (int i = 0; i < 4; i++)
		p.pdpte[i] = take(&in, 2);

	const enum walk_access access =
		(enum walk_access)(take(&in, 1) % (WALK_FETCH + 1));

	memory = calloc(1, MEMORY_BYTES);
	REQUIRE(memory);
	fill(&in);

	u8 *before               = exact(memory, MEMORY_BYTES);
	const enum walk_result r = walk(NULL, &p, at, access, &to, &error);

	if (memcmp(memory, before, MEMORY_BYTES) != 0)
		for (u32 i = 0; i < MEMORY_BYTES; i++)
			REQUIRE((memory[i] & ~FLAGS_AD) ==
				(before[i] & ~FLAGS_AD));
	if (r == WALK_OK) {
		REQUIRE((to.v & 0xfff) == (at.v & 0xfff));
		REQUIRE(!(p.cr0 & CR0_PG) || to.v >> 46 == 0);
		/* Asked again, with the flags set, the answer is the same. */
		gpa_t twice;

		memcpy(before, memory, MEMORY_BYTES);
		REQUIRE(walk(NULL, &p, at, access, &twice, &error) == WALK_OK);
		REQUIRE(twice.v == to.v);
		REQUIRE(memcmp(before, memory, MEMORY_BYTES) == 0);
	}
	if (r == WALK_FAULT) {
		REQUIRE((error & ~ERROR_KNOWN) == 0);
		REQUIRE(!(error & 2) == (access != WALK_WRITE));
		REQUIRE(!(error & 4) == !p.user);
		REQUIRE(!(error & 8) || (error & 1)); /* RSVD implies P */
		REQUIRE(!(error & 16) || access == WALK_FETCH);
	}
	free(before);
	free(memory);
	return 0;
}

static void seed(u64 bits, u64 linear)
{
	u8 s[128] = { 0 };
	u8 *p     = s;

	put16(p, (u16)bits);
	put64(p + 2, linear);
	put16(p + 10, 0x1000);
	put16(p + 12, 0x2001);
	p += 21;
	for (u16 at = 0x1000; at < 0x4000; at += 0x1000, p += 5) {
		put16(p, at);
		put16(p + 2, 7); /* present, writable, user */
		p[4] = (u8)((at >> 12) + 1) & 3;
	}
	fuzz_seed(s, (size_t)(p - s));
}

static void fuzz_seeds(void)
{
	seed(1 | 2, 0x123);           /* 32-bit paging */
	seed(1 | 4 | 128, 0x123);     /* PAE */
	seed(1 | 4 | 128 | 256, 0x5); /* 4 levels */
	seed(1 | 4 | 64 | 256, 0x5);  /* 5 levels */
	seed(0, 0x1234567);
}
