/* SPDX-License-Identifier: MIT */
/* links: boot/acpi.c */
/*
 * ACPI's tables: found by both roots, refused when damaged, and the sleep types
 * of \_S5 in the forms that compilers give it.
 * Source: ACPI 6.4, sections 5.2 and 20.2 "AML Grammar Definition"; Microsoft,
 * "Serial Port Console Redirection Table".
 */
#include "boot/acpi.h"

#include <stdlib.h>
#include <string.h>

#include "boot/lib/bytes.h"
#include "tests/unit/tap.h"

#define START 0x7fe0000ULL
#define BYTES 4096

static u8 memory[BYTES];
static u8 rsdp[36];
static const struct acpi_window window = { memory, START, START + BYTES };

static void sum(u32 at, u32 length)
{
	u8 *t = memory + at;

	t[9] = 0;
	for (u32 i = 0; i < length; i++)
		t[9] = (u8)(t[9] - (i == 9 ? 0 : t[i]));
}

static void table(u32 at, const char *name, u32 length)
{
	memcpy(memory + at, name, 4);
	put32(memory + at + 4, length);
	sum(at, length);
}

/* RSDT at 0, XSDT at 0x100, MADT at 0x200, FADT at 0x300, DSDT at 0x500. */
static void build(u8 revision, const u8 *aml, u32 aml_bytes)
{
	memset(memory, 0, sizeof(memory));
	memset(rsdp, 0, sizeof(rsdp));
	rsdp[15] = revision;
	put32(rsdp + 16, START);
	put64(rsdp + 24, revision >= 2 ? START + 0x100 : 0);
	put32(memory + 36, START + 0x200);
	put32(memory + 40, START + 0x300);
	table(0, "RSDT", 44);
	put64(memory + 0x100 + 36, START + 0x200);
	put64(memory + 0x100 + 44, START + 0x300);
	table(0x100, "XSDT", 52);
	table(0x200, "APIC", 44);
	put32(memory + 0x300 + 40, START + 0x500);
	put32(memory + 0x300 + 48, 0xb2);
	memory[0x300 + 52] = 0xf1;
	put32(memory + 0x300 + 64, 0x604);
	table(0x300, "FACP", 244);
	memcpy(memory + 0x500 + 60, aml, aml_bytes);
	table(0x500, "DSDT", 60 + aml_bytes + 20);
}

/* clang-format off */
static const struct {
	const char *claim;
	u8 aml[20];
	bool ok;
	u8 a, b;
} forms[] = {
	{ "bytes",
	  { 8, '_', 'S', '5', '_', 0x12, 6, 2, 0x0a, 5, 0x0a, 6 }, true, 5, 6 },
	{ "Zero and One",
	  { 8, '_', 'S', '5', '_', 0x12, 5, 4, 0, 1, 0, 0 }, true, 0, 1 },
	{ "a name from the root",
	  { 8, '\\', '_', 'S', '5', '_', 0x12, 6, 2, 0x0a, 7, 0 }, true, 7, 0 },
	{ "a package length of two bytes",
	  { 8, '_', 'S', '5', '_', 0x12, 0x47, 1, 2, 0x0a, 5, 0x0a, 5 }, true, 5, 5 },
	{ "a reference to the name is not its definition",
	  { 0x70, '_', 'S', '5', '_', 0x12, 6, 2, 0x0a, 5, 0x0a, 5 }, false, 0, 0 },
	{ "nor is one from the root",
	  { 0x70, '\\', '_', 'S', '5', '_', 0x12, 6, 2, 0x0a, 5, 0x0a, 5 }, false, 0, 0 },
	{ "no package",
	  { 8, '_', 'S', '5', '_', 0x0a, 5 }, false, 0, 0 },
	{ "a package of names",
	  { 8, '_', 'S', '5', '_', 0x12, 6, 2, 'A', 'B', 'C', 'D' }, false, 0, 0 },
	{ "another name",
	  { 8, '_', 'S', '4', '_', 0x12, 6, 2, 0x0a, 5, 0x0a, 5 }, false, 0, 0 },
};
/* clang-format on */

static void sleep_types(void)
{
	struct power_acpi how;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		build(2, forms[i].aml, sizeof(forms[i].aml));
		const bool ok = acpi_power(&window, rsdp, &how);

		tap_ok(ok == forms[i].ok &&
			       (!ok || (how.slp_typa == forms[i].a &&
					how.slp_typb == forms[i].b)),
		       "\\_S5: %s", forms[i].claim);
	}
}

