/* SPDX-License-Identifier: MIT */
/*
 * CPUID.0DH turned into sizes and offsets. No hardware: the caller reads CPUID.
 */
#include "fpu/layout.h"

#define X87_OFFSET 0
#define X87_BYTES  offsetof(struct xsave_legacy, xmm)
#define SSE_OFFSET offsetof(struct xsave_legacy, xmm)
#define SSE_BYTES  (16 * 16)

/* Far above any component, and 63 of them still fit into a u32. */
#define END_MAX (16 * MIB)

/* Bits of CPUID.(0DH,1):EAX and of ECX in sub-leaves 2 and up. */
#define CPUID_XSAVEOPT   BIT(0)
#define CPUID_XSAVEC     BIT(1)
#define CPUID_XGETBV1    BIT(2)
#define CPUID_XSAVES     BIT(3)
#define CPUID_XFD        BIT(4)
#define CPUID_SUPERVISOR BIT(0)
#define CPUID_ALIGNED    BIT(1)
#define CPUID_CAN_XFD    BIT(2)

/* Part of the legacy region, whatever the format. */
#define XSTATE_LEGACY (XSTATE_X87 | XSTATE_SSE)

static unsigned int lowest(u64 components)
{
	return (unsigned int)__builtin_ctzll(components);
}

static u64 standard_end(const struct xstate_layout *l, unsigned int i)
{
	return (u64)l->offset[i] + l->size[i];
}

/* Does component I exist as enumerated, clear of those below it? */
static bool is_sane(const struct xstate_layout *l, unsigned int i)
{
	if (l->size[i] == 0 || l->size[i] > END_MAX)
		return false;
	if (!(l->user & BIT(i)))
		return true;
	if (i >= 2 && l->offset[i] < sizeof(struct xsave_area))
		return false;
	if (standard_end(l, i) > END_MAX)
		return false;
	for (unsigned int j = 0; j < i; j++)
		if ((l->user & BIT(j)) && l->offset[i] < standard_end(l, j) &&
		    l->offset[j] < standard_end(l, i))
			return false;
	return true;
}

static void read_component(struct xstate_layout *l,
			   const struct cpuid_0d *cpuid, unsigned int i)
{
	l->size[i]   = cpuid->sub[i].eax;
	l->offset[i] = cpuid->sub[i].ebx;
	if (cpuid->sub[i].ecx & CPUID_ALIGNED)
		l->aligned |= BIT(i);
	if (l->has_xfd && (cpuid->sub[i].ecx & CPUID_CAN_XFD))
		l->xfd |= BIT(i);
}

bool layout_read(struct xstate_layout *l, const struct cpuid_0d *cpuid,
		 unsigned int *wrong)
{
	const u32 features = cpuid->sub[1].eax;
	const u64 every    = ~0ULL >> (64 - XSTATE_COUNT);

	*l = (struct xstate_layout){
		.user = make64(cpuid->sub[0].edx, cpuid->sub[0].eax) & every,
		.xsaveopt = features & CPUID_XSAVEOPT,
		.xsavec   = features & CPUID_XSAVEC,
		.xgetbv1  = features & CPUID_XGETBV1,
		.xsaves =
			(features & CPUID_XSAVES) && (features & CPUID_XSAVEC),
		.has_xfd = features & CPUID_XFD,
		.size    = { X87_BYTES, SSE_BYTES },
		.offset  = { X87_OFFSET, SSE_OFFSET },
	};
	if (l->xsaves)
		l->supervisor =
			make64(cpuid->sub[1].edx, cpuid->sub[1].ecx) & every;
	for (unsigned int i = 0; i < XSTATE_COUNT; i++) {
		if (!((l->user | l->supervisor) & BIT(i)))
			continue;
		if (i >= 2)
			read_component(l, cpuid, i);
		*wrong = i;
		if ((l->user & l->supervisor & BIT(i)) || !is_sane(l, i))
			return false;
	}
	*wrong = 0;
	return (l->user & XSTATE_X87) != 0;
}

/* SDM volume 1, "Compacted Format of an XSAVE Area". */
static u32 compacted_offset(const struct xstate_layout *l, u64 components,
			    unsigned int end)
{
	u64 at = sizeof(struct xsave_area);

	for (u64 left = components & ~XSTATE_LEGACY; left; left &= left - 1) {
		const unsigned int i = lowest(left);

		if (l->aligned & BIT(i))
			at = align_up(at, XSAVE_ALIGN);
		if (i == end)
			break;
		at += l->size[i];
	}
	return lo32(at);
}

u32 layout_size(const struct xstate_layout *l, u64 components, bool compacted)
{
	u64 end = sizeof(struct xsave_area);

	if (compacted)
		return compacted_offset(l, components, XSTATE_COUNT);
	for (u64 left = components & l->user & ~XSTATE_LEGACY; left;
	     left &= left - 1)
		end = max_u64(end, standard_end(l, lowest(left)));
	return lo32(end);
}

u32 layout_offset(const struct xstate_layout *l, u64 components, unsigned int i,
		  bool compacted)
{
	if (i < 2 || !compacted)
		return l->offset[i];
	return compacted_offset(l, components, i);
}

u32 layout_moved(const struct xstate_layout *l, u64 in_use)
{
	u64 bytes = sizeof(struct xsave_header);

	for (u64 left = in_use; left; left &= left - 1)
		bytes += l->size[lowest(left)];
	return lo32(bytes);
}
