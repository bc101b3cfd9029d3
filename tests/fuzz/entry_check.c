/* SPDX-License-Identifier: MIT */
/* links: vmx/entry_check.c vmx/inject.c */
/* seconds: 20 */
/*
 * The software VM-entry check on any state at all: a verdict or a sentence.
 * Fields are taken from a legal state; the input says which differ, and how.
 */
#include "vmx/entry_check.h"

#include "boot/lib/x86.h"
#include "tests/fuzz/fuzz.h"

#define FIELDS (sizeof(struct entry_state) / 8)

_Static_assert(sizeof(struct entry_state) % 8 == 0, "fields of 8 bytes");

/* 64-bit mode, as Linux is started. */
static void legal(struct entry_state *s)
{
	*s = (struct entry_state){
		.cr0_fixed0     = CR0_NE,
		.cr0_fixed1     = 0xffffffff,
		.cr4_fixed0     = CR4_VMXE,
		.cr4_fixed1     = 0x7ff7ff,
		.address_mask   = FIELD(45, 12),
		.cr0            = CR0_NE | CR0_ET | CR0_PE | CR0_PG | CR0_WP,
		.cr4            = CR4_VMXE | CR4_PAE,
		.efer           = EFER_LME | EFER_LMA,
		.entry_controls = ENTRY_GUEST_64BIT,
		.dr7            = 0x400,
		.pat            = 0x0007040600070406,
		.rip            = 0x1000000,
		.rflags         = RFLAGS_FIXED,
		.gdtr_limit     = 0xffff,
		.idtr_limit     = 0xffff,
		.link           = ~0ULL,
	};
	for (int i = 0; i < SEG_COUNT; i++)
		s->seg[i] =
			(struct entry_segment){ 0x18, 0, 0xffffffff, 0xc093 };
	s->seg[SEG_CS] = (struct entry_segment){ 0x10, 0, 0xffffffff, 0xa09b };
	s->seg[SEG_LDTR] = (struct entry_segment){ 0, 0, 0xffff, 0x82 };
	s->seg[SEG_TR]   = (struct entry_segment){ 0, 0, 0xffff, 0x8b };
}

/* With the fields that move, and only these, the short check is enough. */
static void moving(const struct entry_state *s, const char *complaint)
{
	const size_t from = offsetof(struct entry_state, rip);
	const size_t end  = offsetof(struct entry_state, cr0);
	struct entry_state passed;

	legal(&passed);
	if ((s->rflags ^ passed.rflags) & RFLAGS_VM)
		return;
	memcpy((u8 *)&passed + from, (const u8 *)s + from, end - from);
	REQUIRE(!entry_check(&passed) == !entry_check_moving(&passed));
	if (entry_check_moving(s))
		REQUIRE(complaint);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct entry_state s;
	const char *complaint;

	legal(&s);
	while (in.left) {
		const u64 field = take(&in, 1) % FIELDS;
		const u64 how   = take(&in, 1);
		u64 value;

		memcpy(&value, (u8 *)&s + 8 * field, 8);
		value = how & 64 ? take(&in, 8) : value ^ BIT(how & 63);
		memcpy((u8 *)&s + 8 * field, &value, 8);
	}
	complaint = entry_check(&s);
	if (complaint)
		require_sentence(complaint, 200);
	moving(&s, complaint);
	complaint = entry_check_event(lo32(s.intr_info), lo32(s.intr_error),
				      lo32(s.intr_length), s.cr0 & CR0_PE);
	if (complaint)
		require_sentence(complaint, 200);
	if (size == 0)
		REQUIRE(!entry_check(&s));
	return 0;
}

static void fuzz_seeds(void)
{
	const u8 event[] = { offsetof(struct entry_state, intr_info) / 8,
			     64,
			     0x0e,
			     0x0b,
			     0,
			     0x80,
			     0,
			     0,
			     0,
			     0 };
	const u8 v86[]   = { offsetof(struct entry_state, rflags) / 8, 17 };

	fuzz_seed("", 0);
	fuzz_seed(event, sizeof(event));
	fuzz_seed(v86, sizeof(v86));
}
