/* SPDX-License-Identifier: MIT */
#include "vmx/walk.h"

#include "vmx/policy.h"

#define PTE_P  BIT(0)
#define PTE_W  BIT(1)
#define PTE_U  BIT(2)
#define PTE_A  BIT(5)
#define PTE_D  BIT(6)
#define PTE_PS BIT(7)
#define PTE_NX BIT(63)

#define ERROR_P    BIT(0)
#define ERROR_W    BIT(1)
#define ERROR_U    BIT(2)
#define ERROR_RSVD BIT(3)
#define ERROR_I    BIT(4)

/* Rights add up from level to level. */
struct rights {
	bool write, user, execute;
};

static bool is_long(const struct paging *p)
{
	return p->efer & EFER_LMA;
}

static bool is_pae(const struct paging *p)
{
	return p->cr4 & CR4_PAE;
}

static u32 fault_code(const struct paging *p, enum walk_access access,
		      bool present)
{
	const bool nx_or_smep =
		((p->efer & EFER_NXE) && is_pae(p)) || (p->cr4 & CR4_SMEP);

	return (u32)((present ? ERROR_P : 0) |
		     (access == WALK_WRITE ? ERROR_W : 0) |
		     (p->user ? ERROR_U : 0) |
		     (access == WALK_FETCH && nx_or_smep ? ERROR_I : 0));
}

/* SDM vol. 3, "Determination of Access Rights". */
static bool may(const struct paging *p, const struct rights *r,
		enum walk_access access)
{
	if (p->user) {
		if (!r->user)
			return false;
		return access == WALK_READ ||
		       (access == WALK_WRITE ? r->write : r->execute);
	}
	if (access == WALK_FETCH)
		return r->execute && !(r->user && (p->cr4 & CR4_SMEP));
	if (r->user && (p->cr4 & CR4_SMAP) && !p->ac)
		return false;
	return access == WALK_READ || r->write || !(p->cr0 & CR0_WP);
}

/* Bits that must be 0 in an entry of LEVEL. */
static u64 reserved_bits(const struct paging *p, unsigned int level, bool leaf)
{
	u64 bits = FIELD(51, 12) & ~p->address_mask;

	if (!is_pae(p))
		return leaf && level == 2 ? BIT(21) : 0;
	if (!(p->efer & EFER_NXE))
		bits |= PTE_NX;
	if (!is_long(p))
		bits |= FIELD(62, 52);
	if (level >= 4)
		bits |= PTE_PS;
	if (leaf && level > 1)
		bits |= FIELD(12 + 9 * (level - 1) - 1, 13);
	return bits;
}

/* Where the walk begins. 0: the PDPTE of PAE paging is not present. */
static unsigned int root(const struct paging *p, u64 at, u64 *table)
{
	if (is_long(p)) {
		*table = p->cr3 & p->address_mask;
		return p->cr4 & CR4_LA57 ? 5 : 4;
	}
	if (is_pae(p)) {
		const u64 pdpte = p->pdpte[field_get(at, 31, 30)];

		*table = pdpte & p->address_mask;
		return pdpte & PTE_P ? 2 : 0;
	}
	*table = p->cr3 & 0xfffff000;
	return 2;
}

/* Read one entry; *WHERE to write its flags back. */
static bool read_entry(struct vcpu *v, u64 at, unsigned int bytes, u64 *entry,
		       void **where)
{
	*where = policy_memory(v, gpa(at), bytes);
	if (!*where)
		return false;
	*entry = bytes == 8 ? *(const u64 *)*where : *(const u32 *)*where;
	return true;
}

/* Atomically: other vCPUs and CPUs walk the same tables. */
static void set_flags(void *where, u64 entry, u64 flags)
{
	if ((entry & flags) != flags)
		__atomic_fetch_or((u32 *)where, (u32)flags, __ATOMIC_SEQ_CST);
}

static u64 leaf_address(const struct paging *p, u64 entry, unsigned int level,
			unsigned int shift, u64 at)
{
	const u64 offset = at & (BIT(shift) - 1);

	/* PSE-36: bits 20:13 of a 4 MiB entry are address bits 39:32. */
	if (!is_pae(p) && level == 2)
		return (entry & FIELD(31, 22)) |
		       field_get(entry, 20, 13) << 32 | offset;
	return (entry & p->address_mask & ~(BIT(shift) - 1)) | offset;
}

enum walk_result walk(struct vcpu *v, const struct paging *p, gva_t at,
		      enum walk_access access, gpa_t *to, u32 *error)
{
	const unsigned int bytes      = is_pae(p) ? 8 : 4;
	const unsigned int index_bits = is_pae(p) ? 9 : 10;
	struct rights rights          = { true, true, true };
	u64 linear                    = at.v;
	u64 table;

	if (!is_long(p))
		linear = lo32(linear);
	if (!(p->cr0 & CR0_PG)) {
		*to = gpa(linear);
		return WALK_OK;
	}
	*error = fault_code(p, access, false);
	for (unsigned int level = root(p, linear, &table); level > 0; level--) {
		const unsigned int shift = 12 + index_bits * (level - 1);
		const u64 index =
			field_get(linear, shift + index_bits - 1, shift);
		u64 entry;
		void *where;

		if (!read_entry(v, table + index * bytes, bytes, &entry,
				&where))
			return WALK_HOLE;
		if (!(entry & PTE_P))
			return WALK_FAULT;

		const bool large = (entry & PTE_PS) && level > 1 && level < 4 &&
				   (is_pae(p) || (p->cr4 & CR4_PSE));
		const bool leaf = large || level == 1;

		if (entry & reserved_bits(p, level, leaf)) {
			*error = fault_code(p, access, true) | (u32)ERROR_RSVD;
			return WALK_FAULT;
		}
		rights.write &= !!(entry & PTE_W);
		rights.user &= !!(entry & PTE_U);
		rights.execute &= !(is_pae(p) && (entry & PTE_NX));
		if (!leaf) {
			set_flags(where, entry, PTE_A);
			table = entry &
				(is_pae(p) ? p->address_mask : 0xfffff000);
			continue;
		}
		if (!may(p, &rights, access)) {
			*error = fault_code(p, access, true);
			return WALK_FAULT;
		}
		set_flags(where, entry,
			  PTE_A | (access == WALK_WRITE ? PTE_D : 0));
		*to = gpa(leaf_address(p, entry, level, shift, linear));
		return WALK_OK;
	}
	return WALK_FAULT;
}
