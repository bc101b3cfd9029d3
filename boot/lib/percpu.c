/* SPDX-License-Identifier: MIT */
/*
 * The list of per-CPU blocks. The boot CPU's block is static, because it is
 * needed before there is memory to allocate.
 */
#include "boot/lib/percpu.h"

#include "boot/lib/pages.h"
#include "boot/lib/x86.h"

_Static_assert(sizeof(struct percpu) <= PAGE_SIZE, "a block is one page");

struct percpu *cpu_first;
u32 cpu_count;

struct percpu *percpu_create(u32 apic_id)
{
	static struct percpu boot_cpu;
	struct percpu **link = &cpu_first;
	struct percpu *cpu   = cpu_first ? pages_alloc(1) : &boot_cpu;

	if (!cpu)
		return NULL;
	while (*link)
		link = &(*link)->next;
	cpu->self    = cpu;
	cpu->index   = cpu_count++;
	cpu->apic_id = apic_id;
	*link        = cpu;
	return cpu;
}

void percpu_remove(struct percpu *cpu)
{
	struct percpu *before = cpu_first;

	while (before->next != cpu)
		before = before->next;
	before->next = cpu->next;
	for (struct percpu *c = cpu->next; c; c = c->next)
		c->index--;
	cpu_count--;
}

struct percpu *this_cpu(void)
{
	return read_gs_self();
}
