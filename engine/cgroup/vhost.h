/* SPDX-License-Identifier: MIT */
/*
 * The vhost workers of a guest, which move its network packets. Since Linux 6.4 they are threads of
 * QEMU, in the cgroup of the emulator (commit 6e890c5d5021); before, threads of the kernel's that
 * no cgroup of the guest holds. They can be put into a group of their own beside libvirt's, which
 * leaves it alone and removes it with the guest's others.
 */
#ifndef VMAFFINITY_CGROUP_VHOST_H
#define VMAFFINITY_CGROUP_VHOST_H

#include "base/err.h"
#include "cgroup/cgroup.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Finds out whether vhost workers can have a group below the directory fd root. Returns true, or
 * false with the reason: "cgroup v1", or the version of the kernel.
 */
bool vhost_is_possible(int root, struct err *e);

/*
 * Finds the workers that are in the emulator's group, and sets cgroup->stray_vhosts; adds a vhost
 * group, which is not there yet, if there are any and no such group. Returns 0, or -1 with the
 * reason.
 */
int vhost_find(struct cgroup *cgroup, struct err *e);

/*
 * Makes the vhost group if it is not there, with *made, and moves all workers into it that are in
 * the emulator's. Returns 0, or -1 with the reason.
 */
int vhost_gather(const struct cgroup *cgroup, bool *made, struct err *e);

/* Moves all threads of the vhost group back to the emulator's, and removes it. Returns 0 or -1. */
int vhost_scatter(const struct cgroup *cgroup, struct err *e);

#endif
