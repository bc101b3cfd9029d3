/* SPDX-License-Identifier: MIT */
/* The #NM hook of nm.h. */
#include "lib/nm.h"

#include "lib/insn.h"
#include "lib/tap.h"

struct nm_seen nm_seen;

static enum nm_answer answer;
static u32 limit;
static bool read_xfd;

static bool on_nm(struct frame *f)
{
	const bool xfd = guest.has_xfd;

	nm_seen.frame    = *f;
	nm_seen.frame_at = (u64)f;
	nm_seen.cr0      = read_cr0();
	nm_seen.cr2      = read_cr2();
	nm_seen.dr6      = read_dr6();
	nm_seen.xfd      = xfd && read_xfd ? rdmsr(MSR_XFD) : 0;
	nm_seen.xfd_err  = xfd ? rdmsr(MSR_XFD_ERR) : 0;
	if (nm_seen.count++ >= limit)
		return false;
	if (answer == NM_ENABLE) {
		wrmsr(MSR_XFD_ERR, 0);
		wrmsr(MSR_XFD, 0);
	} else if (answer == NM_CLTS) {
		clts();
	}
	return true;
}

void nm_watch(enum nm_answer how, u32 times, bool xfd)
{
	nm_seen  = (struct nm_seen){ 0 };
	answer   = how;
	limit    = times;
	read_xfd = xfd;
	trap_set_hook(TRAP_NM, on_nm);
}
