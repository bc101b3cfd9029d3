/* SPDX-License-Identifier: MIT */
/* links: vmx/memtype.c vmx/ept.c vmx/ept_duty.c */
/*
 * MTRRs: fixed and variable ranges, their overlaps, and that no EPT page spans
 * a change of type. SDM vol. 3, "MTRR Precedences".
 */
#include "vmx/memtype.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/tap.h"

#define E       BIT(11)
#define FE      BIT(10)
#define V       BIT(11)
#define PHYS_46 FIELD(45, 12)

static struct mtrrs with(u64 def_type)
{
	return (struct mtrrs){ .def_type = def_type, .address_mask = PHYS_46 };
}

static void add(struct mtrrs *m, u64 base, u64 size, enum mem_type type)
{
	m->base[m->var_count] = base | type;
	m->mask[m->var_count] = (~(size - 1) & PHYS_46) | V;
	m->var_count++;
}

static enum mem_type type_at(const struct mtrrs *m, u64 at)
{
	u64 until;

	return memtype_at(m, at, ~0ULL, &until);
}

static void plain(void)
{
	struct mtrrs m = with(MEM_WB);

	tap_is(type_at(&m, 0x1000), MEM_UC, "MTRRs off: uncached");
	m = with(E | MEM_WB);
	tap_is(type_at(&m, 0x1000), MEM_WB, "the default type");
	add(&m, 0xc0000000, 0x40000000, MEM_UC);
	tap_is(type_at(&m, 0xbfffffff), MEM_WB, "below a variable range");
	tap_is(type_at(&m, 0xc0000000), MEM_UC, "its first byte");
	tap_is(type_at(&m, 0xffffffff), MEM_UC, "its last byte");
	tap_is(type_at(&m, 0x100000000), MEM_WB, "behind it");
	m.mask[0] &= ~V;
	tap_is(type_at(&m, 0xc0000000), MEM_WB, "an invalid range is none");
}

/*
 * As firmware of two sockets with 1 TiB leaves them: everything write-back, but
 * device space below 4 GiB and above memory.
 */
static void two_sockets(void)
{
	const u64 tib  = 1024 * GIB;
	struct mtrrs m = with(E | FE | MEM_WB);
	unsigned int n = 0;
	u64 until, at;

	add(&m, 2 * GIB, 2 * GIB, MEM_UC);
	add(&m, 32 * tib, 32 * tib, MEM_UC);
	tap_is(type_at(&m, tib), MEM_WB, "memory at 1 TiB");
	tap_is(type_at(&m, 0xfee00000), MEM_UC, "the local APIC's page");
	tap_is(type_at(&m, 32 * tib), MEM_UC, "devices above memory");
	tap_is(type_at(&m, 64 * tib - PAGE_SIZE), MEM_UC, "... to the last");
	for (at = 4 * GIB; at < tib; at = until, n++)
		if (memtype_at(&m, at, tib, &until) != MEM_WB || until <= at)
			break;
	tap_ok(at == tib && n < 1024, "1 TiB is judged in %u steps", n);
	m.address_mask = FIELD(51, 12);
	tap_is(type_at(&m, tib), MEM_WB,
	       "masks without the upper bits, on a CPU with 52 of them");
}

