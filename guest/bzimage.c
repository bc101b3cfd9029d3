/* SPDX-License-Identifier: MIT */
/* The set-up header's checks, addresses, and the zero page. */
#include "guest/bzimage.h"

#include "boot/lib/print.h"
#include "boot/lib/string.h"

#define SETUP_MAGIC      0x53726448u /* "HdrS" */
#define BOOT_FLAG        0xaa55
#define PROTOCOL_MIN     0x020c /* xloadflags */
#define SECTOR           512
#define ENTRY_64         0x200 /* of the protected-mode part */
#define LOADER_UNDEFINED 0xff
#define KERNEL_LOWEST    MIB

#define REFUSE(...) (tv_snprintf(why, why_size, __VA_ARGS__), false)
#define LL(v)       ((unsigned long long)(v))

/* The header's length is in its own jump instruction. */
static u64 header_bytes(const u8 *file)
{
	const u64 end = 0x202ULL + file[0x201];

	return min_u64(end - offsetof(struct boot_params, hdr),
		       sizeof(struct setup_header));
}

static bool read_header(const u8 *file, u64 bytes, struct setup_header *h)
{
	const u64 at = offsetof(struct boot_params, hdr);

	memset(h, 0, sizeof(*h));
	if (bytes < at + sizeof(*h))
		return false;
	memcpy(h, file + at, header_bytes(file));
	return h->header == SETUP_MAGIC && h->boot_flag == BOOT_FLAG;
}

bool bzimage_is(const void *file, u64 bytes)
{
	struct setup_header h;

	return read_header(file, bytes, &h);
}

static bool check_header(const struct setup_header *h, u64 bytes,
			 u64 cmdline_bytes, char *why, size_t why_size)
{
	if (h->version < PROTOCOL_MIN)
		return REFUSE("boot protocol %u.%02u is too old, 2.12 is "
			      "needed",
			      h->version >> 8, h->version & 0xff);
	if (!(h->loadflags & LOADED_HIGH))
		return REFUSE("it is a zImage, to be loaded low (loadflags "
			      "%#x); a bzImage is needed",
			      h->loadflags);
	if (!(h->xloadflags & XLF_KERNEL_64))
		return REFUSE("it has no 64-bit entry (xloadflags %#x); a "
			      "64-bit kernel, with bit 0, is needed",
			      h->xloadflags);
	if (cmdline_bytes > h->cmdline_size)
		return REFUSE("its command line has %llu bytes, it takes %u",
			      LL(cmdline_bytes), h->cmdline_size);
	const u64 setup = (h->setup_sects ? h->setup_sects : 4) + 1ULL;

	if (setup * SECTOR >= bytes)
		return REFUSE("its set-up part alone has %llu bytes, the file "
			      "%llu",
			      LL(setup * SECTOR), LL(bytes));
	if (bytes - setup * SECTOR <= ENTRY_64)
		return REFUSE(
			"its 64-bit entry lies beyond its end: %llu bytes "
			"behind the set-up part",
			LL(bytes - setup * SECTOR));
	if (h->syssize * 16ULL > bytes - setup * SECTOR)
		return REFUSE("the file is cut short: %llu bytes of %llu",
			      LL(bytes),
			      LL(setup * SECTOR + h->syssize * 16ULL));
	if (h->init_size < bytes - setup * SECTOR)
		return REFUSE("its init_size %#x is less than the %llu bytes "
			      "that are loaded",
			      h->init_size, LL(bytes - setup * SECTOR));
	if (h->relocatable_kernel &&
	    (!h->kernel_alignment ||
	     (h->kernel_alignment & (h->kernel_alignment - 1))))
		return REFUSE("its kernel_alignment %#x is no power of two",
			      h->kernel_alignment);
	return true;
}

/* Where it wants to be, or the lowest place where it can be; 0: nowhere. */
static u64 choose_load(const struct setup_header *h,
		       const struct memory_range *range, u32 range_count)
{
	if (memory_is_usable(range, range_count, h->pref_address,
			     h->init_size) &&
	    h->pref_address >= KERNEL_LOWEST)
		return h->pref_address;
	if (!h->relocatable_kernel)
		return 0;
	const u64 lowest = align_up(KERNEL_LOWEST, h->kernel_alignment);

	return memory_is_usable(range, range_count, lowest, h->init_size)
		       ? lowest
		       : 0;
}

/* As high as it may be, as the kernel's documentation asks; 0: no place. */
static u64 choose_initrd(const struct bzimage_plan *p,
			 const struct memory_range *range, u32 range_count)
{
	const u64 above = p->load + p->header.init_size;

	for (u32 i = range_count; i-- > 0;) {
		const u64 end = min_u64(range[i].start + range[i].bytes,
					p->header.initrd_addr_max + 1ULL);

		if (range[i].type != MEMORY_USABLE || end < p->initrd_bytes)
			continue;
		const u64 at = align_down(end - p->initrd_bytes, PAGE_SIZE);

		if (at >= above && at >= range[i].start)
			return at;
	}
	return 0;
}

bool bzimage_plan(const void *file, u64 bytes, u64 initrd_bytes,
		  u64 cmdline_bytes, const struct memory_range *range,
		  u32 range_count, struct bzimage_plan *plan, char *why,
		  size_t why_size)
{
	struct setup_header *h = &plan->header;

	memset(plan, 0, sizeof(*plan));
	if (!read_header(file, bytes, h))
		return REFUSE("it has no Linux set-up header");
	if (!check_header(h, bytes, cmdline_bytes, why, why_size))
		return false;
	plan->kernel_offset =
		((h->setup_sects ? h->setup_sects : 4) + 1ULL) * SECTOR;
	plan->kernel_bytes = bytes - plan->kernel_offset;
	plan->load         = choose_load(h, range, range_count);
	if (!plan->load)
		return REFUSE("it needs %u KiB of memory from %#llx on%s, "
			      "which this VM does not have: raise mem=",
			      h->init_size / 1024, LL(h->pref_address),
			      h->relocatable_kernel ? ", or lower"
						    : " (it cannot be moved)");
	plan->entry = plan->load + ENTRY_64;
	if (!initrd_bytes)
		return true;
	plan->initrd_bytes = initrd_bytes;
	plan->initrd       = choose_initrd(plan, range, range_count);
	if (!plan->initrd)
		return REFUSE("its initrd of %llu KiB finds no room between "
			      "%#llx and %#x: raise mem=",
			      LL(initrd_bytes / 1024),
			      LL(plan->load + h->init_size),
			      h->initrd_addr_max);
	return true;
}

void bzimage_params(const struct bzimage_plan *plan,
		    const struct memory_range *range, u32 range_count,
		    const struct bzimage_places *at, struct boot_params *params)
{
	struct setup_header *h = &params->hdr;

	memset(params, 0, sizeof(*params));
	*h                        = plan->header;
	h->type_of_loader         = LOADER_UNDEFINED;
	h->cmd_line_ptr           = lo32(at->cmdline);
	h->ramdisk_image          = lo32(plan->initrd);
	h->ramdisk_size           = lo32(plan->initrd_bytes);
	h->code32_start           = lo32(plan->load);
	params->ext_ramdisk_image = hi32(plan->initrd);
	params->ext_ramdisk_size  = hi32(plan->initrd_bytes);
	params->acpi_rsdp_addr    = at->rsdp;
	params->e820_entries      = (u8)range_count;
	for (u32 i = 0; i < range_count; i++)
		params->e820_table[i] = (struct boot_e820_entry){
			.addr = range[i].start,
			.size = range[i].bytes,
			.type = range[i].type,
		};
}
