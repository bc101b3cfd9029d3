/* SPDX-License-Identifier: MIT */
/*
 * Instructions a guest is not offered: #UD, as on a machine without them.
 * A VM with calls=off is run without the word hosted=, as if bare: VMCALL is
 * #UD there too. (Bare, CR4.VMXE is 0.)
 */
#include "lib/check.h"

static u64 memory[8];

#define IS_UD(text, ...) same(text, TRY(text, __VA_ARGS__).vector, TRAP_UD)

static bool vmx(void)
{
	return IS_UD("vmxon %0",
		     :
		     : "m"(memory)
		     : "memory") &
	       IS_UD("vmxoff",
		     :
		     :
		     : "memory") &
	       IS_UD("vmlaunch",
		     :
		     :
		     : "memory") &
	       IS_UD("vmresume",
		     :
		     :
		     : "memory") &
	       IS_UD("vmptrld %0",
		     :
		     : "m"(memory)
		     : "memory") &
	       IS_UD("vmptrst %0",
		     :
		     : "m"(memory)
		     : "memory") &
	       IS_UD("vmclear %0",
		     :
		     : "m"(memory)
		     : "memory") &
	       IS_UD("vmread %%rax, %%rcx",
		     :
		     :
		     : "rcx", "memory") &
	       IS_UD("vmwrite %%rax, %%rcx",
		     :
		     :
		     : "memory") &
	       IS_UD("invept %0, %%rax",
		     :
		     : "m"(memory)
		     : "memory") &
	       IS_UD("invvpid %0, %%rax",
		     :
		     : "m"(memory)
		     : "memory") &
	       IS_UD("vmfunc",
		     :
		     :
		     : "memory");
}

static bool vmcall_ud(void)
{
	return IS_UD("vmcall", : : "a"(1), "b"(0) : "memory");
}

static u64 user_vmcall(u64 arg)
{
	(void)arg;
	return TRY("vmcall", : : "a"(1), "b"(0) : "memory").vector;
}

static bool user_vmcall_ud(void)
{
	return same("vector", user_call(user_vmcall, 0), TRAP_UD);
}

/* The calls themselves have effect at CPL 0 only. */
static bool vmcall_works(void)
{
	return is("the answer is not -1", vmcall(CALL_EXITS, ~0ull) != ~0ull);
}

static bool amd(void)
{
	return IS_UD("vmmcall",
		     :
		     :
		     : "memory") &
	       IS_UD("vmrun",
		     :
		     : "a"(memory)
		     : "memory");
}

static bool ud2(void)
{
	return IS_UD("ud2", : : : "memory");
}

static bool rsm(void)
{
	return IS_UD("rsm", : : : "memory");
}

const struct claim claims[] = {
	{ "VMX instructions are #UD", vmx, 0 },
	{ "VMCALL is #UD", vmcall_ud, ON_BARE },
	{ "VMCALL at CPL 3 is #UD", user_vmcall_ud, 0 },
	{ "with calls=on VMCALL answers", vmcall_works, ON_HOSTED },
	{ "SVM instructions are #UD", amd, 0 },
	{ "RSM outside SMM is #UD", rsm, 0 },
	{ "UD2 is #UD", ud2, 0 },
};
CLAIMS_END
