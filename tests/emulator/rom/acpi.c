/* SPDX-License-Identifier: MIT */
/*
 * The ACPI tables of a direct boot: as much as it takes to find the CPUs and to
 * switch the machine off. The I/O ports are those that rom.S gives the emulated
 * chip set. (ACPI 6.5, "ACPI Software Programming Model".)
 */
#include "pack.h"

#include <string.h>

#define PM_BASE        0xb000u
#define SCI            9
#define LAPIC_ADDRESS  0xfee00000u
#define IOAPIC_ADDRESS 0xfec00000u

enum {
	HEADER_BYTES = 36,
	FADT_BYTES   = 244,
	FACS_BYTES   = 64,
	RSDP_BYTES   = 36,
};

/* Name (_S5, Package (4) { 0, 0, 0, 0 }): sleep type 0 is 'soft off' here. */
static const uint8_t dsdt_code[] = {
	0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0, 0, 0, 0,
};

struct writer {
	uint8_t *rom;
	uint32_t at; /* offset of the next free byte, a multiple of 64 */
};

static uint8_t checksum(const uint8_t *at, size_t bytes)
{
	uint8_t sum = 0;

	while (bytes--)
		sum = (uint8_t)(sum + *at++);
	return (uint8_t)-sum;
}

/* Room for a table; its physical address is PACK_ROM_BASE + the result. */
static uint32_t reserve(struct writer *w, uint32_t bytes)
{
	const uint32_t at = w->at;

	w->at += (bytes + 63) & ~63u;
	return at;
}

static uint32_t table(struct writer *w, const char *signature, uint8_t revision,
		      uint32_t bytes)
{
	const uint32_t at = reserve(w, bytes);
	uint8_t *t        = w->rom + at;

	memset(t, 0, bytes);
	memcpy(t, signature, 4);
	put32(t + 4, bytes);
	t[8] = revision;
	memcpy(t + 10, "TILEVRDIRECT  ", 14);
	put32(t + 24, 1);
	memcpy(t + 28, "PACK", 4);
	put32(t + 32, 1);
	return at;
}

static void seal(struct writer *w, uint32_t at)
{
	uint8_t *t = w->rom + at;

	t[9] = 0;
	t[9] = checksum(t, get32(t + 4));
}

static uint32_t madt_build(struct writer *w, uint32_t cpu_count)
{
	const uint32_t bytes = HEADER_BYTES + 8 + cpu_count * 8 + 12 + 2 * 10;
	const uint32_t at    = table(w, "APIC", 3, bytes);
	uint8_t *t           = w->rom + at + HEADER_BYTES;

	put32(t, LAPIC_ADDRESS);
	put32(t + 4, 1); /* there are 8259s too */
	t += 8;
	for (uint32_t i = 0; i < cpu_count; i++, t += 8) {
		t[1] = 8; /* type 0: local APIC */
		t[2] = (uint8_t)i;
		t[3] = (uint8_t)i;
		put32(t + 4, 1); /* enabled */
	}
	t[0] = 1; /* I/O APIC */
	t[1] = 12;
	t[2] = (uint8_t)cpu_count;
	put32(t + 4, IOAPIC_ADDRESS);
	t += 12;
	t[0] = 2; /* override: the timer's IRQ 0 is input 2 */
	t[1] = 10;
	put32(t + 4, 2);
	t += 10;
	t[0] = 2; /* override: the SCI is active high, level */
	t[1] = 10;
	t[3] = SCI;
	put32(t + 4, SCI);
	put16(t + 8, 0xd);
	seal(w, at);
	return at;
}

static void gas_io(uint8_t *at, uint8_t bits, uint32_t port)
{
	at[0] = 1; /* system I/O */
	at[1] = bits;
	at[3] = (uint8_t)(bits / 16 + 1);
	put64(at + 4, port);
}

static uint32_t fadt_build(struct writer *w, uint32_t facs, uint32_t dsdt)
{
	const uint32_t at = table(w, "FACP", 3, FADT_BYTES);
	uint8_t *t        = w->rom + at;

	put32(t + 36, PACK_ROM_BASE + facs);
	put32(t + 40, PACK_ROM_BASE + dsdt);
	put16(t + 46, SCI);
	put32(t + 56, PM_BASE);     /* PM1a event block */
	put32(t + 64, PM_BASE + 4); /* PM1a control block */
	put32(t + 76, PM_BASE + 8); /* PM timer */
	t[88] = 4;
	t[89] = 2;
	t[91] = 4;
	put16(t + 96, 0xfff);  /* no C2 */
	put16(t + 98, 0xfff);  /* no C3 */
	put16(t + 109, 0x3);   /* legacy devices, 8042 */
	put32(t + 112, 0x1a5); /* WBINVD, C1, sleep buttons and RTC not fixed */
	put64(t + 132, PACK_ROM_BASE + facs);
	put64(t + 140, PACK_ROM_BASE + dsdt);
	gas_io(t + 148, 32, PM_BASE);
	gas_io(t + 172, 16, PM_BASE + 4);
	gas_io(t + 208, 32, PM_BASE + 8);
	seal(w, at);
	return at;
}

/* RSDT (4-byte entries) or XSDT (8-byte entries). */
static uint32_t root_build(struct writer *w, const char *signature,
			   uint32_t entry_bytes, const uint32_t *entry,
			   uint32_t count)
{
	const uint32_t at =
		table(w, signature, 1, HEADER_BYTES + count * entry_bytes);

	for (uint32_t i = 0; i < count; i++)
		put32(w->rom + at + HEADER_BYTES + i * entry_bytes,
		      PACK_ROM_BASE + entry[i]);
	seal(w, at);
	return at;
}

void acpi_build(struct pack *p, uint8_t *rom)
{
	struct writer w     = { .rom = rom, .at = 0 };
	const uint32_t rsdp = reserve(&w, RSDP_BYTES);
	const uint32_t facs = table(&w, "FACS", 0, FACS_BYTES);
	const uint32_t dsdt =
		table(&w, "DSDT", 2, HEADER_BYTES + sizeof(dsdt_code));

	memset(rom + facs + 8, 0, FACS_BYTES - 8); /* has no common header */
	memcpy(rom + dsdt + HEADER_BYTES, dsdt_code, sizeof(dsdt_code));
	seal(&w, dsdt);

	const uint32_t listed[] = { fadt_build(&w, facs, dsdt),
				    madt_build(&w, p->cpu_count) };
	const uint32_t rsdt     = root_build(&w, "RSDT", 4, listed, 2);
	const uint32_t xsdt     = root_build(&w, "XSDT", 8, listed, 2);
	uint8_t *r              = rom + rsdp;

	memset(r, 0, RSDP_BYTES);
	memcpy(r, "RSD PTR ", 8);
	memcpy(r + 9, "TILEVR", 6);
	r[15] = 2;
	put32(r + 16, PACK_ROM_BASE + rsdt);
	put32(r + 20, RSDP_BYTES);
	put64(r + 24, PACK_ROM_BASE + xsdt);
	r[8]  = checksum(r, 20);
	r[32] = checksum(r, RSDP_BYTES);
	memcpy(p->rsdp, r, RSDP_BYTES);
}
