/* SPDX-License-Identifier: MIT */
/*
 * ACPI's tables of any content in any window of memory. PART 1: the package
 * \_S5 in any AML of AML bytes. 2: one table of up to TABLE bytes and its
 * checksum. 3: the search through a root of that size, over 2's contract. 4:
 * what a SPCR and a FADT of up to FADT bytes say, over 3's. 5: the entries of a
 * MADT of MADT bytes.
 */
#include "tests/proof/parser.h"

#include "boot/acpi.c"

#define AML   52
#define TABLE (PART == 2 ? 44 : 52)
#define FADT  160
#define MADT  64

static u8 *memory;
static u64 size;

/* In the place of acpi_table_at(): any table that lies in the window. */
const u8 *any_table_at(const struct acpi_window *w, u64 at, u32 *length,
		       enum acpi_fault *fault)
{
	const u32 from = nondet_u32(), bytes = nondet_u32();

	*fault = ACPI_CHECKSUM;
	if (from > size || bytes > size - from || bytes < HEADER_BYTES)
		return NULL;
	*fault  = ACPI_FINE;
	*length = bytes;
	return memory + from;
}

/* In the place of find_table(). */
const u8 *any_table(const struct acpi_window *w, const u8 rsdp[36],
		    const char *signature, u32 *length, enum acpi_fault *fault)
{
	return any_table_at(w, 0, length, fault);
}

/* In the place of find_s5(), which is part 1. */
bool any_s5(const u8 *aml, u32 length, struct power_acpi *out)
{
	__CPROVER_assert(__CPROVER_r_ok(aml, length), "AML is in its table");
	return nondet_bool();
}

static void package(void)
{
	struct power_acpi out;
	const u8 *aml = any_bytes(AML);
	const bool ok = find_s5(aml, AML, &out);

	CHECK("there can be such a package", ok, true);
}

static void one_table(const struct acpi_window *w)
{
	const u64 at = nondet_u64();
	enum acpi_fault fault;
	u32 length;
	const u8 *t = acpi_table_at(w, at, &length, &fault);
	u8 sum      = 0;

	CHECK("a table is in the window", t,
	      at >= w->start && length >= HEADER_BYTES && at < w->end &&
		      length <= w->end - at && t == memory + (at - w->start));
	CHECK("a fault has a name", !t,
	      fault != ACPI_FINE && fault < ACPI_FAULT_COUNT);
	for (u32 i = 0; i < TABLE; i++)
		if (t && i < length)
			sum = (u8)((sum + t[i]) & 0xff);
	CHECK("its bytes sum up to 0", t, sum == 0);
}

static void search(const struct acpi_window *w)
{
	u8 rsdp[36];
	enum acpi_fault fault;
	u32 length;
	const u8 *t = acpi_table(w, rsdp, "FACP", &length, &fault);

	CHECK("a table that was found is whole", t,
	      length >= HEADER_BYTES && __CPROVER_r_ok(t, length));
	CHECK("what was not found has a reason", !t,
	      fault != ACPI_FINE && fault < ACPI_FAULT_COUNT);
}

static void contents(const struct acpi_window *w)
{
	struct power_acpi out;
	u8 rsdp[36], value;
	u32 baud;
	u16 port;

	CHECK("a console has a port", acpi_console(w, rsdp, &port, &baud),
	      port);
	CHECK("a reset has a port", acpi_reset(w, rsdp, &port, &value), port);
	CHECK("power has a port", acpi_power(w, rsdp, &out), out.pm1a);
}

static void cpus(void)
{
	const u32 length = nondet_u8(), before = nondet_u8();
	u32 at = before, id;

	ASSUME(length >= HEADER_BYTES && length <= MADT);

	const enum acpi_next next =
		acpi_next_cpu(any_bytes(length), length, &at, &id);

	CHECK("the next CPU is further on", next == ACPI_NEXT_CPU,
	      at > before && at <= length);
}

int main(void)
{
	struct acpi_window w;

	size   = PART == 4 ? FADT : TABLE;
	memory = any_bytes(size);
	w      = (struct acpi_window){ memory, nondet_u64(), 0 };
	ASSUME(w.start <= BIT(52));
	w.end = w.start + size;
	if (PART == 1)
		package();
	else if (PART == 2)
		one_table(&w);
	else if (PART == 3)
		search(&w);
	else if (PART == 4)
		contents(&w);
	else
		cpus();
	return 0;
}
