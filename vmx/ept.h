/* SPDX-License-Identifier: MIT */
/*
 * Extended page tables of one VM: map, unmap, look up over a page source. Pure:
 * the page source and the capabilities are values, so that the host's unit
 * tests use the same file. Knows no VMCS. INVEPT is the caller's duty after
 * what takes a permission away, on every CPU: see ept.generation and duty. The
 * map itself is changed by one CPU at a time.
 */
#ifndef VMX_EPT_H
#define VMX_EPT_H

#include "boot/lib/addr.h"
#include "boot/lib/types.h"
#include "vmx/ept_duty.h"

enum ept_access {
	EPT_READ  = 1 << 0,
	EPT_WRITE = 1 << 1,
	EPT_EXEC  = 1 << 2,
};

/* Memory types, SDM vol. 3, "Memory Types that can be Encoded". */
enum mem_type {
	MEM_UC = 0,
	MEM_WC = 1,
	MEM_WT = 4,
	MEM_WP = 5,
	MEM_WB = 6,
};

/* Where table pages come from: zeroed 4 KiB pages, NULL when there is none. */
struct ept_source {
	void *(*alloc)(void *context);
	void (*free)(void *context, void *page);
	void *context;
};

struct ept {
	u64 *root;
	struct ept_source source;
	bool pages_2m; /* IA32_VMX_EPT_VPID_CAP[16] */
	bool pages_1g; /* IA32_VMX_EPT_VPID_CAP[17] */
	u64 table_pages;
	u64 generation; /* atomic: raised after every cut of a permission */
	u64 told;       /* atomic: the generation that every CPU has heard of */
	struct ept_duty duty; /* the owner's; zeroed: no CPU uses this map */
	u64 *retired;         /* tables cut off, which CPUs may still walk */
};

/* False: no page for the root. */
bool ept_init(struct ept *ept, struct ept_source source, bool pages_2m,
	      bool pages_1g);

/*
 * All table pages go back to the source; mapped memory is the owner's. No CPU
 * uses the map any more.
 */
void ept_fini(struct ept *ept);

/*
 * Map BYTES of guest memory at AT to host memory at TO, with the largest pages
 * that alignment allows; all three are multiples of 4 KiB. What was mapped
 * there before is replaced. False: no page left for the tables; what was mapped
 * stays mapped.
 */
bool ept_map(struct ept *ept, gpa_t at, hpa_t to, u64 bytes,
	     unsigned int access, enum mem_type type);

/*
 * Take the mapping of [AT, AT + BYTES) away, splitting large pages where need
 * be. False: no page left for a split; nothing of that large page was changed.
 */
bool ept_unmap(struct ept *ept, gpa_t at, u64 bytes);

/*
 * Has every CPU forgotten what has been cut off? Then memory that was mapped
 * may be used for something else; the tables are given back by themselves.
 */
bool ept_is_settled(const struct ept *ept);

/* The host address behind AT. False: nothing is mapped there. */
bool ept_lookup(const struct ept *ept, gpa_t at, hpa_t *to,
		unsigned int *access, enum mem_type *type);

/* The VMCS field "EPT pointer": 4 levels, write-back, no accessed/dirty flags.
 */
u64 ept_pointer(const struct ept *ept);

#endif
