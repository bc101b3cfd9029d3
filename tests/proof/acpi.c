/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables of any content in a window of WINDOW bytes. PART 1: the way to a
 * table. 2: the package \_S5 in any AML of AML bytes.
 */
#include "tests/proof/parser.h"

#include "boot/acpi.c"

#define WINDOW 96
#define AML    52

int main(void)
{
	struct acpi_window w = { .start = nondet_u64() };
	const u8 *rsdp       = any_bytes(36);
	struct power_acpi out;
	u32 length = 0;

	ASSUME(w.start <= BIT(52));
	if (PART == 1) {
		w.base      = any_bytes(WINDOW);
		w.end       = w.start + WINDOW;
		const u8 *t = acpi_table(&w, rsdp, "FACP", &length);

		CHECK("a table is inside the window", t,
		      t >= w.base && length >= HEADER_BYTES &&
			      length <= WINDOW &&
			      t + length <= w.base + WINDOW);
	} else {
		const u8 *aml = any_bytes(AML);
		const bool ok = find_s5(aml, AML, &out);

		CHECK("there can be such a package", ok, true);
	}
	return 0;
}
