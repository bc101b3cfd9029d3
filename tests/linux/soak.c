/* SPDX-License-Identifier: MIT */
/*
 * soak FROM TICKS PROGRAM...: waits until the time-stamp counter is FROM, so
 * that several guests begin together; then runs the programs of /bin in turn
 * for TICKS, and meanwhile wakes up every 10 ms. All programs must succeed. A
 * lost timer interrupt shows as a wake-up that comes with a later one, lost
 * time as a period that is not 10 ms by the TSC.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "tiles.h"

#define PERIOD_NS     10000000
#define DRIFT_PERCENT 1

/* Shared with the process that runs the programs. */
struct progress {
	long rounds, failed;
};

/* What the wake-ups looked like. */
struct wakes {
	long count;
	uint64_t first, last; /* TSC */
	double latest_us;
};

/* CPUID 15H; without it nothing here can be judged. */
static double tsc_hz(void)
{
	unsigned int denominator, numerator, crystal, unused;

	if (!__get_cpuid(0x15, &denominator, &numerator, &crystal, &unused) ||
	    !denominator || !numerator || !crystal) {
		printf("soak: CPUID 15H does not tell the TSC's frequency\n");
		exit(TEST_SKIP);
	}
	return (double)crystal * numerator / denominator;
}

/* Local timer interrupts so far, all CPUs; -1: the file is not as expected. */
static long timer_interrupts(void)
{
	FILE *f    = fopen("/proc/interrupts", "r");
	long total = -1;
	char line[4096];

	while (f && fgets(line, sizeof(line), f)) {
		char *at = line, *end;

		while (*at == ' ')
			at++;
		if (at[0] != 'L' || at[1] != 'O' || at[2] != 'C')
			continue;
		total = 0;
		for (at += 4;; at = end) {
			const long n = strtol(at, &end, 10);

			if (end == at)
				break;
			total += n;
		}
	}
	if (f)
		fclose(f);
	return total;
}

/* True: /bin/NAME succeeded; its output is shown only by what it returns. */
static int succeeds(const char *name)
{
	char path[64];
	int status;
	const pid_t pid = fork();

	if (pid == 0) {
		const int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		snprintf(path, sizeof(path), "/bin/%s", name);
		execl(path, name, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("soak");
		return 0;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_PASS)
		return 1;
	printf("soak: %s ended with wait status %#x\n", name, (unsigned)status);
	return 0;
}

static void work(struct progress *p, uint64_t end, char **program)
{
	while (__rdtsc() < end) {
		for (int i = 0; program[i]; i++)
			p->failed += !succeeds(program[i]);
		p->rounds++;
	}
}

/* Wakes at multiples of the period until END. */
static struct wakes wake_until(uint64_t end)
{
	struct wakes w = { 0 };
	struct timespec next, now;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (__rdtsc() < end) {
		next.tv_nsec += PERIOD_NS;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next,
				       NULL) == EINTR)
			;
		w.last = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (w.count++ == 0)
			w.first = w.last;

		const double late = (double)(now.tv_sec - next.tv_sec) * 1e6 +
				    (double)(now.tv_nsec - next.tv_nsec) / 1e3;

		if (late > w.latest_us)
			w.latest_us = late;
	}
	return w;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: soak FROM TICKS PROGRAM...\n");
		return 2;
	}

	const double hz     = tsc_hz();
	const uint64_t from = strtoull(argv[1], NULL, 10);
	const uint64_t end  = from + strtoull(argv[2], NULL, 10);

	if (__rdtsc() >= from) {
		printf("soak: it is too late to begin at %s\n", argv[1]);
		return 2;
	}
	while (__rdtsc() < from)
		usleep(100);

	struct progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const long before  = timer_interrupts();
	const pid_t worker = p == MAP_FAILED ? -1 : fork();
	int status;

	if (worker == 0) {
		work(p, end, argv + 3);
		fflush(stdout);
		_exit(0);
	}
	if (worker < 0) {
		perror("soak");
		return 2;
	}

	/* Wake-ups come before the work: what is late then is the timer. */
	const struct sched_param first = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) {
		perror("soak: SCHED_FIFO");
		return 2;
	}

	const struct wakes w = wake_until(end);
	const long after     = timer_interrupts();

	if (waitpid(worker, &status, 0) < 0 || status != 0)
		p->failed++;

	const double want  = (double)(w.count - 1) * PERIOD_NS / 1e9 * hz;
	const double drift = 100 * ((double)(w.last - w.first) - want) / want;

	printf("soak: %ld rounds, %ld failures\n", p->rounds, p->failed);
	printf("soak: %ld wake-ups of %d us, drift %.3f %%, latest %.0f us, "
	       "%ld timer interrupts\n",
	       w.count, PERIOD_NS / 1000, drift, w.latest_us, after - before);
	if (p->rounds < 1 || p->failed || w.count < 2)
		return TEST_FAIL;
	if (drift > DRIFT_PERCENT || drift < -DRIFT_PERCENT ||
	    w.latest_us * 1000 >= PERIOD_NS || before < 0 ||
	    after - before < w.count)
		return TEST_FAIL;
	return TEST_PASS;
}
