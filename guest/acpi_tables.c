/* SPDX-License-Identifier: MIT */
/* ACPI tables, byte by byte as ACPI 6.4 chapter 5 lays them out. */
#include "guest/acpi_tables.h"

#include "boot/lib/string.h"
#include "guest/vioapic.h"
#include "guest/vlapic.h"
#include "guest/vuart.h"

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI: table header");

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum;
	u8 reserved[3];
} __attribute__((packed));
_Static_assert(sizeof(struct rsdp) == 36, "ACPI: RSDP");
#define RSDP_V1_BYTES 20

struct xsdt {
	struct acpi_header h;
	u64 table[3];
} __attribute__((packed));

/* Generic address structure. */
struct gas {
	u8 space, bits, offset, access;
	u64 address;
} __attribute__((packed));
#define GAS_BYTE_PORT(port)                                                    \
	{                                                                      \
		1, 8, 0, 1, (port)                                             \
	}

struct fadt {
	struct acpi_header h;
	u32 facs, dsdt;
	u8 unused1[64]; /* fixed hardware that reduced hardware has not */
	u8 century;
	u16 boot_arch;
	u8 reserved;
	u32 flags;
	struct gas reset;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor;
	u64 x_facs, x_dsdt;
	struct gas unused2[8];
	struct gas sleep_control, sleep_status;
	u64 hypervisor;
} __attribute__((packed));
_Static_assert(offsetof(struct fadt, boot_arch) == 109, "ACPI: FADT");
_Static_assert(offsetof(struct fadt, flags) == 112, "ACPI: FADT");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "ACPI: FADT");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "ACPI: FADT");
_Static_assert(sizeof(struct fadt) == 276, "ACPI: FADT");

#define BOOT_LEGACY_DEVICES BIT(0)
#define BOOT_NO_VGA         BIT(2)
#define BOOT_NO_RTC         BIT(5)

#define FADT_WBINVD     BIT(0)
#define FADT_NO_PWR     BIT(4) /* no fixed power button, */
#define FADT_NO_SLP     BIT(5) /* no fixed sleep button */
#define FADT_RESET      BIT(10)
#define FADT_HW_REDUCED BIT(20)

struct madt {
	struct acpi_header h;
	u32 lapic_address;
	u32 flags; /* 0: no 8259s */
} __attribute__((packed));

struct madt_lapic {
	u8 type, length, uid, id;
	u32 flags;
} __attribute__((packed));

struct madt_ioapic {
	u8 type, length, id, reserved;
	u32 address, gsi_base;
} __attribute__((packed));

/* Serial Port Console Redirection Table, revision 2 (Microsoft). */
struct spcr {
	struct acpi_header h;
	u8 interface;
	u8 reserved1[3];
	struct gas base;
	u8 interrupt_type;
	u8 pc_irq;
	u32 gsi;
	u8 baud, parity, stop_bits, flow_control;
	u8 terminal, language;
	u16 pci_device, pci_vendor;
	u8 pci_bus, pci_slot, pci_function;
	u32 pci_flags;
	u8 pci_segment;
	u32 reserved2;
} __attribute__((packed));
_Static_assert(offsetof(struct spcr, gsi) == 54, "SPCR: layout");
_Static_assert(sizeof(struct spcr) == 80, "SPCR: layout");

#define SPCR_16550       0
#define SPCR_IRQ_8259    BIT(0)
#define SPCR_IRQ_IOAPIC  BIT(1)
#define SPCR_115200_BAUD 7
#define SPCR_ONE_STOP    1
#define SPCR_VT_UTF8     2
#define SPCR_NOT_PCI     0xffff

struct builder {
	u8 *buffer;
	u32 size, used, at;
};

/* Room for BYTES, zeroed and 16-byte aligned; NULL: none is left. */
static void *take(struct builder *b, u32 bytes)
{
	const u32 from = (u32)align_up(b->used, 16);

	if (from > b->size || bytes > b->size - from)
		return NULL;
	b->used = from + bytes;
	return memset(b->buffer + from, 0, bytes);
}

static u32 address(const struct builder *b, const void *p)
{
	return b->at + (u32)((const u8 *)p - b->buffer);
}

/* The byte that makes the sum of BYTES bytes 0. */
static u8 checksum(const void *p, u32 bytes)
{
	const u8 *byte = p;
	u8 sum         = 0;

	while (bytes--)
		sum = (u8)(sum + *byte++);
	return (u8)-sum;
}

