/* SPDX-License-Identifier: MIT */
/*
 * Whose memory is whose at boot: what becomes free pages, and how the host maps
 * it. The mechanisms are boot/lib/pages.h and boot/lib/paging.h.
 */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

#include "boot/boot_info.h"

/*
 * RAM below 4 GiB, which the first page tables reach, becomes free pages; not
 * the first MiB, the image and the modules.
 */
void pages_init(const struct boot_info *bi);

/*
 * Our own page tables, loaded: code executable and read-only, constants read
 * only, RAM writable, ACPI's tables read-only, the local APIC uncached, page 0
 * and everything else not mapped. RAM above 4 GiB becomes free pages too. An
 * audit of the result is logged; a page both writable and executable is a
 * panic.
 */
void paging_init(const struct boot_info *bi);

#endif
