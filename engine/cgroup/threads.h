/* SPDX-License-Identifier: MIT */
/* The ids of the threads in a cgroup. */
#ifndef VMAFFINITY_CGROUP_THREADS_H
#define VMAFFINITY_CGROUP_THREADS_H

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * Lists the ids in a file of threads, path below the directory fd. Returns 0 with *tids (caller
 * frees) and *count, or -1 with errno set.
 */
int threads_list(int directory, const char *path, pid_t **tids, size_t *count);

/*
 * Moves threads into the cgroup whose file of threads is to, below the directory fd, which is
 * called name. A thread that has ended is left out. Returns 0, or -1 with the reason.
 */
int threads_move(int directory, const char *name, const pid_t *tids, size_t count, const char *to,
	struct err *e);

#endif
