/* SPDX-License-Identifier: MIT */
/* The cgroup hierarchy that has the cpuset controller: its mount, and a process's place in it. */
#ifndef VMAFFINITY_CGROUP_HIERARCHY_H
#define VMAFFINITY_CGROUP_HIERARCHY_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct cgroup_location {
	bool v2;
	char mount[PATH_MAX]; /* the hierarchy's mount point, an absolute path without links */
	char path[PATH_MAX];  /* of the cgroup below that, without a '/' at either end; "" is the
				 mount point itself */
};

/*
 * Finds the cgroup of process pid that has, or on v2 would have, the cpuset controller: cgroups(7),
 * "/proc files", mapped through /proc/self/mountinfo, proc_pid_mountinfo(5). Both files are read
 * below the directory fd root. Returns 0 with *location, or -1 with the reason.
 */
int hierarchy_find_cgroup(int root, pid_t pid, struct cgroup_location *location, struct err *e);

/*
 * Finds the root of the hierarchy that has the cpuset controller: cgroup v1's if there is one of
 * its own, otherwise v2's. Returns 0 with *location, or -1 with the reason.
 */
int hierarchy_find_mount(int root, struct cgroup_location *location, struct err *e);

#endif
