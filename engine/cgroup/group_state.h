/* SPDX-License-Identifier: MIT */
/* The masks of a thread group and the affinity of its threads, as the kernel has them now. */
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
	struct cpumask cpus;		   /* cpuset.cpus */
	struct cpumask granted;		   /* the CPUs that the kernel lets the group use now */
	struct cgroup_partition partition; /* the CPUs that a vCPU has to itself */
	struct cpumask nodes; /* the NUMA nodes that the kernel grants; empty if unknown */
	struct thread_state *threads;
	size_t thread_count;
};

enum group_state_result {
	GROUP_STATE_ERROR = -1,
	GROUP_STATE_READ,
	GROUP_STATE_GONE, /* the group was removed */
};

/*
 * Reads the CPUs on which a thread may run from /proc below the directory fd root. Returns 0, 1 if
 * the thread has ended, or -1 with the reason.
 */
int thread_read_cpus(int root, pid_t tid, struct cpumask *cpus, struct err *e);

/*
 * Reads the state of a group of cgroup; /proc/TID of its threads is read below the directory fd
 * root. A thread that ends meanwhile is left out. Writes nothing. Returns GROUP_STATE_READ with
 * *actual, to be freed by group_state_free(), GROUP_STATE_GONE, or GROUP_STATE_ERROR with the
 * reason.
 */
enum group_state_result group_state_read(int root, const struct cgroup *cgroup,
	struct thread_group group, struct group_state *actual, struct err *e);
void group_state_free(struct group_state *actual);

#endif
