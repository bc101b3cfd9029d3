/* SPDX-License-Identifier: MIT */
/*
 * Posted interrupts: a vCPU that runs, halts and moves between two CPUs, and
 * two who post to it: posted_request() and posted_take() in vmx/posted.h,
 * vcpu_post_interrupt() in vmx/vcpu.c, prepare() in vmx/vcpu_run.c, sched_done()
 * and sched_wake() in vmx/sched.c, and the CPU's own processing (SDM vol. 3,
 * "Posted-Interrupt Processing"), which may be off at any entry. Every interrupt
 * reaches the guest, and none that nobody posted. What is done under a run
 * queue's lock is one step. A BUG makes it fail.
 */
#define NONE 2
mtype = { RUNNABLE, RUNNING, BLOCKED };
mtype state = RUNNABLE;
byte home;         /* v->cpu */
bit idle[2];       /* runq.idle */
bit pir[2];        /* two vectors are enough */
bit on;
bit irr[2];
bit halted;        /* the guest's activity */
bit notified[2];   /* LAPIC_VECTOR_POSTED is pending there */
bit asked[2], got[2];

inline move_pir(i) {
	atomic { if :: pir[i] -> pir[i] = 0; irr[i] = 1 :: else fi }
}

/* posted_take(), and the CPU's steps in the same order */
inline take() {
#ifdef BUG_TAKE
	move_pir(0); move_pir(1); on = 0
#else
	on = 0; move_pir(0); move_pir(1)
#endif
}

inline deliver(i) {
	if
	:: irr[i] -> assert(asked[i]); irr[i] = 0; got[i] = 1
	:: else
	fi
}

proctype cpu(byte c) {
	bit posting;
loop:	atomic {
		if
		:: state == RUNNABLE && home == c ->
			state = RUNNING; idle[c] = 0; goto prepare
		:: else -> idle[c] = 1
		fi
	};
	/* cpu_idle(): the interrupt ends HLT, and is gone */
end_i:	if
	:: atomic { notified[c] -> notified[c] = 0 }
	:: state == RUNNABLE && home == c
	fi;
	goto loop;
prepare:
#ifndef BUG_PREPARE
	if :: on -> take() :: else fi;
#endif
	atomic {
		if
		:: halted && !irr[0] && !irr[1] -> goto block
		:: else -> halted = 0
		fi;
		/* The guest, with posted interrupts or, APICv off, without. */
		if :: posting = 0 :: posting = 1 fi;
		deliver(0); deliver(1);
		if
		:: halted = 1; goto prepare /* HLT exits */
		:: goto yield
		:: goto move
		:: skip
		fi
	};
end_g:	atomic { notified[c] -> notified[c] = 0 }; /* it only waits */
	if
	:: posting -> take(); atomic { deliver(0); deliver(1) }; goto end_g
	:: else -> goto prepare /* an exit */
	fi;
block:	atomic {
		if
#ifndef BUG_SLEEP
		:: on -> state = RUNNABLE
#endif
		:: else -> state = BLOCKED
		fi;
		goto loop
	};
yield:	atomic { state = RUNNABLE; goto loop };
move:	home = 1 - c;
	atomic {
		state = RUNNABLE;
		if :: idle[1 - c] -> notified[1 - c] = 1 :: else fi;
		goto loop
	}
}

/* vcpu_post_interrupt() */
proctype post(byte i) {
	byte q, whose = NONE;
	bit was;
	atomic { asked[i] = 1; got[i] = 0 };
#ifdef BUG_ORDER
	atomic { was = on; on = 1 };
	pir[i] = 1;
#else
	pir[i] = 1;
	atomic { was = on; on = 1 };
#endif
	if :: was -> goto told :: else fi;
home_of: /* lock_home() */
	q = home;
	atomic {
		if
		:: home != q -> goto home_of
#ifndef BUG_WAKE
		:: home == q && state == BLOCKED ->
			state = RUNNABLE;
			if :: idle[q] -> whose = q :: else fi
#endif
#ifndef BUG_NOTIFY
		:: home == q && state == RUNNING -> whose = home
#endif
		:: else
		fi
	};
	if :: whose != NONE -> notified[whose] = 1 :: else fi;
told:	skip
}

init {
	atomic { run cpu(0); run cpu(1); run post(0); run post(1) };
	/* Nothing moves any more: the guest has had what was posted last. */
	timeout -> assert(!pir[0] && !pir[1] && !irr[0] && !irr[1] && got[0] && got[1])
}
