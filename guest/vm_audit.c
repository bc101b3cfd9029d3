/* SPDX-License-Identifier: MIT */
#include "guest/vm_audit.h"

#include "boot/lib/panic.h"
#include "vmx/apicv.h"
#include "vmx/ept_audit.h"
#include "vmx/memtype.h"

#define ALL          (EPT_READ | EPT_WRITE | EPT_EXEC)
#define REGION_MAX   (MEMORY_RUN_MAX + 4) /* a page on its way, two pages */
#define RANGE_MAX    256
#define RESET_VECTOR (MIB - PAGE_SIZE)

extern const char image_start[], image_end[]; /* linker.ld */

/* One CPU at a time, because these are large. */
static struct spinlock lock;
static struct ept_region region[REGION_MAX];
static struct ept_range range[RANGE_MAX];

static struct ept_range range_of(const void *start, u64 bytes)
{
	const u64 at = ptr_hpa(start).v;

	return (struct ept_range){ at, at + bytes };
}

static bool overlap(const struct ept_range *a, const struct ept_range *b)
{
	return a->start < b->end && b->start < a->end;
}

static void add(u32 *n, u64 at, const void *to, u64 bytes, unsigned int access)
{
	if (bytes)
		region[(*n)++] = (struct ept_region){ at, ptr_hpa(to).v, bytes,
						      access, MEM_WB };
}

/* A run of memory, of which one page may be on its way: page_move.h. */
static void add_run(u32 *n, const struct memory_run *r,
		    const struct page_move *m)
{
	const u64 before = m->at - r->start;
	const bool moves = m->step != PAGE_AT_HOME && m->at >= r->start &&
			   before < r->bytes;
	const bool away = m->step == PAGE_AWAY || m->step == PAGE_RETURNS;
	const bool shut = m->step == PAGE_LEAVES || m->step == PAGE_RETURNS;

	if (!moves) {
		add(n, r->start, r->host, r->bytes, ALL);
		return;
	}
	add(n, r->start, r->host, before, ALL);
	add(n, m->at, away ? m->away : m->home, PAGE_SIZE,
	    shut ? ALL & ~EPT_WRITE : ALL);
	add(n, m->at + PAGE_SIZE, r->host + before + PAGE_SIZE,
	    r->bytes - before - PAGE_SIZE, ALL);
}

static u32 regions_of(const struct vm *vm)
{
	const struct memory *m = &vm->memory;
	u32 n                  = 0;

	for (u32 i = 0; i < m->run_count; i++)
		add_run(&n, &m->run[i], &vm->move);
	add(&n, 4 * GIB - PAGE_SIZE,
	    memory_host(m, gpa(RESET_VECTOR), PAGE_SIZE), PAGE_SIZE,
	    EPT_READ | EPT_EXEC);
	if (vm->apic_page)
		add(&n, VLAPIC_BASE, hpa_ptr(apicv_access_page()), PAGE_SIZE,
		    EPT_READ | EPT_WRITE);
	return n;
}

/* The memory of VM, none of which is in the first N ranges. */
static u32 add_ranges(u32 n, const struct vm *vm)
{
	for (u32 i = 0; i < vm->memory.run_count && n < RANGE_MAX; i++) {
		const struct memory_run *r = &vm->memory.run[i];

		range[n] = range_of(r->host, r->bytes);
		for (u32 j = 0; j < n; j++)
			if (overlap(&range[n], &range[j]))
				panic("audit: memory of %s at %#llx is not its "
				      "alone",
				      vm->config.name,
				      (unsigned long long)range[n].start);
		n++;
	}
	return n;
}

/* Our image and the memory of all VMs whose memory does not go back now. */
static u32 ranges(const struct vm *vm)
{
	u32 n = 1;

	range[0] = range_of(image_start, (u64)(image_end - image_start));
	for (const struct vm *other = vm_first(); other; other = other->next)
		if (other == vm ||
		    !__atomic_load_n(&other->stopped, __ATOMIC_ACQUIRE))
			n = add_ranges(n, other);
	return n;
}

void vm_audit(struct vm *vm)
{
	struct ept_audit a = {
		.region       = region,
		.taken        = range,
		.address_mask = vmx_mtrrs.address_mask,
	};
	const char *bad;

	spin_lock(&vm->lock);
	spin_lock(&lock);
	a.region_count = regions_of(vm);
	a.taken_count  = ranges(vm);
	bad            = ept_audit(&vm->ept, &a);
	if (bad)
		panic("audit: EPT of %s at %#llx: %#llx: %s", vm->config.name,
		      (unsigned long long)a.at, (unsigned long long)a.entry,
		      bad);
	spin_unlock(&lock);
	spin_unlock(&vm->lock);
}
