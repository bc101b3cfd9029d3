/* SPDX-License-Identifier: MIT */
/*
 * The memory behind a vCPU's extended state. Whole pages, zeroed by the
 * allocator, scrubbed by us before they go back. Touches no register.
 */
#include "fpu/area.h"

#include "boot/lib/pages.h"
#include "boot/lib/panic.h"
#include "boot/lib/string.h"

static u32 pages_for(u32 bytes)
{
	return lo32(align_up(bytes, PAGE_SIZE) / PAGE_SIZE);
}

static bool account_charge(struct fpu_account *account, u64 bytes,
			   struct area_shortage *short_of)
{
	u64 used = __atomic_load_n(&account->used_bytes, __ATOMIC_RELAXED);
	u64 room;

	do {
		room = account->limit_bytes -
		       min_u64(account->limit_bytes, used);
		if (account->limit_bytes != 0 && bytes > room) {
			*short_of = (struct area_shortage){ bytes, room, true };
			return false;
		}
	} while (!__atomic_compare_exchange_n(
		&account->used_bytes, &used, used + bytes, false,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

static void account_refund(struct fpu_account *account, u64 bytes)
{
	__atomic_fetch_sub(&account->used_bytes, bytes, __ATOMIC_RELAXED);
}

/* CHARGE is what the account is to pay for PAGE_COUNT pages. */
static void *take_pages(u32 page_count, u64 charge, struct fpu_account *account,
			struct area_shortage *short_of)
{
	void *p;

	if (!account_charge(account, charge, short_of))
		return NULL;
	p = pages_alloc(page_count);
	if (!p) {
		account_refund(account, charge);
		*short_of = (struct area_shortage){
			.need_bytes = page_count * PAGE_SIZE,
			.have_bytes = pages_free_count() * PAGE_SIZE,
		};
	}
	return p;
}

/* No save writes past BYTES. */
static void scrub_and_free(struct xsave_area *base, u32 bytes, u32 page_count)
{
	memset(base, 0, bytes);
	pages_free(base, page_count);
}

static void set_components(struct area *a, const struct xstate_layout *l,
			   u64 components)
{
	a->components = components;
	a->bytes      = layout_size(l, components, a->compacted);
	ASSERT(a->bytes <= a->page_count * PAGE_SIZE);
}

static void put_reset_image(struct area *a)
{
	struct xsave_area *x = a->base;

	x->legacy.fcw       = FCW_RESET;
	x->legacy.ftw       = FTW_RESET;
	x->legacy.mxcsr     = MXCSR_RESET;
	x->header.xstate_bv = XSTATE_X87;
	if (a->compacted)
		x->header.xcomp_bv = XCOMP_BV_COMPACTED | a->components;
}

bool area_create(struct area *a, const struct xstate_layout *l, u64 components,
		 u64 reserve, bool compacted, struct fpu_account *account,
		 struct area_shortage *short_of)
{
	const u32 page_count    = pages_for(layout_size(l, reserve, compacted));
	struct xsave_area *base = take_pages(page_count, page_count * PAGE_SIZE,
					     account, short_of);

	if (!base)
		return false;
	*a = (struct area){
		.base       = base,
		.page_count = page_count,
		.compacted  = compacted,
	};
	set_components(a, l, components);
	put_reset_image(a);
	return true;
}

/*
 * In place where the memory is there already. Otherwise the new area is had
 * before the old one is given up, so that failing changes nothing; what is
 * charged is the difference. The header of either is fit for the next save.
 *
 * The modified optimisation of XSAVES cannot mistake the new area for the one
 * restored from: XCOMP_BV differs (xfd.md A.5.28). XSAVEOPT could, and never
 * saves to an area that grows: those are compacted.
 */
bool area_grow(struct area *a, const struct xstate_layout *l, u64 components,
	       struct fpu_account *account, struct area_shortage *short_of)
{
	const u32 page_count =
		pages_for(layout_size(l, components, a->compacted));
	struct xsave_area *old = a->base;
	const u32 old_count    = a->page_count;

	ASSERT(a->compacted && (a->components & ~components) == 0);
	if (page_count > old_count) {
		a->base = take_pages(page_count,
				     (page_count - old_count) * PAGE_SIZE,
				     account, short_of);
		if (!a->base) {
			a->base = old;
			return false;
		}
		a->page_count = page_count;
		scrub_and_free(old, a->bytes, old_count);
	}
	set_components(a, l, components);
	return true;
}

void area_reset(struct area *a, const struct xstate_layout *l, u64 components,
		u64 reserve, struct fpu_account *account)
{
	const u32 page_count = pages_for(layout_size(l, reserve, a->compacted));
	const u32 spare      = a->page_count - page_count;

	ASSERT((components & ~a->components) == 0);
	ASSERT(page_count <= a->page_count);
	memset(a->base, 0, a->bytes);
	if (spare) {
		pages_free((u8 *)a->base + page_count * PAGE_SIZE, spare);
		account_refund(account, spare * PAGE_SIZE);
		a->page_count = page_count;
	}
	set_components(a, l, components);
	put_reset_image(a);
}

void area_destroy(struct area *a, struct fpu_account *account)
{
	if (!a->base)
		return;
	scrub_and_free(a->base, a->bytes, a->page_count);
	account_refund(account, a->page_count * PAGE_SIZE);
	*a = (struct area){ 0 };
}
