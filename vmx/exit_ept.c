/* SPDX-License-Identifier: MIT */
/*
 * Accesses to guest-physical addresses without memory: a device's registers, or
 * nothing, which reads as ones and swallows writes like an unknown port.
 */
#include "vmx/decode.h"
#include "vmx/exit.h"
#include "vmx/guest_memory.h"
#include "vmx/inject.h"
#include "vmx/policy.h"
#include "vmx/vmcs.h"

/* Exit qualification for EPT violations. */
#define QUAL_ACCESS        FIELD(2, 0) /* as enum ept_access */
#define QUAL_FETCH         BIT(2)
#define QUAL_LINEAR        BIT(7) /* the linear address is valid */
#define QUAL_TRANSLATION   BIT(8) /* ... and the access is to what it maps to */
#define QUAL_NMI_UNBLOCKED BIT(12)

static enum decode_mode decode_mode(const struct vcpu *v)
{
	const u64 cs = vmread(VMCS_GUEST_CS_ACCESS);

	if (vcpu_is_64bit(v))
		return DECODE_64;
	return cs & ACCESS_DB ? DECODE_32 : DECODE_16;
}

/* The device's answer, or what a bus without one gives. */
static enum verdict access(struct vcpu *v, gpa_t at, const struct mmio_insn *i,
			   u64 *value)
{
	if (policy_is_mmio(v, at)) {
		v->work |= WORK_INTR | WORK_TIMER;
		return policy_mmio(v, at, i->bytes, i->write, value);
	}
	if (i->write) {
		v->ones_writes++;
	} else {
		v->ones_reads++;
		*value = ~0ULL;
	}
	if (v->ones_reads + v->ones_writes == 1)
		log_info("%s: %s of %u bytes at %#llx, where there is nothing "
			 "(only the first is shown)",
			 v->name, i->write ? "write" : "read", i->bytes,
			 (unsigned long long)at.v);
	return RUN_AGAIN;
}

enum verdict exit_emulate_mmio(struct vcpu *v, gpa_t at)
{
	u8 code[INSN_BYTES_MAX] = { 0 };
	const unsigned int n    = guest_fetch(v, code);
	u64 dummy               = vmread(VMCS_GUEST_RSP);
	struct mmio_insn i;

	if (!decode_mmio(code, n, decode_mode(v), &i))
		return vcpu_stop(v,
				 "an access to %#llx, which is not RAM, by an "
				 "instruction that is not a MOV: "
				 "%02x %02x %02x %02x %02x %02x at %#llx",
				 (unsigned long long)at.v, code[0], code[1],
				 code[2], code[3], code[4], code[5],
				 (unsigned long long)v->rip);

	u64 *reg  = i.reg == RSP ? &dummy : &v->regs.r[i.reg];
	u64 value = i.write ? decode_write_value(&i, *reg) : 0;

	const enum verdict verdict = access(v, at, &i, &value);

	if (verdict == RUN_STOP)
		return verdict;
	if (!i.write)
		decode_finish_read(&i, value, reg);
	if (!i.write && i.reg == RSP)
		vmwrite(VMCS_GUEST_RSP, dummy);
	/* The exit gave no instruction length. */
	vmwrite(VMCS_GUEST_RIP, v->rip + i.length);
	exit_retire(v);
	return verdict;
}

/* Whatever the access was part of runs again. */
static enum verdict once_more(struct vcpu *v, enum verdict verdict)
{
	exit_keep_event(v);
	return verdict;
}

enum verdict exit_ept_violation(struct vcpu *v)
{
	const u64 q    = exit_qualification();
	const gpa_t at = gpa(vmread(VMCS_GUEST_PHYSICAL_ADDRESS));
	const u32 idt  = vmread32(VMCS_IDT_VECTORING_INFO);
	hpa_t to;
	unsigned int granted;
	enum mem_type type;
	const bool mapped = ept_lookup(v->ept, at, &to, &granted, &type);

	/* IRET had unblocked NMIs and will run again. */
	if ((q & QUAL_NMI_UNBLOCKED) && !(idt & EVENT_VALID))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
			vmread(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKED_BY_NMI);
	/* Allowed by now: the CPU had remembered something older. */
	if (mapped && (q & QUAL_ACCESS & ~granted) == 0) {
		if (invept(INV_ALL_CONTEXTS, 0) != VMX_OK)
			panic("INVEPT for %s failed", v->name);
		return once_more(v, RUN_AGAIN);
	}
	/* RAM that is being moved: it can be written again before long. */
	if (mapped && policy_memory(v, at, 1))
		return once_more(v, RUN_YIELD);
	if (idt & EVENT_VALID)
		return vcpu_stop(v,
				 "event %#x cannot be delivered: address %#llx "
				 "is not RAM",
				 idt, (unsigned long long)at.v);
	if ((q & QUAL_LINEAR) && !(q & QUAL_TRANSLATION))
		return vcpu_stop(v,
				 "a page table lies at %#llx, which is not RAM",
				 (unsigned long long)at.v);
	/* FF FF, which is what is read there, is no instruction. */
	if (q & QUAL_FETCH)
		return exit_inject_ud(v);
	return exit_emulate_mmio(v, at);
}

/* We wrote an entry that the CPU does not accept. */
enum verdict exit_ept_misconfig(struct vcpu *v)
{
	panic("%s: EPT misconfiguration at %#llx", v->name,
	      (unsigned long long)vmread(VMCS_GUEST_PHYSICAL_ADDRESS));
}
