/* SPDX-License-Identifier: MIT */
/*
 * Port accesses: all of them exit. IN and OUT are one question to policy.h; INS
 * and OUTS are as many as they have elements, a bounded number per exit.
 */
#include "vmx/exit.h"
#include "vmx/guest_memory.h"
#include "vmx/insn.h"
#include "vmx/policy.h"

/* Elements of a REP that one exit carries out; the rest exits again. */
#define STRING_BATCH 64

/* Exit qualification for I/O instructions. */
struct io {
	unsigned int bytes;
	bool in, string, rep;
	u16 port;
};

static struct io decode(u64 q)
{
	return (struct io){
		.bytes  = (unsigned int)field_get(q, 2, 0) + 1,
		.in     = q & BIT(3),
		.string = q & BIT(4),
		.rep    = q & BIT(5),
		.port   = (u16)field_get(q, 31, 16),
	};
}

static u64 mask_of(unsigned int bytes)
{
	return ~0ULL >> (64 - 8 * bytes);
}

/* Address size of the string instruction: 2, 4 or 8 bytes. */
static unsigned int address_bytes(void)
{
	return 2u << field_get(vmread(VMCS_EXIT_INSTRUCTION_INFO), 9, 7);
}

/* Add DELTA to the low BYTES of *REG; 32-bit results clear the upper half. */
static void advance(u64 *reg, u64 delta, unsigned int bytes)
{
	const u64 mask = mask_of(bytes);
	const u64 sum  = (*reg + delta) & mask;

	*reg = bytes == 2 ? (*reg & ~mask) | sum : sum;
}

/* One element. *DONE false: a page fault took its place. */
static enum verdict one_element(struct vcpu *v, const struct io *io, gva_t at,
				bool *done)
{
	enum verdict verdict;
	u32 value = 0;

	if (io->in) {
		/* A write that will fault must not read the device first. */
		const struct paging p = guest_paging(v);
		const gva_t last      = gva(at.v + io->bytes - 1);
		u32 error;
		gpa_t to;

		*done = false;
		if (walk(v, &p, at, WALK_WRITE, &to, &error) == WALK_FAULT)
			return exit_inject_pf(v, at.v, error);
		if (walk(v, &p, last, WALK_WRITE, &to, &error) == WALK_FAULT)
			return exit_inject_pf(v, last.v, error);
		verdict = policy_pio(v, io->port, io->bytes, true, &value);
		if (verdict != RUN_AGAIN)
			return verdict;
		return guest_copy(v, at, &value, io->bytes, WALK_WRITE, done);
	}
	verdict = guest_copy(v, at, &value, io->bytes, WALK_READ, done);
	if (verdict != RUN_AGAIN || !*done)
		return verdict;
	return policy_pio(v, io->port, io->bytes, false, &value);
}

static enum verdict string_io(struct vcpu *v, const struct io *io)
{
	const unsigned int width = address_bytes();
	const bool down          = vmread(VMCS_GUEST_RFLAGS) & RFLAGS_DF;
	const u64 step           = down ? -(u64)io->bytes : io->bytes;
	u64 *index               = &v->regs.r[io->in ? RDI : RSI];
	u64 *count               = &v->regs.r[RCX];
	gva_t at                 = gva(vmread(VMCS_GUEST_LINEAR_ADDRESS));

	for (unsigned int i = 0; i < STRING_BATCH; i++) {
		bool done;

		if (io->rep && (*count & mask_of(width)) == 0)
			return exit_skip(v);

		const enum verdict verdict = one_element(v, io, at, &done);

		if (verdict != RUN_AGAIN || !done)
			return verdict;
		advance(index, step, width);
		at.v += step;
		if (!io->rep)
			return exit_skip(v);
		advance(count, ~0ULL, width);
	}
	/* RIP stays: the instruction goes on where it was, interruptible. */
	return (*count & mask_of(width)) ? RUN_AGAIN : exit_skip(v);
}

enum verdict exit_io(struct vcpu *v)
{
	const struct io io = decode(exit_qualification());
	u64 *rax           = &v->regs.r[RAX];
	const u64 mask     = mask_of(io.bytes);
	u32 value          = (u32)(*rax & mask);

	vcpu_account(v); /* it may be the last: the exit port */
	if (io.string)
		return string_io(v, &io);

	const enum verdict verdict =
		policy_pio(v, io.port, io.bytes, io.in, &value);

	if (verdict == RUN_STOP)
		return verdict;
	if (io.in && io.bytes == 4)
		*rax = value;
	else if (io.in)
		*rax = (*rax & ~mask) | (value & mask);
	exit_skip(v);
	return verdict;
}