static void roots(void)
{
	struct power_acpi how;
	u32 length = 0;

	build(0, forms[0].aml, sizeof(forms[0].aml));
	tap_ok(acpi_power(&window, rsdp, &how) && how.pm1a == 0x604 &&
		       how.pm1b == 0 && how.smi_cmd == 0xb2 &&
		       how.acpi_enable == 0xf1,
	       "revision 0 goes by the RSDT");
	tap_ok(acpi_table(&window, rsdp, "APIC", &length, NULL) ==
			       memory + 0x200 &&
		       length == 44,
	       "a table is found by its name");
	tap_ok(!acpi_table(&window, rsdp, "DMAR", &length, NULL),
	       "one that is not there is not");
	build(2, forms[0].aml, sizeof(forms[0].aml));
	put64(rsdp + 24, 0);
	tap_ok(acpi_power(&window, rsdp, &how), "as does 2 without an XSDT");
	build(2, forms[0].aml, sizeof(forms[0].aml));
	memcpy(memory, "NONE", 4);
	tap_ok(acpi_power(&window, rsdp, &how), "revision 2 goes by the XSDT");
	memory[0x100 + 50] ^= 1;
	tap_ok(!acpi_power(&window, rsdp, &how), "but not by a damaged one");
	build(2, forms[0].aml, sizeof(forms[0].aml));
	put32(memory + 0x300 + 112, 1 << 20);
	sum(0x300, 244);
	tap_ok(!acpi_power(&window, rsdp, &how),
	       "hardware-reduced ACPI has no PM1 registers");
	put32(memory + 0x300 + 112, 0);
	put64(memory + 0x300 + 140, START + BYTES - 8);
	sum(0x300, 244);
	tap_ok(!acpi_power(&window, rsdp, &how),
	       "a DSDT at the end of memory is not read");
}

/* The CPUs of a MADT with these entries, in a string; what ended the list. */
static const char *cpus_of(const u8 *entries, u32 bytes)
{
	static const char *const end[] = {
		[ACPI_NEXT_END]    = "end",
		[ACPI_NEXT_BROKEN] = "broken",
	};
	static char said[64];
	enum acpi_next next;
	u32 at = 0, id, length;

	build(2, forms[0].aml, sizeof(forms[0].aml));
	memcpy(memory + 0x200 + 44, entries, bytes);
	table(0x200, "APIC", 44 + bytes);
	const u8 *madt = acpi_table(&window, rsdp, "APIC", &length, NULL);

	said[0] = '\0';
	while ((next = acpi_next_cpu(madt, length, &at, &id)) == ACPI_NEXT_CPU)
		snprintf(said + strlen(said), sizeof(said) - strlen(said),
			 "%x ", id);
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s",
		 end[next]);
	return said;
}

#define CLAIM_CPUS(want, claim, ...)                                           \
	do {                                                                   \
		static const u8 e_[] = { __VA_ARGS__ };                        \
		const char *got_     = cpus_of(e_, sizeof(e_));                \
		tap_ok(strcmp(got_, want) == 0, "%s: %s", claim, got_);        \
	} while (0)

/* ACPI 6.4, 5.2.12 "Multiple APIC Description Table". */
static void cpus(void)
{
	CLAIM_CPUS("3 end", "a local APIC", 0, 8, 1, 3, 1, 0, 0, 0);
	CLAIM_CPUS("end", "one that is not enabled", 0, 8, 1, 3, 2, 0, 0, 0);
	CLAIM_CPUS("end", "id FFH is nobody", 0, 8, 1, 0xff, 1, 0, 0, 0);
	CLAIM_CPUS("end", "an entry too short for its type", 0, 6, 1, 3, 1, 0);
	CLAIM_CPUS("12c end", "an x2APIC", 9, 16, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0,
		   0, 0, 0, 0, 0);
	CLAIM_CPUS("end", "one that is not enabled", 9, 16, 0, 0, 0x2c, 1, 0, 0,
		   0, 0, 0, 0, 0, 0, 0, 0);
	CLAIM_CPUS("end", "id FFFFFFFFH is all CPUs, so no CPU", 9, 16, 0, 0,
		   0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0);
	CLAIM_CPUS("1 2 end", "other entries between them", 0, 8, 1, 1, 1, 0, 0,
		   0, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 2, 1, 0, 0,
		   0);
	CLAIM_CPUS("1 broken", "an entry that reaches out", 0, 8, 1, 1, 1, 0, 0,
		   0, 0, 9, 1, 3, 1, 0, 0, 0);
	CLAIM_CPUS("broken", "half a header", 0);
}

