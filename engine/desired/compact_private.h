/* SPDX-License-Identifier: MIT */
/* Keeps the vCPUs of a guest together, for one_to_one.c alone. */
#ifndef VMAFFINITY_DESIRED_COMPACT_PRIVATE_H
#define VMAFFINITY_DESIRED_COMPACT_PRIVATE_H

#include "base/cpumask.h"
#include "base/err.h"
#include "host/topology.h"

#include <stddef.h>

/*
 * Narrows cpus to those of the L3 with the fewest free cores that are enough for so many vCPUs, so
 * many of them a core; else of the node; else of as few nodes as possible. taken: the CPUs that the
 * guest has already, to which the others are to be near; a core is free if nothing of it is in
 * taken. Leaves cpus as they are if nothing less is enough. Returns 0, or -1
 * with the reason.
 */
int compact_choose(struct cpumask *cpus, const struct cpumask *taken, size_t vcpus,
	unsigned threads, struct topology *topology, struct err *e);

#endif