static void overlaps(void)
{
	struct mtrrs m = with(E | MEM_UC);

	add(&m, 0, 0x80000000, MEM_WB);
	add(&m, 0x40000000, 0x10000000, MEM_WT);
	add(&m, 0x60000000, 0x10000000, MEM_UC);
	add(&m, 0x20000000, 0x10000000, MEM_WB);
	tap_is(type_at(&m, 0x10000000), MEM_WB, "one range");
	tap_is(type_at(&m, 0x20000000), MEM_WB, "the same type twice");
	tap_is(type_at(&m, 0x40000000), MEM_WT, "WT with WB is WT");
	tap_is(type_at(&m, 0x60000000), MEM_UC, "UC with WB is UC");
	tap_is(type_at(&m, 0x90000000), MEM_UC, "no range: the default");

	m = with(E | MEM_UC);
	add(&m, 0x40000000, 0x10000000, MEM_WT);
	add(&m, 0, 0x80000000, MEM_WB);
	add(&m, 0x50000000, 0x10000000, MEM_WP);
	add(&m, 0x48000000, 0x08000000, MEM_UC);
	tap_is(type_at(&m, 0x40000000), MEM_WT, "WB with WT is WT");
	tap_is(type_at(&m, 0x50000000), MEM_UC, "WB with WP is undefined: UC");
	tap_is(type_at(&m, 0x48000000), MEM_UC, "WT with WB with UC is UC");

	m           = with(E | MEM_UC);
	m.base[0]   = MEM_WB;
	m.mask[0]   = V;
	m.var_count = 1;
	tap_is(type_at(&m, BIT(45)), MEM_WB, "a mask of 0 is all memory");
}

static void fixed(void)
{
	struct mtrrs m = with(E | FE | MEM_WB);
	u64 until;

	memset(m.fixed, MEM_WB, sizeof(m.fixed));
	m.fixed[2] = 0;                     /* A0000 to BFFFF: UC */
	m.fixed[3] = 0x0605050505050505ULL; /* C0000 to C6FFF: WP */
	tap_is(type_at(&m, 0x9ffff), MEM_WB, "below the frame buffer");
	tap_is(type_at(&m, 0xa0000), MEM_UC, "16K_A0000");
	tap_is(type_at(&m, 0xbffff), MEM_UC, "its end");
	tap_is(type_at(&m, 0xc0000), MEM_WP, "4K_C0000");
	tap_is(type_at(&m, 0xc7000), MEM_WB, "its eighth page");
	tap_is(type_at(&m, 0xfffff), MEM_WB, "the last fixed byte");
	memtype_at(&m, 0x9f000, ~0ULL, &until);
	tap_ok(until <= 0xa0000, "no range reaches over a change");
	m.def_type &= ~FE;
	tap_is(type_at(&m, 0xa0000), MEM_WB, "fixed ranges off");
}

static void *take_zeroed(void *context)
{
	void *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	(void)context;
	memset(page, 0, PAGE_SIZE);
	return page;
}

/* The root's table, and no other. */
static void *take_once(void *context)
{
	bool *const taken = context;

	if (*taken)
		return NULL;
	*taken = true;
	return take_zeroed(NULL);
}

static void give(void *context, void *page)
{
	(void)context;
	free(page);
}

static void mapping(void)
{
	struct mtrrs m = with(E | FE | MEM_WB);
	bool same      = true;
	struct ept e;

	memset(m.fixed, MEM_WB, sizeof(m.fixed));
	m.fixed[2] = 0;
	add(&m, 0x600000, 0x1000, MEM_UC);
	ept_init(&e, (struct ept_source){ take_zeroed, give, NULL }, true,
		 true);
	tap_ok(memtype_map(&e, &m, gpa(0), hpa(0), 16 * MIB, EPT_READ),
	       "16 MiB with two islands");
	for (u64 at = 0; at < 16 * MIB; at += PAGE_SIZE) {
		unsigned int access;
		enum mem_type type;
		hpa_t to;

		same &= ept_lookup(&e, gpa(at), &to, &access, &type) &&
			to.v == at && type == type_at(&m, at);
	}
	tap_ok(same, "every page has the type of its memory");
	tap_is(e.table_pages, 5, "large pages wherever the type allows");
	ept_fini(&e);

	bool taken = false;

	ept_init(&e, (struct ept_source){ take_once, give, &taken }, true,
		 true);
	tap_ok(!memtype_map(&e, &m, gpa(0), hpa(0), 16 * MIB, EPT_READ),
	       "without memory for tables it says so");
	ept_fini(&e);
}

int main(void)
{
	plain();
	two_sockets();
	overlaps();
	fixed();
	mapping();
	return tap_done();
}
