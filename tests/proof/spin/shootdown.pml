/* SPDX-License-Identifier: MIT */
/*
 * A page is taken out of a VM's EPT while two CPUs may enter the VM: ept_cut()
 * and ept_is_settled() in vmx/ept.c, vmx/ept_duty.c, vcpu_shoot_down(),
 * vcpu_meet_ept_duty() and vcpu_give_up() in vmx/vcpu.c. Nobody uses the page
 * after it was given away, and that it is given away comes to pass. A BUG makes
 * it fail.
 */
bit mapped = 1, given_away;
byte generation;
byte done[2];    /* ept_duty.done */
bit cached[2];   /* a translation of the page in this CPU */
bit told[2];     /* VCPU_EVENT_EPT, and the kick */

inline meet_duty(c) {
	now = generation;
	if
	:: done[c] <= now ->
#ifndef BUG_INVEPT
		cached[c] = 0;
#endif
		done[c] = now + 1
	:: else
	fi
}

proctype cpu(byte c) {
	byte now;
	do
	:: meet_duty(c); /* vcpu_load() */
	   do
	   :: told[c] -> told[c] = 0; meet_duty(c)
	   :: !told[c] && mapped -> cached[c] = 1      /* the guest: a walk, */
	   :: !told[c] && cached[c] ->                 /* an access */
		assert(!given_away)
	   :: break
	   od;
	   cached[c] = 0; done[c] = 0 /* vcpu_give_up() */
	:: end: told[c] -> told[c] = 0
	od
}

active proctype cut() {
	run cpu(0); run cpu(1);
	mapped = 0;
#ifndef BUG_CUT
	generation++;
#endif
	told[0] = 1; told[1] = 1;
#ifndef BUG_WAIT
	(done[0] == 0 || done[0] > generation);
	(done[1] == 0 || done[1] > generation);
#endif
	given_away = 1
}
