/* SPDX-License-Identifier: MIT */
#include "guest/page_move.h"

#include "boot/lib/pages.h"
#include "boot/lib/string.h"
#include "guest/vm.h"
#include "guest/vm_audit.h"

#define POISON 0xa5 /* in places that nobody may look at any more */

#define SEALED (EPT_READ | EPT_EXEC)
#define OPEN   (EPT_READ | EPT_WRITE | EPT_EXEC)

/* False: no memory to split a large page; then nothing was changed. */
static bool map(struct vm *vm, void *place, unsigned int access)
{
	if (!ept_map(&vm->ept, gpa(vm->move.at), ptr_hpa(place), PAGE_SIZE,
		     access, MEM_WB))
		return false;
	vcpu_shoot_down(&vm->ept, vm->vcpu, vm->config.vcpu_count);
	return true;
}

static enum page_move_result leave(struct vm *vm, u64 at)
{
	struct page_move *m = &vm->move;

	m->at   = at;
	m->home = is_aligned(at, PAGE_SIZE)
			  ? memory_host(&vm->memory, gpa(at), PAGE_SIZE)
			  : NULL;
	m->away = m->home ? pages_alloc(1) : NULL;
	if (!m->away)
		return PAGE_MOVE_REFUSED;
	if (!map(vm, m->home, SEALED)) {
		pages_free(m->away, 1);
		return PAGE_MOVE_REFUSED;
	}
	m->step = PAGE_LEAVES;
	return PAGE_MOVE_AGAIN;
}

/* A step begins when the last one has come to every CPU. */
static enum page_move_result step(struct vm *vm)
{
	struct page_move *m = &vm->move;

	switch (m->step) {
	case PAGE_AT_HOME:
		break;
	case PAGE_LEAVES:
		memcpy(m->away, m->home, PAGE_SIZE);
		map(vm, m->away, OPEN);
		m->step = PAGE_AWAY;
		break;
	case PAGE_AWAY:
		memset(m->home, POISON, PAGE_SIZE);
		map(vm, m->away, SEALED);
		m->step = PAGE_RETURNS;
		break;
	case PAGE_RETURNS:
		memcpy(m->home, m->away, PAGE_SIZE);
		map(vm, m->home, OPEN);
		m->step = PAGE_BACK;
		break;
	case PAGE_BACK:
		memset(m->away, POISON, PAGE_SIZE);
		pages_free(m->away, 1);
		m->step = PAGE_AT_HOME;
		return PAGE_MOVE_DONE;
	}
	return PAGE_MOVE_AGAIN;
}

enum page_move_result page_move(struct vm *vm, u64 at)
{
	enum page_move_result result = PAGE_MOVE_AGAIN;

	spin_lock(&vm->lock);
	if (vm->move.step == PAGE_AT_HOME)
		result = leave(vm, at);
	else if (vm->move.at != at)
		result = PAGE_MOVE_REFUSED;
	else if (ept_is_settled(&vm->ept))
		result = step(vm);
	spin_unlock(&vm->lock);
	if (TV_DEBUG >= 2)
		vm_audit(vm);
	return result;
}

void page_move_cancel(struct vm *vm)
{
	struct page_move *m = &vm->move;

	if (m->step == PAGE_AT_HOME)
		return;
	if (m->step == PAGE_AWAY || m->step == PAGE_RETURNS)
		memcpy(m->home, m->away, PAGE_SIZE);
	ept_map(&vm->ept, gpa(m->at), ptr_hpa(m->home), PAGE_SIZE, OPEN,
		MEM_WB);
	memset(m->away, POISON, PAGE_SIZE);
	pages_free(m->away, 1);
	m->step = PAGE_AT_HOME;
}
