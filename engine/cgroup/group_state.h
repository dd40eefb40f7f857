/* SPDX-License-Identifier: MIT */
/* What a group of a running guest's threads has in fact, read back from the kernel. Writes nothing.
 */
#ifndef VMAFFINITY_CGROUP_GROUP_STATE_H
#define VMAFFINITY_CGROUP_GROUP_STATE_H

#include "base/cpumask.h"
#include "base/err.h"
#include "cgroup/cgroup.h"

#include <stddef.h>
#include <sys/types.h>

struct thread_state {
	pid_t tid;
	struct cpumask cpus; /* its affinity */
	unsigned last;	     /* the CPU that it last ran on */
};

struct group_state {
	struct cpumask cpus;	/* cpuset.cpus */
	struct cpumask granted; /* of these, what the kernel lets it use now */
	struct cpumask nodes; /* the NUMA nodes for its memory, as granted; may be unknown: empty */
	struct thread_state *threads;
	size_t thread_count;
};

/* What group_state_read() returns if the group is not there any more. */
#define GROUP_STATE_GONE 1

/*
 * Looks at a group of cgroup, and below the directory fd root at its threads' /proc/TID; a thread
 * that ends meanwhile is passed over. Returns 0 with *actual, to be freed by group_state_free();
 * GROUP_STATE_GONE; or -1 with the reason.
 */
int group_state_read(int root, const struct cgroup *cgroup, struct thread_group group,
	struct group_state *actual, struct err *e);
void group_state_free(struct group_state *actual);

#endif
