/* SPDX-License-Identifier: MIT */
#include "vmx/memtype.h"

#define DEF_TYPE_FE BIT(10)
#define DEF_TYPE_E  BIT(11)
#define MASK_VALID  BIT(11)
#define FIXED_END   MIB
#define TYPE_MASK   0xffULL

/* The fixed-range register and byte in it for the address AT below 1 MiB. */
static enum mem_type fixed_type(const struct mtrrs *m, u64 at, u64 *until)
{
	unsigned int reg, byte;
	u64 size;

	if (at < 0x80000) {
		size = 64 * KIB;
		reg  = 0;
		byte = (unsigned int)(at / size);
	} else if (at < 0xc0000) {
		size = 16 * KIB;
		reg  = 1 + (unsigned int)((at - 0x80000) / (128 * KIB));
		byte = (unsigned int)(at / size) % 8;
	} else {
		size = 4 * KIB;
		reg  = 3 + (unsigned int)((at - 0xc0000) / (32 * KIB));
		byte = (unsigned int)(at / size) % 8;
	}
	*until = align_down(at, size) + size;
	return (enum mem_type)(m->fixed[reg] >> (8 * byte) & TYPE_MASK);
}

/* Overlap: UC wins, WT beats WB, anything else is undefined and taken as UC. */
static unsigned int combine(unsigned int a, unsigned int b)
{
	if (a == b)
		return a;
	if ((a == MEM_WT && b == MEM_WB) || (a == MEM_WB && b == MEM_WT))
		return MEM_WT;
	return MEM_UC;
}

/*
 * A variable range is periodic in the lowest bit of its mask: whether an
 * address matches can change only at a multiple of that.
 */
static enum mem_type variable_type(const struct mtrrs *m, u64 at, u64 *until)
{
	unsigned int type = 0;
	bool found        = false;

	for (unsigned int i = 0; i < m->var_count; i++) {
		const u64 mask = m->mask[i] & m->address_mask;

		if (!(m->mask[i] & MASK_VALID))
			continue;

		const u64 step = mask ? mask & -mask : m->address_mask + 1;
		const unsigned int own = (unsigned int)(m->base[i] & TYPE_MASK);

		*until = min_u64(*until, align_down(at, step) + step);
		if ((at & mask) != (m->base[i] & mask))
			continue;
		type  = found ? combine(type, own) : own;
		found = true;
	}
	return (enum mem_type)(found ? type : m->def_type & TYPE_MASK);
}

enum mem_type memtype_at(const struct mtrrs *m, u64 at, u64 limit, u64 *until)
{
	enum mem_type type;

	*until = limit;
	if (!(m->def_type & DEF_TYPE_E))
		return MEM_UC;
	if (at < FIXED_END && (m->def_type & DEF_TYPE_FE))
		type = fixed_type(m, at, until);
	else
		type = variable_type(m, at, until);
	*until = min_u64(*until, limit);
	return type;
}

bool memtype_map(struct ept *ept, const struct mtrrs *m, gpa_t at, hpa_t to,
		 u64 bytes, unsigned int access)
{
	const u64 end = to.v + bytes;
	u64 start     = to.v;

	/* Neighbouring ranges of one type are mapped as one, in large pages. */
	while (start < end) {
		u64 until, next;
		const enum mem_type type = memtype_at(m, start, end, &until);

		while (until < end && memtype_at(m, until, end, &next) == type)
			until = next;
		if (!ept_map(ept, gpa_add(at, start - to.v), hpa(start),
			     until - start, access, type))
			return false;
		start = until;
	}
	return true;
}
