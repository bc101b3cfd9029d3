/* SPDX-License-Identifier: MIT */
/* links: guest/monitor_line.c boot/lib/print.c */
/* seconds: 20 */
/*
 * What somebody types at the monitor, key by key: a line that stays within its
 * bounds, and for each whole one a request or a sentence.
 */
#include "guest/monitor_line.h"
#include "tests/fuzz/fuzz.h"

static void judge_line(struct monitor_line *l)
{
	struct monitor_request r = { .command = MONITOR_COMMAND_COUNT };
	char why[200]            = "";

	if (!monitor_parse(l->text, &r, why, sizeof(why))) {
		require_sentence(why, sizeof(why));
		return;
	}
	REQUIRE(r.command < MONITOR_COMMAND_COUNT);
	REQUIRE(!r.vm || !*r.vm ||
		(r.vm > l->text && r.vm < l->text + sizeof(l->text)));
	if (r.command != MONITOR_NOTHING)
		REQUIRE(!monitor_usage(r.command) ==
			!monitor_purpose(r.command));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct monitor_line l = { 0 };

	for (size_t i = 0; i < size; i++) {
		const u32 before           = l.length;
		const enum monitor_key did = monitor_line_key(&l, data[i]);

		REQUIRE(l.length <= MONITOR_LINE_MAX);
		if (did == MONITOR_KEY_ENTER) {
			judge_line(&l);
			l = (struct monitor_line){ 0 };
			continue;
		}
		REQUIRE(strlen(l.text) == l.length);
		REQUIRE(did != MONITOR_KEY_TYPED || l.length == before + 1);
		REQUIRE(did != MONITOR_KEY_ERASED || l.length + 1 == before);
		REQUIRE(did != MONITOR_KEY_CLEARED || l.length == 0);
		REQUIRE(did != MONITOR_KEY_LEAVE || before == 0);
		for (u32 c = 0; c < l.length; c++)
			REQUIRE((u8)l.text[c] >= ' ' && l.text[c] != 0x7f);
	}
	return 0;
}

static void fuzz_seeds(void)
{
	fuzz_seed_text("vms\rvcpus a\rxfd\rexits a\rtrace 0\rconsole a\r");
	fuzz_seed_text("kill a\rreset b\roff\rquit\rhelp\r");
	fuzz_seed_text("hepl\x7f\x7f\x7flp\r\x15\x04\x1d");
	fuzz_seed_text("kill\rtrace x\rnonsense a b c\r");
}
