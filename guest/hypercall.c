/* SPDX-License-Identifier: MIT */
#include "guest/hypercall.h"

#include "guest/vm.h"
#include "vmx/vcpu_run.h"

/* The VMCALL that asks is not counted in its own answer. */
static u64 exits(const struct vcpu *v, u64 reason)
{
	const struct vcpu_stats *s = &v->stats;

	if (reason == ~0ULL)
		return s->exits_total - 1;
	if (reason >= VCPU_EXIT_REASON_COUNT)
		return 0;
	return s->exits[reason] - (reason == EXIT_REASON_VMCALL);
}

/* The new state before the old one goes: without memory nothing changes. */
static enum verdict renew(struct vcpu *v, u64 *result)
{
	const struct fpu_config config = vm_fpu_config(v->vm);
	struct fpu next;

	if (!fpu_create(&next, &config)) {
		*result = ~0ULL;
		return RUN_AGAIN;
	}
	next.stats = v->fpu.stats;
	fpu_put(&v->fpu);
	fpu_destroy(&v->fpu);
	v->fpu = next;
	fpu_load(&v->fpu);
	vcpu_apply_traps(v);
	vcpu_forget_cpuid(v);
	return RUN_AGAIN;
}

enum verdict hypercall(struct vcpu *v, u64 number, u64 argument, u64 *result)
{
	*result = 0;
	switch (number) {
	case CALL_EXITS:
		*result = exits(v, argument);
		return RUN_AGAIN;
	case CALL_GROWTHS:
		*result = fpu_growths(&v->fpu);
		return RUN_AGAIN;
	case CALL_AREA_BYTES:
		*result = fpu_area_bytes(&v->fpu);
		return RUN_AGAIN;
	case CALL_SWITCHES:
		*result = v->stats.switches;
		return RUN_AGAIN;
	case CALL_YIELD:
		return RUN_YIELD;
	case CALL_PASSTHROUGH:
		*result = fpu_xfd_is_passed_through(&v->fpu);
		return RUN_AGAIN;
	case CALL_NM_EXITS:
		*result = v->stats.nm_exits;
		return RUN_AGAIN;
	case CALL_XFD_EXITS:
		*result = v->stats.xfd_exits;
		return RUN_AGAIN;
	case CALL_POLICY:
		*result = v->vm->config.policy;
		return RUN_AGAIN;
	case CALL_HOST_TICKS:
		*result = v->stats.host_ticks;
		return RUN_AGAIN;
	case CALL_RESETS:
		*result = v->vm->resets;
		return RUN_AGAIN;
	case CALL_RENEW:
		return renew(v, result);
	case CALL_MOVE_PAGE:
		*result = page_move(v->vm, argument);
		return *result == PAGE_MOVE_AGAIN ? RUN_YIELD : RUN_AGAIN;
	default:
		*result = ~0ULL;
		return RUN_AGAIN;
	}
}
