/* SPDX-License-Identifier: MIT */
/*
 * The critic of ACPI's tables, over the contracts of boot/acpi.h that acpi.c
 * proves. PART 1: any MADT of up to TABLE bytes. 2: any FADT and SPCR of that
 * size. 3: any root, in whose place check_table() any complaint may come.
 */
#include "tests/proof/parser.h"

#include "boot/acpi_check.c"

#define TABLE (PART == 1 ? 60 : PART == 2 ? 160 : 52)

const char *const acpi_fault_text[ACPI_FAULT_COUNT] = { "", "a", "b", "c" };

/* The contract of boot/lib/print.h. */
int tv_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	__CPROVER_assert(size > 0 && __CPROVER_w_ok(buf, size),
			 "room for the complaint");
	buf[0]        = 'x';
	buf[size - 1] = '\0';
	return (int)(nondet_u32() & 0xffff);
}

const u8 *acpi_look(const struct acpi_window *w, u64 at, u64 bytes)
{
	return nondet_bool() ? any_bytes(bytes) : NULL;
}

const u8 *acpi_table_at(const struct acpi_window *w, u64 at, u32 *length,
			enum acpi_fault *fault)
{
	const u32 bytes = nondet_u32(), why = nondet_u32();

	if (nondet_bool()) {
		ASSUME(why != ACPI_FINE && why < ACPI_FAULT_COUNT);
		*fault = (enum acpi_fault)why;
		return NULL;
	}
	ASSUME(bytes >= HEADER_BYTES && bytes <= TABLE);
	*fault  = ACPI_FINE;
	*length = bytes;
	return any_bytes(bytes);
}

enum acpi_next acpi_next_cpu(const u8 *madt, u32 length, u32 *at, u32 *apic_id)
{
	const u32 from = *at > MADT_ENTRIES ? *at : MADT_ENTRIES;
	const u32 to   = nondet_u32();

	__CPROVER_assert(__CPROVER_r_ok(madt, length), "the MADT is whole");
	ASSUME(to >= from + 2 && to <= length);
	*at      = to;
	*apic_id = nondet_u32();
	return nondet_bool() && from < length ? ACPI_NEXT_CPU : ACPI_NEXT_END;
}

/* In the place of check_table(), in part 3. */
void any_check_table(struct search *s, u32 which, u64 at)
{
	__CPROVER_assert(which < ARRAY_SIZE(used), "a table that we read");
	if (nondet_bool())
		say(s, "any");
}

int main(void)
{
	char text[64] = "";
	u8 rsdp[36];
	struct search s  = { .index = nondet_u32(),
			     .text  = text,
			     .size  = sizeof(text) };
	const u32 length = nondet_u32();

	ASSUME(length >= HEADER_BYTES && length <= TABLE);
	if (PART == 1) {
		check_madt(&s, any_bytes(length), length);
	} else if (PART == 2) {
		check_fadt(&s, any_bytes(length), length);
		check_spcr(&s, any_bytes(length), length);
	} else {
		s.found = acpi_complaint(s.w, rsdp, s.index, text, 64);
	}
	CHECK("what is found has words", s.found, text[0]);
	CHECK("what is not found has none", !s.found, !text[0]);
	return 0;
}
