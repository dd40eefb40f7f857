/* SPDX-License-Identifier: MIT */
/* Carries out the part of a plan that is about memory nodes. */
#ifndef VMAFFINITY_PIN_APPLY_MEMORY_H
#define VMAFFINITY_PIN_APPLY_MEMORY_H

#include "pin/apply.h"

/*
 * Writes plan->nodes to the cpuset.mems of each group that has other nodes, and reads back what the
 * kernel grants. The write returns once the guest's RAM has moved: cgroup v2 always moves it, v1
 * where cpuset.memory_migrate is 1, as libvirt sets it (Documentation/admin-guide/cgroup-v2,
 * "cpuset.mems"). A group that is removed meanwhile is left out.
 *
 * Returns 0 and adds the groups written to result->nodes. On any failure puts back the nodes of all
 * groups and returns -1 with the reason.
 */
int apply_memory(const struct plan *plan, const struct cgroup *cgroup, struct apply_result *result,
	struct err *e);

#endif
