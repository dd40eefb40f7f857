/* SPDX-License-Identifier: MIT */
/*
 * CPUs that a vCPU has to itself: a cpuset partition of the kernel, Linux 6.7, cgroup v2
 * (Documentation/admin-guide/cgroup-v2, cpuset.cpus.partition). The kernel takes the CPUs of a
 * partition from all other cgroups, and gives them back when the partition's cgroup goes.
 *
 * The partition is a threaded child of the vCPU's cgroup, into which the vCPU's thread is moved.
 * The vCPU's own cgroup would not do: its siblings' cpuset.cpus, which virsh emulatorpin writes,
 * invalidate a partition whose CPUs they overlap, and up to Linux 6.12 the kernel then keeps its
 * CPUs isolated until it is booted again.
 */
#ifndef VMAFFINITY_CGROUP_EXCLUSIVE_H
#define VMAFFINITY_CGROUP_EXCLUSIVE_H

#include "base/cpumask.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

/* The name of the child. */
#define EXCLUSIVE_CHILD "vmaffinity"

/*
 * Finds out whether the kernel below the directory fd root has such partitions. Returns true, or
 * false with the reason: "cgroup v1", or the version of the kernel.
 */
bool exclusive_is_possible(int root, struct err *e);

/*
 * Reads the CPUs of the host below root that are in partitions isolated from all others, whoever
 * made them. Returns true if there are any.
 */
bool exclusive_isolated(int root, struct cpumask *cpus);

/* Reads the partition of a vCPU's group. Returns 0, or -1 with the reason. */
int exclusive_read(const struct cgroup *cgroup, struct thread_group group,
	struct cgroup_partition *partition, struct err *e);

/*
 * Makes all cgroups from the mount to that of the groups able to give away cpus, which adds to
 * what others have there: the caller holds the lock on choosing. Returns 0, or -1 with the reason.
 */
int exclusive_widen(const struct cgroup *cgroup, const struct cpumask *cpus, struct err *e);

/*
 * Makes the partition of a vCPU's group, of cpus, moves the group's threads into it, and reads back
 * that the kernel has taken the CPUs from all others. Returns 0, or -1 with the reason, after which
 * exclusive_remove() takes away what was made.
 */
int exclusive_make(const struct cgroup *cgroup, struct thread_group group,
	const struct cpumask *cpus, struct err *e);

/*
 * Takes away the partition of a vCPU's group, if it has one, and moves its threads back. A group
 * that is gone took its partition with it. Returns 0, or -1 with the reason.
 */
int exclusive_remove(const struct cgroup *cgroup, struct thread_group group, struct err *e);

#endif
