/* SPDX-License-Identifier: MIT */
/*
 * What is in an EPT, against what its owner says should be: every entry of it,
 * and nothing that is missing. Pure; repairs nothing. Knows nothing of VMs.
 */
#ifndef VMX_EPT_AUDIT_H
#define VMX_EPT_AUDIT_H

#include "vmx/ept.h"

/* [AT, AT + BYTES) of the guest is [TO, TO + BYTES) of the machine. */
struct ept_region {
	u64 at, to, bytes;
	unsigned int access;
	enum mem_type type;
};

struct ept_range {
	u64 start, end;
};

struct ept_audit {
	/* All that is mapped; disjoint in the guest's addresses. */
	const struct ept_region *region;
	u32 region_count;
	/* What is something else: no table may lie in it. */
	const struct ept_range *taken;
	u32 taken_count;
	u64 address_mask; /* bits that a physical address may have */

	/* Set by ept_audit(). */
	u64 at, entry; /* what the complaint is about */
	u64 table_count, mapped_bytes;
};

/*
 * NULL: EPT maps the regions of A, all of them and nothing else, with their
 * permissions and memory types; no entry is reserved or misconfigured (SDM vol.
 * 3, "EPT Misconfigurations"), and its tables, those that are cut off included,
 * are as many as were taken from the source. Else what is wrong. The map does
 * not change meanwhile.
 */
const char *ept_audit(const struct ept *ept, struct ept_audit *a);

#endif
