/* SPDX-License-Identifier: MIT */
/* The package \_S5 in any AML of AML bytes. */
#include "tests/proof/parser.h"

#include "boot/acpi.c"

#define AML 52

int main(void)
{
	struct power_acpi out;
	const u8 *aml = any_bytes(AML);
	const bool ok = find_s5(aml, AML, &out);

	CHECK("there can be such a package", ok, true);
	return 0;
}
