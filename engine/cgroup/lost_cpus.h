/* SPDX-License-Identifier: MIT */
/*
 * The CPUs that cgroup v1 has taken from a guest's own directories: a CPU that goes offline leaves
 * every cpuset but the root's, and does not come back by itself
 * (Documentation/admin-guide/cgroup-v1/cpusets).
 */
#ifndef VMAFFINITY_CGROUP_LOST_CPUS_H
#define VMAFFINITY_CGROUP_LOST_CPUS_H

#include "base/err.h"
#include "cgroup/cgroup.h"

/* Adds to cgroup->allowed what is above the guest's own directories, and sets cgroup->narrowed. */
void lost_cpus_find(struct cgroup *cgroup);

/*
 * Gives the guest's own directories all CPUs in cgroup->allowed. Returns 0, or -1 with the reason;
 * what is written stays then, for it changes no thread.
 */
int lost_cpus_widen(const struct cgroup *cgroup, struct err *e);

#endif
