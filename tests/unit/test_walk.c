/* SPDX-License-Identifier: MIT */
/* links: vmx/walk.c */
/*
 * Guest page walks: every mode, sizes, rights, reserved bits, error codes and
 * accessed and dirty flags. SDM vol. 3, "Paging".
 */
#include "vmx/walk.h"

#include <string.h>

#include "tests/unit/tap.h"
#include "vmx/policy.h"

#define P  1ULL
#define W  2ULL
#define U  4ULL
#define A  0x20ULL
#define D  0x40ULL
#define PS 0x80ULL
#define NX BIT(63)

/* Guest memory of 64 KiB at 0. */
static u8 memory[0x10000] __attribute__((aligned(4096)));

void *policy_memory(struct vcpu *v, gpa_t at, u64 bytes)
{
	(void)v;
	if (at.v > sizeof(memory) || bytes > sizeof(memory) - at.v)
		return NULL;
	return &memory[at.v];
}

static void put64(u64 table, u64 index, u64 entry)
{
	memcpy(&memory[table + 8 * index], &entry, 8);
}

static void put32(u64 table, u64 index, u32 entry)
{
	memcpy(&memory[table + 4 * index], &entry, 4);
}

static u64 get64(u64 table, u64 index)
{
	u64 entry;

	memcpy(&entry, &memory[table + 8 * index], 8);
	return entry;
}

static struct paging long_mode(void)
{
	return (struct paging){
		.cr0          = CR0_PE | CR0_PG | CR0_WP,
		.cr3          = 0x1000,
		.cr4          = CR4_PAE,
		.efer         = EFER_LME | EFER_LMA | EFER_NXE,
		.address_mask = FIELD(45, 12),
	};
}

/* 0x1000 -> 0x2000 -> 0x3000 -> 0x4000, page 5 -> 0xabc000. */
static void fill_long(u64 bits)
{
	memset(memory, 0, sizeof(memory));
	put64(0x1000, 0, 0x2000 | P | W | U);
	put64(0x2000, 0, 0x3000 | P | W | U);
	put64(0x3000, 0, 0x4000 | P | W | U);
	put64(0x4000, 5, 0xabc000 | bits);
	put64(0x3000, 1, 0x40000000 | P | W | PS);
	put64(0x2000, 1, 0x80000000 | P | W | PS);
}

static u32 error;

/* Where AT leads; ~0 minus the result if it does not. */
static u64 go(const struct paging *p, u64 at, enum walk_access access)
{
	gpa_t to;
	const enum walk_result r = walk(NULL, p, gva(at), access, &to, &error);

	return r == WALK_OK ? to.v : ~0ULL - r;
}

#define FAULT (~0ULL - WALK_FAULT)
#define HOLE  (~0ULL - WALK_HOLE)

static void four_levels(void)
{
	struct paging p = long_mode();

	fill_long(P | W | U);
	tap_is(go(&p, 0x5123, WALK_READ), 0xabc123, "a 4 KiB page");
	tap_is(get64(0x4000, 5), 0xabc000 | P | W | U | A, "accessed is set");
	tap_is(go(&p, 0x5123, WALK_WRITE), 0xabc123, "written");
	tap_ok(get64(0x4000, 5) & D, "dirty is set");
	tap_is(go(&p, 0x234567, WALK_READ), 0x40034567, "a 2 MiB page");
	tap_is(go(&p, 0x40001234, WALK_READ), 0x80001234, "a 1 GiB page");
	tap_is(go(&p, 0x6000, WALK_WRITE), FAULT, "a page that is not there");
	tap_is(error, 2, "error code: write, not present");
	put64(0x2000, 2, 0x100000 | P | W | U);
	tap_is(go(&p, 0x80000000, WALK_READ), HOLE, "a table in no memory");
	p.cr0 &= ~CR0_PG;
	tap_is(go(&p, 0x100005123, WALK_READ), 0x100005123,
	       "paging off: the address itself");
}

static void five_levels(void)
{
	struct paging p = long_mode();

	fill_long(P);
	put64(0x5000, 3, 0x1000 | P | W | U);
	p.cr3 = 0x5000;
	p.cr4 |= CR4_LA57;
	tap_is(go(&p, (3ULL << 48) | 0x5008, WALK_READ), 0xabc008,
	       "LA57: a fifth level");
}

static void rights(void)
{
	struct paging p = long_mode();

	fill_long(P);
	tap_is(go(&p, 0x5000, WALK_WRITE), FAULT, "read-only under WP");
	tap_is(error, 3, "error code: write, present");
	p.cr0 &= ~CR0_WP;
	tap_is(go(&p, 0x5000, WALK_WRITE), 0xabc000, "not without WP");
	p.user = true;
	tap_is(go(&p, 0x5000, WALK_READ), FAULT, "CPL 3 on a supervisor page");
	tap_is(error, 5, "error code: user, present");
	fill_long(P | U);
	tap_is(go(&p, 0x5000, WALK_READ), 0xabc000, "CPL 3 on a user page");
	tap_is(go(&p, 0x5000, WALK_WRITE), FAULT, "CPL 3 obeys W always");
	p.user = false;
	p.cr4 |= CR4_SMAP;
	tap_is(go(&p, 0x5000, WALK_READ), FAULT, "SMAP");
	p.ac = true;
	tap_is(go(&p, 0x5000, WALK_READ), 0xabc000, "AC overrides SMAP");
	p.cr4 |= CR4_SMEP;
	tap_is(go(&p, 0x5000, WALK_FETCH), FAULT, "SMEP");
	tap_is(error, 0x11, "error code: fetch, present");
	fill_long(P | NX);
	tap_is(go(&p, 0x5000, WALK_FETCH), FAULT, "NX");
	tap_is(go(&p, 0x5000, WALK_READ), 0xabc000, "NX does not stop reads");
}

