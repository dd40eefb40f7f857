/*
 * Where the kernel has a running guest: its process, its cgroups, what they hold and what they may
 * hold.
 */
#ifndef VMAFFINITY_SCOPE_H
#define VMAFFINITY_SCOPE_H

#include "base/cpumask.h"
#include "guest/domain.h"
#include "base/err.h"
#include "cgroup/qemu_process.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct scope_group {
	struct group group;
	/* On cgroup v2 both are empty if nothing was written there yet. */
	struct cpumask now;   /* its cpuset.cpus */
	struct cpumask nodes; /* its cpuset.mems, after scope_read_memory() */
};

struct scope {
	pid_t pid;
	bool v2;
	int mount;		    /* fd of the hierarchy's mount point */
	int directory;		    /* fd of the directory that holds the groups */
	char *path;		    /* of that directory, absolute */
	size_t mount_length;	    /* how much of path is the mount point */
	struct cpumask allowed;	    /* what the directory's own cpuset grants its children */
	struct cpumask nodes;	    /* likewise the NUMA nodes, after scope_read_memory() */
	struct scope_group *groups; /* sorted by group_compare() */
	size_t group_count;
};

/* What scope_open() returns when there is no such guest, or it does not run. */
#define SCOPE_NOT_RUNNING PROCESS_NOT_RUNNING

/* What it returns when libvirt has made no cgroups for the guest's threads. */
#define SCOPE_NO_GROUPS 2

/*
 * Finds the cgroups of the guest called name below the directory fd root, from the kernel's own
 * account: pid file held locked by QEMU, else libvirt's status file; /proc/PID/cgroup;
 * mountinfo; the siblings of the cgroup where QEMU's main thread is. Reads only. Returns 0 with
 * *scope, to be freed by scope_free(); SCOPE_NOT_RUNNING, SCOPE_NO_GROUPS or -1, with the reason.
 */
int scope_open(int root, const char *name, struct scope *scope, struct err *e);
void scope_free(struct scope *scope);

/* Reads the NUMA nodes of the groups and what they may have. Returns 0, or -1 with the reason. */
int scope_read_memory(struct scope *scope, struct err *e);

/* The names of the files in which a cgroup says which CPUs and nodes its threads may use now. */
const char *scope_effective_file(const struct scope *scope);
const char *scope_effective_nodes_file(const struct scope *scope);

/*
 * Reads a group's file of a list: "cpuset.cpus", "cpuset.mems", or one of those above. Returns 0,
 * or -1 with the reason.
 */
int scope_read_mask(const struct scope *scope, struct group group, const char *file,
	struct cpumask *mask, struct err *e);

/* Writes "cpuset.cpus" or "cpuset.mems" of a group. Returns 0, or -1 with errno set. */
int scope_write_mask(const struct scope *scope, struct group group, const char *file,
	const struct cpumask *mask);

/*
 * Whether the group is still there: vCPUs and iothreads can be unplugged, and guests end, at any
 * time.
 */
bool scope_has_group(const struct scope *scope, struct group group);

/*
 * The ids of a group's threads. Returns 0 with *tids (caller frees) and *count, or -1 with errno
 * set.
 */
int scope_threads(const struct scope *scope, struct group group, pid_t **tids, size_t *count);

/*
 * The outermost cgroup above the groups that by its file, one of the effective ones, does not grant
 * all of wanted: its name in *name (size bytes) and what it does grant in *granted. Returns 0; 1 if
 * every one grants it; -1 with the reason.
 */
int scope_find_limit(const struct scope *scope, const char *file, const struct cpumask *wanted,
	char *name, size_t size, struct cpumask *granted, struct err *e);

/*
 * What the cgroup grants under which libvirt puts guests that name no other partition:
 * "machine.slice", without systemd "machine". Returns 0 with *name and *granted; 1 if it is not
 * there yet, or has no cpuset of its own: then it takes nothing away; -1 with the reason.
 */
int scope_partition(int root, const char **name, struct cpumask *granted, struct err *e);

#endif
