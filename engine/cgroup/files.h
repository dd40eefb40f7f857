/* SPDX-License-Identifier: MIT */
/* Differences between cgroup v1 and v2 in the files of a cpuset: the whole of them, in one table.
 */
#ifndef VMAFFINITY_CGROUP_FILES_H
#define VMAFFINITY_CGROUP_FILES_H

#include "base/cpumask.h"
#include "base/err.h"

#include <stdbool.h>

/*
 * Sources: Documentation/admin-guide/cgroup-v1/cpusets and cgroup-v2. "cpuset.cpus" and
 * "cpuset.mems" have the same name and form in both.
 */
struct cgroup_files {
	const char *version;	    /* "v1" or "v2" */
	const char *threads;	    /* lists the ids of a cgroup's threads */
	const char *effective_cpus; /* the CPUs that the kernel grants now */
	const char *effective_mems; /* the memory nodes that the kernel grants now */
	const char *controllers; /* of the root: the controllers that the kernel has; NULL on v1 */
	bool empty_inherits; /* an empty "cpuset.cpus" means all of the parent's; v1 refuses it */
};

const struct cgroup_files *cgroup_files(bool v2);

/*
 * Reads a file of a cpuset that lists CPUs or nodes; path is below the directory fd. Returns 0, or
 * -1 with the reason and, if there is no such file, errno ENOENT.
 */
int cgroup_read_list(int directory, const char *path, struct cpumask *mask, struct err *e);

/*
 * Writes text to a file below the directory fd, which is called name. Returns 0, or -1 with the
 * reason and errno.
 */
int cgroup_write_text(
	int directory, const char *name, const char *path, const char *text, struct err *e);

#endif