/* The console of a SPCR in the MADT's place. */
static const char *console_of(u8 type, u8 space, u64 address, u8 baud,
			      u32 bytes)
{
	static char said[32];
	u32 rate = 0;
	u16 port = 0;

	build(2, forms[0].aml, sizeof(forms[0].aml));
	memory[0x200 + 36] = type;
	memory[0x200 + 40] = space;
	put64(memory + 0x200 + 44, address);
	memory[0x200 + 58] = baud;
	table(0x200, "SPCR", bytes);
	if (!acpi_console(&window, rsdp, &port, &rate))
		return "none";
	snprintf(said, sizeof(said), "%x %u", port, rate);
	return said;
}

static void consoles(void)
{
	static const struct {
		const char *claim, *want;
		u64 address;
		u32 bytes;
		u8 type, space, baud;
	} t[] = {
		{ "a 16550", "3f8 115200", 0x3f8, 80, 0, 1, 7 },
		{ "a 16450", "2f8 9600", 0x2f8, 80, 1, 1, 3 },
		{ "one as its address says", "3f8 57600", 0x3f8, 80, 18, 1, 6 },
		{ "19200 baud", "3f8 19200", 0x3f8, 80, 0, 1, 4 },
		{ "as firmware left it", "3f8 0", 0x3f8, 80, 0, 1, 0 },
		{ "a baud rate nobody knows", "3f8 0", 0x3f8, 80, 0, 1, 8 },
		{ "an ARM UART", "none", 0x3f8, 80, 3, 1, 7 },
		{ "in memory", "none", 0x3f8, 80, 0, 0, 7 },
		{ "beyond all ports", "none", 0x103f8, 80, 0, 1, 7 },
		{ "port 0", "none", 0, 80, 0, 1, 7 },
		{ "a table cut short", "none", 0x3f8, 79, 0, 1, 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *got =
			console_of(t[i].type, t[i].space, t[i].address,
				   t[i].baud, t[i].bytes);

		tap_ok(strcmp(got, t[i].want) == 0, "console: %s: %s",
		       t[i].claim, got);
	}
	build(2, forms[0].aml, sizeof(forms[0].aml));
	u32 baud;
	u16 port;

	tap_ok(!acpi_console(&window, rsdp, &port, &baud), "no SPCR, none");
}

static bool resets(u32 flags, u8 space, u64 address, u32 bytes)
{
	u16 port = 0;
	u8 value = 0;

	build(2, forms[0].aml, sizeof(forms[0].aml));
	put32(memory + 0x300 + 112, flags);
	memory[0x300 + 116] = space;
	put64(memory + 0x300 + 120, address);
	memory[0x300 + 128] = 6;
	table(0x300, "FACP", bytes);
	if (!acpi_reset(&window, rsdp, &port, &value))
		return false;
	return port == address && value == 6;
}

static void reset_registers(void)
{
	tap_ok(resets(1 << 10, 1, 0xcf9, 244), "a reset register");
	tap_ok(!resets(0, 1, 0xcf9, 244), "RESET_REG_SUP is 0: none");
	tap_ok(!resets(1 << 10, 0, 0xcf9, 244), "one in memory is not used");
	tap_ok(!resets(1 << 10, 1, 0x10cf9, 244), "nor one beyond all ports");
	tap_ok(!resets(1 << 10, 1, 0xcf9, 128), "a FADT of ACPI 1.0 has none");
	tap_ok(resets(1 << 10, 1, 0xcf9, 129), "and one of 129 bytes has");
	u16 port;
	u8 value;

	memcpy(memory + 0x300, "NONE", 4);
	tap_ok(!acpi_reset(&window, rsdp, &port, &value), "no FADT, none");
}

/* The window is exactly the buffer: a sanitizer sees every step outside. */
static void damage(void)
{
	struct power_acpi how;
	u32 taken = 0;

	srand(4);
	for (int round = 0; round < 100000; round++) {
		build(round & 2, forms[0].aml, sizeof(forms[0].aml));
		for (int i = rand() % 3; i >= 0; i--) {
			static const u32 at[] = { 0, 0x100, 0x300, 0x500 };
			const u32 base        = at[rand() % 4];
			const u32 kind        = (u32)rand() % 3;

			if (kind == 0)
				put32(memory + base + 4,
				      (u32)rand() >> rand() % 31);
			else if (kind == 1)
				put32(memory + base + 36 + rand() % 30 * 4,
				      START + BYTES - (u32)rand() % 80);
			else
				memory[base + (u32)rand() % 100] = (u8)rand();
			u32 length;

			memcpy(&length, memory + base + 4, 4);
			if (length < BYTES - base)
				sum(base, length);
		}
		taken += acpi_power(&window, rsdp, &how);
	}
	tap_ok(true, "100000 damaged sets of tables: nothing read outside");
	tap_note("%u of them were still good", taken);
}

int main(void)
{
	sleep_types();
	roots();
	cpus();
	consoles();
	reset_registers();
	damage();
	return tap_done();
}
