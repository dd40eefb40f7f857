/* SPDX-License-Identifier: MIT */
/*
 * Carries out a plan: masks, then the threads' own affinity, then memory nodes, and reads
 * everything back; or undoes it all.
 */
#ifndef VMAFFINITY_PIN_APPLY_H
#define VMAFFINITY_PIN_APPLY_H

#include "base/err.h"
#include "cgroup/cgroup.h"
#include "pin/plan.h"

#include <stddef.h>

struct apply_result {
	size_t masks;	/* how many groups had their cpuset.cpus written */
	size_t threads; /* how many threads had their affinity set besides */
	size_t nodes;	/* how many groups had their cpuset.mems written */
};

/*
 * Does what plan says to the groups of cgroup, which it was made of. All masks and affinities are
 * read before the first write. A group is done when every thread's affinity, read back, equals its
 * CPUs: since Linux 6.2 a thread runs on cpuset AND the affinity that somebody set before, so a
 * written mask alone does not do (user_cpus_ptr, 8f9ea86fdf99). A group or thread that goes away
 * meanwhile is passed over.
 *
 * Returns 0 with *result. On any failure all masks, then all affinities, are put back in reverse
 * order and -1 is returned with the reason, and with what could not be put back if there is such.
 */
int apply(const struct plan *plan, const struct cgroup *cgroup, struct apply_result *result,
	struct err *e);

#endif
