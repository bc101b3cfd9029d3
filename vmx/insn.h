/* SPDX-License-Identifier: MIT */
/*
 * The VMX instructions and nothing else. A failing VMREAD or VMWRITE is a bug
 * of ours and ends in a panic right here; the others return what happened.
 */
#ifndef VMX_INSN_H
#define VMX_INSN_H

#include "boot/lib/addr.h"
#include "boot/lib/panic.h"
#include "vmx/vmcs_field.h"

enum vmx_status {
	VMX_OK,
	VMX_FAIL_INVALID, /* CF: there is no current VMCS */
	VMX_FAIL_VALID,   /* ZF: the VM-instruction error field says why */
};

static inline enum vmx_status vmx_status_of(bool cf, bool zf)
{
	return cf ? VMX_FAIL_INVALID : zf ? VMX_FAIL_VALID : VMX_OK;
}

static inline u64 vmread(enum vmcs_field field)
{
	bool failed;
	u64 value;

	asm volatile("vmread %[f], %[v]"
		     : [v] "=r"(value), "=@ccbe"(failed)
		     : [f] "r"((u64)field));
	if (__builtin_expect(failed, 0))
		panic("vmread %#x", (unsigned int)field);
	return value;
}

static inline u32 vmread32(enum vmcs_field field)
{
	return lo32(vmread(field));
}

static inline void vmwrite(enum vmcs_field field, u64 value)
{
	bool failed;

	asm volatile("vmwrite %[v], %[f]"
		     : "=@ccbe"(failed)
		     : [f] "r"((u64)field), [v] "rm"(value));
	if (__builtin_expect(failed, 0))
		panic("vmwrite %#x", (unsigned int)field);
}

/* For dumps, which run in whatever state the machine is in. */
static inline enum vmx_status vmread_checked(enum vmcs_field field, u64 *value)
{
	bool cf, zf;

	*value = 0;
	asm volatile("vmread %[f], %[v]"
		     : [v] "+r"(*value), "=@ccc"(cf), "=@ccz"(zf)
		     : [f] "r"((u64)field));
	return vmx_status_of(cf, zf);
}

#define VMX_INSN_ON_PAGE(name)                                                 \
	static inline enum vmx_status name(hpa_t page)                         \
	{                                                                      \
		bool cf, zf;                                                   \
                                                                               \
		asm volatile(#name " %[p]"                                     \
			     : "=@ccc"(cf), "=@ccz"(zf)                        \
			     : [p] "m"(page)                                   \
			     : "memory");                                      \
		return vmx_status_of(cf, zf);                                  \
	}
VMX_INSN_ON_PAGE(vmxon)
VMX_INSN_ON_PAGE(vmclear)
VMX_INSN_ON_PAGE(vmptrld)

/* The current VMCS; ~0: none. VMX operation must be on. */
static inline u64 vmptrst(void)
{
	u64 page;

	asm volatile("vmptrst %0" : "=m"(page) : : "memory", "cc");
	return page;
}

enum invalidation {
	INV_SINGLE_CONTEXT = 1, /* INVVPID: one VPID; INVEPT: one EPT pointer */
	INV_ALL_CONTEXTS   = 2,
};

static inline enum vmx_status invept(enum invalidation kind, u64 ept_pointer)
{
	const u64 operand[2] = { ept_pointer, 0 };
	bool cf, zf;

	asm volatile("invept %[o], %[k]"
		     : "=@ccc"(cf), "=@ccz"(zf)
		     : [o] "m"(operand), [k] "r"((u64)kind)
		     : "memory");
	return vmx_status_of(cf, zf);
}

static inline enum vmx_status invvpid(enum invalidation kind, u16 vpid)
{
	const u64 operand[2] = { vpid, 0 };
	bool cf, zf;

	asm volatile("invvpid %[o], %[k]"
		     : "=@ccc"(cf), "=@ccz"(zf)
		     : [o] "m"(operand), [k] "r"((u64)kind)
		     : "memory");
	return vmx_status_of(cf, zf);
}

/*
 * An NMI that ended the guest's run was not delivered to us: this delivers it.
 * The handler's IRET also ends the blocking of further NMIs.
 */
static inline void deliver_host_nmi(void)
{
	asm volatile("int $2" : : : "memory");
}

#endif
