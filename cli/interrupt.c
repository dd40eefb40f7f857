/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

static volatile sig_atomic_t noted, is_changing;

static void
end_by(int number)
{
	sigset_t set;
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
}

static void
note(int number)
{
	if (noted != 0 && !is_changing)
		end_by(number);
	noted = number;
}

void
interrupt_catch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	const struct sigaction act = {.sa_handler = note, .sa_flags = SA_RESTART};
	struct sigaction inherited;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &inherited) == 0 && inherited.sa_handler != SIG_IGN)
			sigaction(numbers[i], &act, NULL);
}

void
interrupt_changing(bool changing)
{
	is_changing = changing;
}

int
interrupt_signal(void)
{
	return noted;
}

void
interrupt_end(void)
{
	if (noted == 0)
		return;
	fflush(NULL);
	end_by(noted);
}
