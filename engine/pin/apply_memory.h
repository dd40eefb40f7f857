/* SPDX-License-Identifier: MIT */
/* The part of a plan that is about memory. */
#ifndef VMAFFINITY_PIN_APPLY_MEMORY_H
#define VMAFFINITY_PIN_APPLY_MEMORY_H

#include "pin/apply.h"

/*
 * Writes plan->nodes to the cpuset.mems of every group that holds something else, and reads back
 * what the kernel grants. The write returns when the guest's RAM has moved: cgroup v2 always moves
 * it, v1 where cpuset.memory_migrate is 1, as libvirt sets it (Documentation/admin-guide/cgroup-v2,
 * "cpuset.mems"). A group that goes away meanwhile is passed over.
 *
 * Returns 0 and counts in result->nodes. On any failure puts back what was, and returns -1 with the
 * reason.
 */
int apply_memory(const struct plan *plan, const struct cgroup *cgroup, struct apply_result *result,
	struct err *e);

#endif
