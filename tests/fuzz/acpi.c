/* SPDX-License-Identifier: MIT */
/* links: boot/acpi.c boot/acpi_check.c boot/lib/print.c */
/* seconds: 60 */
/*
 * ACPI's tables as firmware might leave them: nothing is read outside the
 * window, whatever a table says. The input is a choice, the RSDP and memory;
 * the choice may ask for right checksums, behind which most of the code lies.
 */
#include "boot/acpi.h"
#include "boot/acpi_check.h"

#include "tests/fuzz/fuzz.h"

#define START      0x7fe0000ULL
#define FIX_SUMS   1
#define RSDP_BYTES 36
#define MEMORY_MAX 4096

static void fix_sum(u8 *table, u64 room)
{
	u32 length;
	u8 sum = 0;

	memcpy(&length, table + 4, 4);
	if (length < 36 || length > room)
		return;
	table[9] = 0;
	for (u32 i = 0; i < length; i++)
		sum = (u8)(sum + table[i]);
	table[9] = (u8)-sum;
}

/* Whatever looks like a table gets the sum that it would have. */
static void fix_sums(u8 *memory, u64 bytes)
{
	static const char name[][5] = { "RSDT", "XSDT", "FACP", "DSDT",
					"APIC", "SPCR", "DMAR" };

	for (u64 at = 0; at + 36 <= bytes; at += 4)
		for (size_t i = 0; i < ARRAY_SIZE(name); i++)
			if (memory[at] == name[i][0] &&
			    memcmp(memory + at, name[i], 4) == 0)
				fix_sum(memory + at, bytes - at);
}

static void judge(const struct acpi_window *w, const u8 *rsdp)
{
	enum acpi_fault fault = ACPI_FINE;
	struct power_acpi how;
	u32 length, at = 0, apic_id, baud, count = 0;
	char text[200];
	u16 port = 0;
	u8 value;

	const u8 *madt = acpi_table(w, rsdp, "APIC", &length, &fault);

	REQUIRE(!madt == (fault != ACPI_FINE));
	if (madt) {
		REQUIRE(length >= 36 && madt >= w->base &&
			madt + length <= w->base + (w->end - w->start));
		while (acpi_next_cpu(madt, length, &at, &apic_id) ==
		       ACPI_NEXT_CPU)
			REQUIRE(at <= length && count++ < length);
	}
	if (acpi_console(w, rsdp, &port, &baud))
		REQUIRE(port && baud <= 115200);
	if (acpi_reset(w, rsdp, &port, &value))
		REQUIRE(port);
	if (acpi_power(w, rsdp, &how))
		REQUIRE(how.pm1a && acpi_table(w, rsdp, "FACP", &length, NULL));
	for (u32 i = 0; acpi_complaint(w, rsdp, i, text, sizeof(text)); i++) {
		require_sentence(text, sizeof(text));
		REQUIRE(i < 10000);
	}
	/* Without a usable table of CPUs there is something to complain about.
	 */
	if (!madt || !count)
		REQUIRE(acpi_complaint(w, rsdp, 0, text, sizeof(text)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in  = { data, size };
	const u64 choice = take(&in, 1);
	u8 rsdp[RSDP_BYTES];

	take_into(&in, rsdp, sizeof(rsdp));
	if (in.left > MEMORY_MAX)
		return 0;

	u8 *memory                 = exact(in.at, in.left);
	const struct acpi_window w = { memory, START, START + in.left };

	if (choice & FIX_SUMS)
		fix_sums(memory, in.left);

	judge(&w, rsdp);
	free(memory);
	return 0;
}

static u8 seed[1 + RSDP_BYTES + 1024];
static u8 *const memory = seed + 1 + RSDP_BYTES;

static void table(u32 at, const char *name, u32 length)
{
	memcpy(memory + at, name, 4);
	put32(memory + at + 4, length);
}

/* RSDT at 0, XSDT at 64, MADT at 128, FADT at 256, DSDT at 512. */
static void fuzz_seeds(void)
{
	static const u8 aml[]  = { 8, '_', 'S', '5', '_', 0x12, 6, 2, 0x0a, 5 };
	static const u8 cpus[] = { 0, 8, 0, 1, 1, 0, 0, 0, 1, 12, 0, 0,
				   0, 0, 0, 0, 0, 0, 0, 0, 9, 16, 0, 0,
				   0, 2, 0, 0, 1, 0, 0, 0, 9, 0,  0, 0 };

	for (u8 revision = 0; revision <= 2; revision += 2) {
		memset(seed, 0, sizeof(seed));
		seed[0]      = FIX_SUMS;
		seed[1 + 15] = revision;
		put32(seed + 1 + 16, START);
		put64(seed + 1 + 24, START + 64);
		put32(memory + 36, START + 128);
		put32(memory + 40, START + 256);
		table(0, "RSDT", 44);
		put64(memory + 64 + 36, START + 128);
		put64(memory + 64 + 44, START + 256);
		table(64, "XSDT", 52);
		memcpy(memory + 128 + 44, cpus, sizeof(cpus));
		table(128, "APIC", 44 + sizeof(cpus));
		put32(memory + 256 + 40, START + 512);
		put32(memory + 256 + 64, 0x604);
		table(256, "FACP", 244);
		memcpy(memory + 512 + 60, aml, sizeof(aml));
		table(512, "DSDT", 100);
		fuzz_seed(seed, 1 + RSDP_BYTES + 640);
	}
}
