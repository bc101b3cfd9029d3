/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs on two CPUs, one of which halts, moves and is posted to: vmx/sched.c (pick, done, wake, move, lock_home),
 * runloop() and cpu_idle() in vmx/runloop.c, vcpu_post() in vmx/vcpu.c,
 * fpu_load() and fpu_put(). No event is lost, no vCPU is in two places, nor its
 * VMCS or extended state; growth finds the state in the registers. A BUG makes
 * it fail.
 */
#define NONE 2
mtype = { RUNNABLE, RUNNING, BLOCKED };
mtype state[2] = RUNNABLE;
byte home[2] = 0;     /* v->cpu */
bit queued[2] = 1;
bit events[2];
bit idle[2];          /* runq.idle */
bit locked[2];        /* runq.lock */
bit kicked[2];        /* LAPIC_VECTOR_KICK is pending there */
byte vmcs[2] = NONE;   /* the CPU that has its VMCS */
byte in[2] = NONE;    /* the CPU that has its extended state */
byte current[2] = NONE;

inline lock(q) { atomic { !locked[q] -> locked[q] = 1 } }
inline unlock(q) { locked[q] = 0 }

inline lock_home(v, q) {
	do
	:: q = home[v]; lock(q);
	   if
#ifndef BUG_HOME
	   :: home[v] != q -> unlock(q)
#endif
	   :: else -> break
	   fi
	od
}

inline enqueue(v) { assert(!queued[v]); queued[v] = 1; state[v] = RUNNABLE }

/* vcpu_switch() */
inline put(c) {
	if
	:: current[c] != NONE ->
		assert(in[current[c]] == c); in[current[c]] = NONE; current[c] = NONE
	:: else
	fi
}

proctype cpu(byte c) {
	byte v;
loop:	v = NONE;
	lock(c);
	if
	:: queued[0] && home[0] == c -> v = 0
	:: queued[1] && home[1] == c -> v = 1
	:: else -> v = NONE
	fi;
	if
	:: v != NONE -> queued[v] = 0; state[v] = RUNNING; idle[c] = 0
	:: else -> idle[c] = 1
	fi;
	unlock(c);
	if
	:: v == NONE ->
		put(c);
		if
		:: (queued[0] && home[0] == c) || (queued[1] && home[1] == c)
		:: else -> goto hlt
		fi;
		goto loop
	:: current[c] != v && v != NONE ->
		put(c);
		assert(vmcs[v] == NONE || vmcs[v] == c);
		vmcs[v] = c; current[c] = v;
		assert(in[v] == NONE); in[v] = c
	:: else
	fi;
take:	events[v] = 0; /* vcpu_take_events() */
	if
	:: assert(in[v] == c); goto guest /* #NM: it grows here */
	:: v == 0 -> goto halt
	:: v == 0 -> goto move
	:: v == 0 -> goto yield
	fi;
	/* In the guest, or asleep: until a kick, or the end of the slice. */
end_g:
guest:	if
	:: kicked[c] -> kicked[c] = 0; goto take
	:: (queued[0] && home[0] == c) || (queued[1] && home[1] == c) ->
		goto yield
	fi;
end_h:
hlt:	kicked[c]; kicked[c] = 0; goto loop;
halt:	lock(c);
	if
#ifndef BUG_SLEEP
	:: events[v] -> enqueue(v)
#endif
	:: else -> state[v] = BLOCKED
	fi;
	unlock(c); goto loop;
yield:	lock(c); enqueue(v); unlock(c); goto loop;
move:	put(c);
#ifndef BUG_CLEAR
	vmcs[v] = NONE; /* vcpu_give_up(): VMCLEAR */
#endif
	lock(c); home[v] = 1 - c; unlock(c);
	lock(1 - c); enqueue(v); kicked[1 - c] = idle[1 - c] | kicked[1 - c];
	unlock(1 - c);
	goto loop
}

/* vcpu_post() */
proctype post(byte v) {
	byte q, whose = NONE;
	events[v] = 1;
	lock_home(v, q);
	if
	:: state[v] == BLOCKED ->
		enqueue(v);
		if :: idle[q] -> whose = q :: else fi
#ifndef BUG_KICK
	:: state[v] == RUNNING -> whose = home[v]
#endif
	:: else
	fi;
	unlock(q);
	if :: whose != NONE -> kicked[whose] = 1 :: else fi
}

init {
	atomic { run cpu(0); run cpu(1); run post(0); run post(0) };
	/* Nothing moves any more: whatever was posted was taken. */
	timeout -> assert(!events[0] && !events[1])
}