static void *table(struct builder *b, const char *signature, u8 revision,
		   u32 bytes)
{
	struct acpi_header *h = take(b, bytes);

	if (!h)
		return NULL;
	memcpy(h->signature, signature, 4);
	memcpy(h->oem_id, "TILEVR", 6);
	memcpy(h->oem_table_id, "TILEVISR", 8);
	memcpy(h->creator_id, "TLVR", 4);
	h->length   = bytes;
	h->revision = revision;
	return h;
}

static void seal(struct acpi_header *h)
{
	h->checksum = checksum(h, h->length);
}

static struct acpi_header *build_spcr(struct builder *b)
{
	const struct gas base = GAS_BYTE_PORT(VUART_PORT);
	struct spcr *s        = table(b, "SPCR", 2, sizeof(*s));

	if (!s)
		return NULL;
	s->interface      = SPCR_16550;
	s->base           = base;
	s->interrupt_type = SPCR_IRQ_8259 | SPCR_IRQ_IOAPIC;
	s->pc_irq         = VUART_IRQ;
	s->gsi            = VUART_IRQ;
	s->baud           = SPCR_115200_BAUD;
	s->stop_bits      = SPCR_ONE_STOP;
	s->terminal       = SPCR_VT_UTF8;
	s->pci_device     = SPCR_NOT_PCI;
	s->pci_vendor     = SPCR_NOT_PCI;
	seal(&s->h);
	return &s->h;
}

static struct acpi_header *build_fadt(struct builder *b, u32 dsdt)
{
	const struct gas reset   = GAS_BYTE_PORT(ACPI_RESET_PORT);
	const struct gas control = GAS_BYTE_PORT(ACPI_SLEEP_PORT);
	const struct gas status  = GAS_BYTE_PORT(ACPI_SLEEP_STATUS);
	struct fadt *f           = table(b, "FACP", 6, sizeof(*f));

	if (!f)
		return NULL;
	f->dsdt      = dsdt;
	f->x_dsdt    = dsdt;
	f->minor     = 4;
	f->boot_arch = BOOT_LEGACY_DEVICES | BOOT_NO_VGA | BOOT_NO_RTC;
	f->flags     = FADT_WBINVD | FADT_NO_PWR | FADT_NO_SLP | FADT_RESET |
		   FADT_HW_REDUCED;
	f->reset         = reset;
	f->reset_value   = ACPI_RESET_VALUE;
	f->sleep_control = control;
	f->sleep_status  = status;
	seal(&f->h);
	return &f->h;
}

static struct acpi_header *build_madt(struct builder *b, u32 vcpu_count)
{
	const u32 bytes = (u32)(sizeof(struct madt) +
				vcpu_count * sizeof(struct madt_lapic) +
				sizeof(struct madt_ioapic));
	struct madt *m  = table(b, "APIC", 5, bytes);

	if (!m)
		return NULL;
	m->lapic_address = (u32)VLAPIC_BASE;

	struct madt_lapic *l = (struct madt_lapic *)(m + 1);

	for (u32 i = 0; i < vcpu_count; i++)
		l[i] = (struct madt_lapic){ 0, sizeof(*l), (u8)i, (u8)i, 1 };

	struct madt_ioapic *io = (struct madt_ioapic *)(l + vcpu_count);

	*io = (struct madt_ioapic){ .type    = 1,
				    .length  = sizeof(*io),
				    .address = (u32)VIOAPIC_BASE };
	seal(&m->h);
	return &m->h;
}

u32 acpi_tables_build(u8 *buffer, u32 size, u32 at, u32 vcpu_count,
		      const u8 *dsdt, u32 dsdt_bytes)
{
	struct builder b = { .buffer = buffer, .size = size, .at = at };
	struct rsdp *r   = take(&b, sizeof(*r));
	struct xsdt *x   = table(&b, "XSDT", 1, sizeof(*x));
	u8 *d            = take(&b, dsdt_bytes);

	if (!r || !x || !d)
		return 0;
	memcpy(d, dsdt, dsdt_bytes);
	const struct acpi_header *fadt = build_fadt(&b, address(&b, d));
	const struct acpi_header *madt = build_madt(&b, vcpu_count);
	const struct acpi_header *spcr = build_spcr(&b);

	if (!fadt || !madt || !spcr)
		return 0;
	x->table[0] = address(&b, fadt);
	x->table[1] = address(&b, madt);
	x->table[2] = address(&b, spcr);
	seal(&x->h);
	memcpy(r->signature, "RSD PTR ", 8);
	memcpy(r->oem_id, "TILEVR", 6);
	r->revision          = 2;
	r->length            = sizeof(*r);
	r->xsdt              = address(&b, x);
	r->checksum          = checksum(r, RSDP_V1_BYTES);
	r->extended_checksum = checksum(r, sizeof(*r));
	return b.used;
}
