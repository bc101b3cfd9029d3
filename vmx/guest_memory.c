/* SPDX-License-Identifier: MIT */
#include "vmx/guest_memory.h"

#include "boot/lib/string.h"
#include "vmx/decode.h"
#include "vmx/exit.h"
#include "vmx/memtype.h"
#include "vmx/policy.h"
#include "vmx/vmcs.h"

struct paging guest_paging(const struct vcpu *v)
{
	struct paging p = {
		.cr0          = vmcs_read_cr0(),
		.cr3          = vmread(VMCS_GUEST_CR3),
		.cr4          = vmcs_read_cr4(),
		.efer         = vmread(VMCS_GUEST_IA32_EFER),
		.user         = vcpu_cpl(v) == 3,
		.ac           = vmread(VMCS_GUEST_RFLAGS) & RFLAGS_AC,
		.address_mask = vmx_mtrrs.address_mask,
	};

	if ((p.cr0 & CR0_PG) && (p.cr4 & CR4_PAE) && !(p.efer & EFER_LMA)) {
		p.pdpte[0] = vmread(VMCS_GUEST_PDPTE0);
		p.pdpte[1] = vmread(VMCS_GUEST_PDPTE1);
		p.pdpte[2] = vmread(VMCS_GUEST_PDPTE2);
		p.pdpte[3] = vmread(VMCS_GUEST_PDPTE3);
	}
	return p;
}

static void read_ones(struct vcpu *v, u8 *buf, unsigned int bytes)
{
	memset(buf, 0xff, bytes);
	v->ones_reads++;
}

static void copy_part(struct vcpu *v, gpa_t at, u8 *buf, unsigned int bytes,
		      enum walk_access access)
{
	void *memory = policy_memory(v, at, bytes);

	if (!memory && access == WALK_WRITE)
		v->ones_writes++;
	else if (!memory)
		read_ones(v, buf, bytes);
	else if (access == WALK_WRITE)
		memcpy(memory, buf, bytes);
	else
		memcpy(buf, memory, bytes);
}

enum verdict guest_copy(struct vcpu *v, gva_t at, void *buf, unsigned int bytes,
			enum walk_access access, bool *done)
{
	const struct paging p = guest_paging(v);
	u8 *part              = buf;

	*done = false;
	while (bytes > 0) {
		const unsigned int room =
			(unsigned int)(PAGE_SIZE - (at.v & (PAGE_SIZE - 1)));
		const unsigned int n = bytes < room ? bytes : room;
		u32 error;
		gpa_t to;

		switch (walk(v, &p, at, access, &to, &error)) {
		case WALK_OK:
			break;
		case WALK_FAULT:
			return exit_inject_pf(v, at.v, error);
		case WALK_HOLE:
			return vcpu_stop(v,
					 "its page table for address %#llx "
					 "lies where there is no memory",
					 (unsigned long long)at.v);
		}
		copy_part(v, to, part, n, access);
		part += n;
		at.v += n;
		bytes -= n;
	}
	*done = true;
	return RUN_AGAIN;
}

unsigned int guest_fetch(struct vcpu *v, u8 *code)
{
	const struct paging p = guest_paging(v);
	const bool wide       = vcpu_is_64bit(v);
	const u64 base        = wide ? 0 : vmread(VMCS_GUEST_CS_BASE);
	gpa_t to              = gpa(0);
	unsigned int n;

	/* Byte by byte: the instruction may end at the end of what is mapped.
	 */
	for (n = 0; n < INSN_BYTES_MAX; n++, to.v++) {
		const u64 linear = base + v->rip + n;
		u32 error;

		/* A page is walked once. */
		if ((n == 0 || is_aligned(linear, PAGE_SIZE)) &&
		    walk(v, &p, gva(wide ? linear : lo32(linear)), WALK_FETCH,
			 &to, &error) != WALK_OK)
			break;

		const u8 *memory = policy_memory(v, to, 1);

		if (!memory)
			break;
		code[n] = *memory;
	}
	return n;
}
