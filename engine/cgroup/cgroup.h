/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel has a running guest: its process, its cgroups, what they hold and what they may
 * hold.
 */
#ifndef VMAFFINITY_CGROUP_CGROUP_H
#define VMAFFINITY_CGROUP_CGROUP_H

#include "base/cpumask.h"
#include "base/err.h"
#include "cgroup/qemu_process.h"
#include "guest/domain.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cgroup_child {
	struct thread_group group;
	/* On cgroup v2 both are empty if nothing was written there yet. */
	struct cpumask now;   /* its cpuset.cpus */
	struct cpumask nodes; /* its cpuset.mems, after cgroup_read_memory() */
};

struct cgroup {
	pid_t pid;
	bool v2;
	int mount;		     /* fd of the hierarchy's mount point */
	int directory;		     /* fd of the directory that holds the groups */
	char *path;		     /* of that directory, absolute */
	size_t mount_length;	     /* how much of path is the mount point */
	struct cpumask allowed;	     /* what the directory's own cpuset grants its children */
	struct cpumask nodes;	     /* likewise the NUMA nodes, after cgroup_read_memory() */
	struct cgroup_child *groups; /* sorted by thread_group_compare() */
	size_t group_count;
};

/* What cgroup_open() returns when there is no such guest, or it does not run. */
#define CGROUP_NOT_RUNNING QEMU_PROCESS_NOT_RUNNING

/* What it returns when libvirt has made no cgroups for the guest's threads. */
#define CGROUP_NO_GROUPS 2

/*
 * Finds the cgroups of the guest called name below the directory fd root, from the kernel's own
 * account: pid file held locked by QEMU, else libvirt's status file; /proc/PID/cgroup;
 * mountinfo; the siblings of the cgroup where QEMU's main thread is. Reads only. Returns 0 with
 * *cgroup, to be freed by cgroup_free(); CGROUP_NOT_RUNNING, CGROUP_NO_GROUPS or -1, with the
 * reason.
 */
int cgroup_open(int root, const char *name, struct cgroup *cgroup, struct err *e);
void cgroup_free(struct cgroup *cgroup);

/* Reads the NUMA nodes of the groups and what they may have. Returns 0, or -1 with the reason. */
int cgroup_read_memory(struct cgroup *cgroup, struct err *e);

/* The names of the files in which a cgroup says which CPUs and nodes its threads may use now. */
const char *cgroup_effective_file(const struct cgroup *cgroup);
const char *cgroup_effective_nodes_file(const struct cgroup *cgroup);

/*
 * Reads a group's file of a list: "cpuset.cpus", "cpuset.mems", or one of those above. Returns 0,
 * or -1 with the reason.
 */
int cgroup_read_mask(const struct cgroup *cgroup, struct thread_group group, const char *file,
	struct cpumask *mask, struct err *e);

/* Writes "cpuset.cpus" or "cpuset.mems" of a group. Returns 0, or -1 with errno set. */
int cgroup_write_mask(const struct cgroup *cgroup, struct thread_group group, const char *file,
	const struct cpumask *mask);

/*
 * Whether the group is still there: vCPUs and iothreads can be unplugged, and guests end, at any
 * time.
 */
bool cgroup_has_group(const struct cgroup *cgroup, struct thread_group group);

/*
 * The ids of a group's threads. Returns 0 with *tids (caller frees) and *count, or -1 with errno
 * set.
 */
int cgroup_threads(
	const struct cgroup *cgroup, struct thread_group group, pid_t **tids, size_t *count);

/*
 * The outermost cgroup above the groups that by its file, one of the effective ones, does not grant
 * all of wanted: its name in *name (size bytes) and what it does grant in *granted. Returns 0; 1 if
 * every one grants it; -1 with the reason.
 */
int cgroup_find_limit(const struct cgroup *cgroup, const char *file, const struct cpumask *wanted,
	char *name, size_t size, struct cpumask *granted, struct err *e);

/*
 * What the cgroup grants under which libvirt puts guests that name no other partition:
 * "machine.slice", without systemd "machine". Returns 0 with *name and *granted; 1 if it is not
 * there yet, or has no cpuset of its own: then it takes nothing away; -1 with the reason.
 */
int cgroup_partition(int root, const char **name, struct cpumask *granted, struct err *e);

#endif
