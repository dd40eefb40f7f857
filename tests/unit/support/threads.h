/* SPDX-License-Identifier: MIT */
/* Real threads of another process, for what is done to a guest's. */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_THREADS_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_THREADS_H

#include <stddef.h>
#include <sys/types.h>

#define THREADS_MAX 8

/* Zero-initialised is none. */
struct threads {
	pid_t pid; /* the process */
	pid_t tids[THREADS_MAX];
	size_t count;
	int stop[THREADS_MAX]; /* a thread ends when this is closed */
};

/* Starts a process with count threads besides its first; it ends with ours at the latest. */
void threads_start(struct threads *threads, size_t count);

/* Ends one thread and waits until the kernel knows it no more. */
void threads_end_one(struct threads *threads, size_t i);

/* Ends all that there are. */
void threads_stop(struct threads *threads);

#endif
