/* SPDX-License-Identifier: MIT */
#include "cli/watch/signals.h"

#include "cli/command.h"

#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* After a signal to end, so long may a call to the daemon or the wait for a lock take. */
#define END_SECONDS 5

/* The eventfd, for the handler. */
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
