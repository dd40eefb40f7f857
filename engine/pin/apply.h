/* SPDX-License-Identifier: MIT */
/*
 * Carries out a plan: masks, then the threads' own affinity, then the CPUs that vCPUs have to
 * themselves, then memory nodes, and reads everything back; or undoes it all.
 */
#ifndef VMAFFINITY_PIN_APPLY_H
#define VMAFFINITY_PIN_APPLY_H

#include "base/err.h"
#include "cgroup/cgroup.h"
#include "pin/plan.h"

#include <stdbool.h>
#include <stddef.h>

struct apply_result {
	size_t masks;	   /* groups whose cpuset.cpus was written */
	size_t threads;	   /* threads whose affinity was set */
	size_t workers;	   /* vhost workers that were moved into their group */
	size_t nodes;	   /* groups whose cpuset.mems was written */
	size_t partitions; /* vCPUs whose partition was made or taken away */
	bool memory_left;  /* optional nodes could not be written, for the reason in memory */
	struct err memory;
};

/*
 * Carries out a plan on the groups of cgroup, of which the plan was made. Reads all masks and
 * affinities before the first write. A group is done when the kernel grants its CPUs and the
 * affinity of every thread, read back, equals them: the affinity is sticky, see pin/affinity.h. A
 * group or thread that goes away meanwhile is left out.
 *
 * A partition that is not wanted, or not in force, is taken away first; the new ones are made when
 * all masks are right.
 *
 * Returns 0 with *result. On any failure puts back all masks, then all affinities, then the
 * partitions that were in force, and returns -1
 * with the reason, and with the number of those that could not be put back if there are any.
 * Optional memory nodes that cannot be written are no failure; the nodes alone are put back then.
 */
int apply(
	const struct plan *plan, struct cgroup *cgroup, struct apply_result *result, struct err *e);

#endif
