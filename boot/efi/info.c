/* SPDX-License-Identifier: MIT */
/* A tag after the other, each padded to 8 bytes. */
#include "boot/efi/info.h"

#include "boot/lib/bytes.h"
#include "boot/lib/string.h"
#include "boot/mb2_format.h"

#define MAP_HEADER (TAG_HEADER + 8)

/* A tag of BYTES with its header; NULL: it does not fit. */
static u8 *add(struct efi_info *i, u32 type, size_t bytes)
{
	const u64 padded = align_up(bytes, 8);
	u8 *tag          = i->at + i->used;

	if (i->full || padded > i->size - i->used) {
		i->full = true;
		return NULL;
	}
	put32(tag, type);
	put32(tag + 4, (u32)bytes);
	memset(tag + bytes, 0, padded - bytes);
	i->used += (u32)padded;
	return tag;
}

void efi_info_begin(struct efi_info *i, void *at, u32 size)
{
	*i = (struct efi_info){ .at = at, .size = size, .used = TAG_HEADER };
	memset(at, 0, TAG_HEADER);
}

static void add_text(struct efi_info *i, u32 type, const char *text)
{
	const size_t bytes = strlen(text) + 1;
	u8 *tag            = add(i, type, TAG_HEADER + bytes);

	if (tag)
		memcpy(tag + TAG_HEADER, text, bytes);
}

void efi_info_cmdline(struct efi_info *i, const char *text)
{
	add_text(i, TAG_CMDLINE, text);
}

void efi_info_loader(struct efi_info *i, const char *text)
{
	add_text(i, TAG_LOADER, text);
}

void efi_info_module(struct efi_info *i, u32 start, u32 end, const char *text)
{
	const size_t bytes = strlen(text) + 1;
	u8 *tag            = add(i, TAG_MODULE, TAG_HEADER + 8 + bytes);

	if (!tag)
		return;
	put32(tag + TAG_HEADER, start);
	put32(tag + TAG_HEADER + 4, end);
	memcpy(tag + TAG_HEADER + 8, text, bytes);
}

void efi_info_rsdp(struct efi_info *i, const void *rsdp, bool acpi2)
{
	const u32 bytes = acpi2 ? RSDP_NEW_BYTES : RSDP_OLD_BYTES;
	u8 *tag =
		add(i, acpi2 ? TAG_ACPI_NEW : TAG_ACPI_OLD, TAG_HEADER + bytes);

	if (tag)
		memcpy(tag + TAG_HEADER, rsdp, bytes);
}

void *efi_info_map_place(struct efi_info *i, u32 *room)
{
	const u32 taken = i->used + MAP_HEADER + TAG_HEADER + 7;

	*room = i->full || taken > i->size ? 0 : i->size - taken;
	return i->at + i->used + MAP_HEADER;
}

void efi_info_map(struct efi_info *i, u32 bytes, u32 stride, u32 version)
{
	u8 *tag = add(i, TAG_EFI_MMAP, (size_t)MAP_HEADER + bytes);

	if (!tag)
		return;
	put32(tag + TAG_HEADER, stride);
	put32(tag + TAG_HEADER + 4, version);
}

bool efi_info_end(struct efi_info *i)
{
	add(i, TAG_END, TAG_HEADER);
	put32(i->at, i->used);
	return !i->full;
}
