/* SPDX-License-Identifier: MIT */
/* The ids of the threads in a cgroup. */
#ifndef VMAFFINITY_CGROUP_THREADS_H
#define VMAFFINITY_CGROUP_THREADS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Lists the ids in a file of threads, path below the directory fd. Returns 0 with *tids (caller
 * frees) and *count, or -1 with errno set.
 */
int threads_list(int directory, const char *path, pid_t **tids, size_t *count);

#endif