/* Fetches, and writes at CPL 3: SDM vol. 3, "Determination of Access Rights",
 * "Page-Fault Exceptions". */
static void fetches_and_users(void)
{
	struct paging p = long_mode();

	fill_long(P | U);
	tap_is(go(&p, 0x5000, WALK_FETCH), 0xabc000,
	       "without SMEP code may be on a user page");
	p.cr4 |= CR4_SMEP;
	fill_long(P);
	tap_is(go(&p, 0x5000, WALK_FETCH), 0xabc000,
	       "under SMEP on a supervisor page");
	p.efer &= ~EFER_NXE;
	tap_is(go(&p, 0x6000, WALK_FETCH), FAULT, "a fetch from nowhere");
	tap_is(error, 0x10, "error code: fetch, by SMEP alone");
	p.cr4 &= ~CR4_SMEP;
	go(&p, 0x6000, WALK_FETCH);
	tap_is(error, 0, "with neither NXE nor SMEP it has no such bit");
	p      = long_mode();
	p.user = true;
	fill_long(P | W | U);
	tap_is(go(&p, 0x5000, WALK_WRITE), 0xabc000, "CPL 3 writes");
	tap_is(go(&p, 0x5000, WALK_FETCH), 0xabc000, "and fetches");
	fill_long(P | U | NX);
	tap_is(go(&p, 0x5000, WALK_FETCH), FAULT, "but not under NX");
	tap_is(error, 0x15, "error code: fetch, user, present");
	tap_is(go(&p, 0x5000, WALK_WRITE), FAULT, "nor writes without W");
	tap_is(error, 7, "error code: write, user, present");
	p.user = false;
	fill_long(P | W | PS);
	tap_is(go(&p, 0x5000, WALK_READ), 0xabc000, "PAT of a 4 KiB page");
}

static void reserved(void)
{
	struct paging p = long_mode();

	fill_long(P | BIT(46));
	tap_is(go(&p, 0x5000, WALK_READ), FAULT, "beyond MAXPHYADDR");
	tap_is(error, 9, "error code: reserved bit");
	fill_long(P | NX);
	p.efer &= ~EFER_NXE;
	tap_is(go(&p, 0x5000, WALK_READ), FAULT, "NX without NXE is reserved");
	fill_long(P);
	put64(0x3000, 1, 0x40002000 | P | PS);
	tap_is(go(&p, 0x200000, WALK_READ), FAULT, "2 MiB off its alignment");
	put64(0x1000, 0, 0x2000 | P | PS);
	tap_is(go(&p, 0x5000, WALK_READ), FAULT, "PS in a top entry");
}

static void legacy(void)
{
	struct paging p = {
		.cr0          = CR0_PE | CR0_PG,
		.cr3          = 0x1000,
		.address_mask = FIELD(45, 12),
	};

	memset(memory, 0, sizeof(memory));
	put32(0x1000, 1, 0x2000 | P | W);
	put32(0x2000, 3, 0xabc000 | P);
	put32(0x1000, 2, 0x00c02000 | P | PS);
	tap_is(go(&p, 0x403456, WALK_READ), 0xabc456, "32-bit: 4 KiB");
	tap_is(go(&p, 0xf00403456, WALK_READ), 0xabc456,
	       "32-bit: addresses have 32 bits");
	put32(0x2000, 0, 0xdef000 | P);
	put32(0x1000, 4, 0x2000 | P | PS);
	tap_is(go(&p, 0x1000123, WALK_READ), 0xdef123,
	       "32-bit: without PSE that bit is ignored");
	p.efer = EFER_NXE;
	tap_is(go(&p, 0xc00000, WALK_FETCH), FAULT, "32-bit: nothing there");
	tap_is(error, 0, "32-bit: NXE alone is no reason for bit I");
	p.efer = 0;
	p.cr4  = CR4_PSE;
	tap_is(go(&p, 0x812345, WALK_READ), 0x100c12345,
	       "32-bit: 4 MiB, with address bits above 32");
	put32(0x1000, 5, 0x00a00000 | P | PS);
	tap_is(go(&p, 0x1412345, WALK_READ), FAULT, "32-bit: bit 21 of 4 MiB");
	p.cr4      = CR4_PAE;
	p.pdpte[1] = 0x3000 | P;
	put64(0x3000, 1, 0x4000 | P | W);
	put64(0x4000, 5, 0xabc000 | P);
	tap_is(go(&p, 0x40205123, WALK_READ), 0xabc123, "PAE: 4 KiB");
	put64(0x3000, 2, 0x600000 | P | PS);
	tap_is(go(&p, 0x40412345, WALK_READ), 0x612345, "PAE: 2 MiB");
	tap_is(go(&p, 0x00001000, WALK_READ), FAULT, "PAE: no PDPTE");
	put64(0x4000, 5, 0xabc000 | P | BIT(52));
	tap_is(go(&p, 0x40205123, WALK_READ), FAULT, "PAE: bit 52 is reserved");
}

int main(void)
{
	four_levels();
	five_levels();
	rights();
	fetches_and_users();
	reserved();
	legacy();
	return tap_done();
}
