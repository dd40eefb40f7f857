/* SPDX-License-Identifier: MIT */
/*
 * The cgroups of a running guest: one for each thread group, with their CPU and memory node masks
 * and the limits above them.
 */
#ifndef VMAFFINITY_CGROUP_CGROUP_H
#define VMAFFINITY_CGROUP_CGROUP_H

#include "base/cpumask.h"
#include "base/err.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The partition in which a vCPU has CPUs to itself: cgroup/exclusive.h. */
struct cgroup_partition {
	bool there;
	bool in_force;	     /* the kernel has taken cpus from all others, and the thread is in */
	struct cpumask cpus; /* its cpuset.cpus.exclusive */
	struct cpumask granted; /* the CPUs that it has now: those of cpus that are online */
	char kernel[128]; /* its cpuset.cpus.partition: "isolated", "isolated invalid (...)" */
};

struct cgroup_child {
	struct thread_group group;
	/* On cgroup v2 a mask is empty if nothing has been written to it. */
	struct cpumask now;		   /* its cpuset.cpus */
	struct cpumask nodes;		   /* its cpuset.mems; set by cgroup_read_memory() */
	struct cgroup_partition partition; /* read where the guest has any */
	bool to_be_made;		   /* it is not there yet: vhost_find() */
};

struct cgroup {
	int root;  /* the directory fd below which it was opened; the caller's */
	pid_t pid; /* of QEMU */
	bool v2;
	size_t stray_vhosts;	/* vhost workers in the emulator\'s group; set by vhost_find() */
	bool partitioned;	/* its vCPUs have, or may have had, CPUs to themselves */
	int mount;		/* fd of the hierarchy's mount point */
	int directory;		/* fd of the directory that holds the groups */
	char *path;		/* of that directory, absolute */
	size_t mount_length;	/* length of the mount point, with which path begins */
	struct cpumask allowed; /* the CPUs that the groups may have */
	bool narrowed;	   /* the guest's own directories lack some of them: lost_cpus_widen() */
	size_t own_length; /* length of the part of path up to the outermost of those */
	struct cpumask
		nodes; /* the NUMA nodes that it grants; set by cgroup_read_granted_nodes() */
	struct cgroup_child *groups; /* sorted by thread_group_compare() */
	size_t group_count;
};

enum cgroup_result {
	CGROUP_ERROR = -1,
	CGROUP_OK,
	CGROUP_NOT_RUNNING,  /* there is no such guest, or it does not run */
	CGROUP_NO_GROUPS,    /* libvirt made no cgroups for the guest's threads */
	CGROUP_NO_LIMIT,     /* no cgroup limits what is asked for */
	CGROUP_NO_PARTITION, /* libvirt's cgroup for guests is not there, or has no cpuset */
};

/* Says what to do about CGROUP_NO_GROUPS. */
#define CGROUP_NO_GROUPS_REMEDY                                                                    \
	"see that \"cpuset\" is in cgroup_controllers of /etc/libvirt/qemu.conf, if that is set, " \
	"and in cgroup.subtree_control above the guest; then start the guest again"

/*
 * Opens the cgroups of the guest called name on the host below the directory fd root, as the kernel
 * tells of them: the process by qemu_process_find(), its cgroup by /proc/PID/cgroup and mountinfo,
 * and the siblings of that cgroup. The path must be one that libvirt makes for a guest. A group
 * that is removed meanwhile is left out. Writes nothing. Returns CGROUP_OK with *cgroup, to be
 * freed by cgroup_free(), or CGROUP_NOT_RUNNING, CGROUP_NO_GROUPS or CGROUP_ERROR with the reason.
 */
enum cgroup_result cgroup_open(int root, const char *name, struct cgroup *cgroup, struct err *e);
void cgroup_free(struct cgroup *cgroup);

/* Reads the NUMA nodes that the directory grants. Returns 0, or -1 with the reason. */
int cgroup_read_granted_nodes(struct cgroup *cgroup, struct err *e);

/*
 * Reads the NUMA nodes of each group and, unless that is done, those that the directory grants.
 * Drops a group that was removed meanwhile. Returns 0, or -1 with the reason.
 */
int cgroup_read_memory(struct cgroup *cgroup, struct err *e);

/* Returns the file of a group that lists the CPUs, or the memory nodes, that the kernel grants. */
const char *cgroup_effective_file(const struct cgroup *cgroup);
const char *cgroup_effective_nodes_file(const struct cgroup *cgroup);

/*
 * Reads a mask of a group: file is "cpuset.cpus", "cpuset.mems" or an effective file. Returns 0,
 * or -1 with the reason.
 */
int cgroup_read_mask(const struct cgroup *cgroup, struct thread_group group, const char *file,
	struct cpumask *mask, struct err *e);

/*
 * Writes a mask of a group: file is "cpuset.cpus" or "cpuset.mems". On cgroup v2 an empty mask lets
 * the group have all that its parent has. Returns 0, or -1 with errno set.
 */
int cgroup_write_mask(const struct cgroup *cgroup, struct thread_group group, const char *file,
	const struct cpumask *mask);

/*
 * True if the group is still there. vCPUs and iothreads can be unplugged, and guests end, at any
 * time.
 */
bool cgroup_has_group(const struct cgroup *cgroup, struct thread_group group);

/*
 * Reads the CPUs that the kernel grants a group's threads now: those of the group, or of a vCPU's
 * partition. Returns 0, or -1 with the reason.
 */
int cgroup_read_granted(const struct cgroup *cgroup, struct thread_group group,
	struct cpumask *mask, struct err *e);

/*
 * Lists the ids of a group's threads, those in a vCPU's partition included. Returns 0 with *tids
 * (caller frees) and *count, or -1 with errno set.
 */
int cgroup_threads(
	const struct cgroup *cgroup, struct thread_group group, pid_t **tids, size_t *count);

/*
 * Finds the outermost cgroup above the groups that does not grant all of wanted; file is an
 * effective file. Returns CGROUP_OK with its name in *name (size bytes) and what it grants in
 * *granted, CGROUP_NO_LIMIT if every cgroup grants it, or CGROUP_ERROR with the reason.
 */
enum cgroup_result cgroup_find_limit(const struct cgroup *cgroup, const char *file,
	const struct cpumask *wanted, char *name, size_t size, struct cpumask *granted,
	struct err *e);

#endif
