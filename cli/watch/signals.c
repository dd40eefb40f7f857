/* SPDX-License-Identifier: MIT */
#include "cli/watch/watch.h"

#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Who is told to end, but waits for a daemon or a lock that is stuck, does so after that long. */
#define END_SECONDS 5

/* What the handler can write to. */
static int end = -1;

static void
end_soon(int signal)
{
	const uint64_t one = 1;
	if (signal == SIGALRM || write(end, &one, sizeof(one)) < 0)
		_exit(EXIT_OK);
	alarm(END_SECONDS);
}

int
watch_end_open(void)
{
	const struct sigaction act = {.sa_handler = end_soon, .sa_flags = SA_RESTART};
	end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (end < 0)
		return -1;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGALRM, &act, NULL);
	return end;
}
