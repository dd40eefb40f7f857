/* SPDX-License-Identifier: MIT */
#include "support/threads.h"

#include "support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct one {
	int stop;
	int report;
	size_t number;
};

struct report {
	size_t number;
	pid_t tid;
};

static void *
run(void *argument)
{
	const struct one *one = argument;
	struct report report = {.number = one->number, .tid = gettid()};
	char byte;
	if (write(one->report, &report, sizeof(report)) == sizeof(report))
		(void)!read(one->stop, &byte, 1);
	return NULL;
}

static void
run_process(const int stop[][2], size_t count, int report)
{
	static struct one ones[THREADS_MAX];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < count; i++)
		close(stop[i][1]);
	for (size_t i = 0; i < count; i++) {
		pthread_t thread;
		ones[i] = (struct one){.stop = stop[i][0], .report = report, .number = i};
		if (pthread_create(&thread, NULL, run, &ones[i]) != 0)
			_exit(1);
	}
	for (;;)
		pause();
}

void
threads_start(struct threads *threads, size_t count)
{
	int stop[THREADS_MAX][2], reports[2];
	assert_true(count <= THREADS_MAX);
	assert_int_equal(pipe(reports), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pipe(stop[i]), 0);
	*threads = (struct threads){.pid = fork(), .count = count};
	if (threads->pid == 0)
		run_process((const int(*)[2])stop, count, reports[1]);
	close(reports[1]);
	for (size_t i = 0; i < count; i++) {
		close(stop[i][0]);
		threads->stop[i] = stop[i][1];
	}
	for (size_t i = 0; i < count; i++) {
		struct report report;
		if (read(reports[0], &report, sizeof(report)) != sizeof(report))
			fail_msg("the threads do not start");
		threads->tids[report.number] = report.tid;
	}
	close(reports[0]);
}

void
threads_end_one(struct threads *threads, size_t i)
{
	close(threads->stop[i]);
	threads->stop[i] = -1;
	while (tgkill(threads->pid, threads->tids[i], 0) == 0 || errno != ESRCH)
		usleep(1000);
}

void
threads_stop(struct threads *threads)
{
	if (threads->pid <= 0)
		return;
	kill(threads->pid, SIGKILL);
	waitpid(threads->pid, NULL, 0);
	for (size_t i = 0; i < threads->count; i++)
		if (threads->stop[i] >= 0)
			close(threads->stop[i]);
	*threads = (struct threads){0};
}
