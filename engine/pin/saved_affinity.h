/* SPDX-License-Identifier: MIT */
/* The affinity that threads had before they were changed, for undoing. */
#ifndef VMAFFINITY_PIN_SAVED_AFFINITY_H
#define VMAFFINITY_PIN_SAVED_AFFINITY_H

#include "base/cpumask.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <sys/types.h>

struct saved_affinity {
	const struct saved_affinity *previous; /* saved before this one; NULL: it is the first */
	struct thread_group group;
	pid_t tid;
	const struct cpumask *cpus; /* shared by all threads that had the same mask */
};

/*
 * A guest can have thousands of threads, and a mask covers 8,192 CPUs in 1 KiB: each distinct mask
 * is stored once, and a thread is found in logarithmic time. Zero-initialised, it is empty.
 */
struct saved_affinities {
	const struct saved_affinity *last;
	void *by_tid; /* tsearch(3) trees */
	void *masks;
};

/*
 * Saves a thread's affinity. The first one saved of a thread stays: later calls for it change
 * nothing. Returns 0, or -1 if there is no memory.
 */
int saved_affinities_add(struct saved_affinities *saved, struct thread_group group, pid_t tid,
	const struct cpumask *cpus);

/* True if an affinity of the thread was saved. */
bool saved_affinities_has(const struct saved_affinities *saved, pid_t tid);

/* Returns the affinity that was saved first of a group's threads, NULL if none was. */
const struct saved_affinity *saved_affinities_first(
	const struct saved_affinities *saved, struct thread_group group);

/* Frees what was saved and makes saved empty. */
void saved_affinities_free(struct saved_affinities *saved);

#endif
