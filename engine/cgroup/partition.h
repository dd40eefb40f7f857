/* SPDX-License-Identifier: MIT */
/*
 * The cgroup in which libvirt puts a guest that does not run yet, and the CPUs that it allows.
 *
 * libvirt's docs/cgroups: the partition of a guest's <resource>, by default "/machine". With
 * systemd, "/machine/rt" is machine.slice/machine-rt.slice; without, machine/rt.partition.
 */
#ifndef VMAFFINITY_CGROUP_PARTITION_H
#define VMAFFINITY_CGROUP_PARTITION_H

#include "base/cpumask.h"
#include "base/err.h"
#include "cgroup/cgroup.h"

#include <limits.h>

#define PARTITION_DEFAULT "/machine"

struct partition {
	char name[NAME_MAX + 1]; /* of the cgroup that sets the limit: "machine-rt.slice" */
	char path[2 * PATH_MAX]; /* of that cgroup, absolute */
	bool v2;
	struct cpumask granted; /* the CPUs that the kernel grants it now */
};

/*
 * Finds the limit of guests whose XML names a partition; NULL: none. A cgroup that is not there yet
 * will have its parent's CPUs. Returns CGROUP_OK with *partition, CGROUP_NO_PARTITION, with which
 * there is no limit, or CGROUP_ERROR with the reason.
 */
enum cgroup_result partition_find(
	int root, const char *name, struct partition *partition, struct err *e);

/*
 * Finds the partitions directly within the default one that grant less than that: up to max of
 * them, in no order. Returns how many were found; none if they cannot be read.
 */
size_t partition_find_narrower(int root, struct partition found[], size_t max);

#endif
