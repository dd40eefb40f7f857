/* SPDX-License-Identifier: MIT */
/* Real threads of another process, which take the place of a guest's. */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_THREADS_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_THREADS_H

#include <stddef.h>
#include <sys/types.h>

#define THREADS_MAX 8

/* Threads of one process; zero-initialised there are none. */
struct threads {
	pid_t pid; /* the process */
	pid_t tids[THREADS_MAX];
	size_t count;
	int stop[THREADS_MAX]; /* a thread ends when this is closed */
};

/* Starts a process with count threads besides its first. It ends with this process at the latest.
 */
void threads_start(struct threads *threads, size_t count);

/* Ends one thread and waits until the kernel has removed it. */
void threads_end_one(struct threads *threads, size_t i);

/* Ends all threads and their process. */
void threads_stop(struct threads *threads);

#endif
