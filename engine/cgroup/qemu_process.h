/* SPDX-License-Identifier: MIT */
/* From a guest's name to its QEMU process, and from that to where its cpuset cgroup is. */
#ifndef VMAFFINITY_CGROUP_QEMU_PROCESS_H
#define VMAFFINITY_CGROUP_QEMU_PROCESS_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* libvirt's directory of running guests, below the root: NAME.pid and NAME.xml of each. */
#define QEMU_RUN_DIRECTORY "run/libvirt/qemu"

/* What qemu_process_find() returns when there is no such guest, or it does not run. */
#define QEMU_PROCESS_NOT_RUNNING 1

/* Finds the pid of the guest called name. Returns 0, QEMU_PROCESS_NOT_RUNNING or -1, with the
 * reason. */
int qemu_process_find(int root, const char *name, pid_t *pid, struct err *e);

/*
 * Whether a process is on its way out. A killed one holds its files, and so its lock,
 * until its last thread has ended; its cgroup, threads and affinities are not to be had any more.
 */
bool qemu_process_is_exiting(int root, pid_t pid);

/* Whether the guest called name does not run any more, or is about to end: no wonder if it cannot
 * be looked at. */
bool qemu_process_has_ended(int root, const char *name);

struct running_guests {
	char **names; /* in version order: web-2 before web-10 */
	size_t count;
};

/*
 * Lists the guests of the system's libvirt that run on the host below the directory fd root, by
 * libvirt's status files and QEMU's pid files; no daemon is asked. A guest of which only an error
 * can be read is listed, so that the caller comes upon that error. Each may end at any time after
 * that. Returns 0 with *guests, to be freed by running_guests_free(), or -1 with the reason.
 */
int running_guests(int root, struct running_guests *guests, struct err *e);
void running_guests_free(struct running_guests *guests);

struct cgroup_location {
	bool v2;
	char mount[PATH_MAX]; /* where the hierarchy is mounted, an absolute path without links */
	char path[PATH_MAX]; /* of the cgroup below that, without a '/' at its ends; "" is the mount
				point itself */
};

/*
 * The cgroup of process pid that has, or on v2 would have, the cpuset controller: cgroups(7),
 * "/proc files", mapped through /proc/self/mountinfo, proc(5). Returns 0, or -1 with the reason.
 */
int hierarchy_find_cgroup(int root, pid_t pid, struct cgroup_location *location, struct err *e);

/*
 * Where the hierarchy with the cpuset controller is mounted, the path in *cgroup being that of its
 * root: cgroup v1's if it has one of its own, else v2's. Returns 0, or -1 with the reason.
 */
int hierarchy_find_mount(int root, struct cgroup_location *location, struct err *e);

#endif
