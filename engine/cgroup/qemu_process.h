/* SPDX-License-Identifier: MIT */
/* The QEMU process of a guest, by the guest's name; and the names of all guests that run. */
#ifndef VMAFFINITY_CGROUP_QEMU_PROCESS_H
#define VMAFFINITY_CGROUP_QEMU_PROCESS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* libvirt's directory of running guests, below the root: NAME.pid and NAME.xml of each. */
#define QEMU_RUN_DIRECTORY "run/libvirt/qemu"

enum qemu_process_result {
	QEMU_PROCESS_ERROR = -1,
	QEMU_PROCESS_FOUND,
	QEMU_PROCESS_NOT_RUNNING, /* there is no such guest, or it does not run */
};

/*
 * Finds the pid of the guest called name, which needs no escaping, below the directory fd root: of
 * the process that holds the guest's pid file locked or, if there is no pid file, as libvirt's
 * status file says. Returns QEMU_PROCESS_FOUND with *pid, or another result with the reason.
 */
enum qemu_process_result qemu_process_find(int root, const char *name, pid_t *pid, struct err *e);

/*
 * True if a process is exiting. A killed process holds its files, and so the lock on its pid file,
 * until its last thread has ended, but its cgroup and threads can no longer be read.
 */
bool qemu_process_is_exiting(int root, pid_t pid);

/* True if the guest called name does not run any more, or is exiting: reading it may fail then. */
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

#endif
