/* SPDX-License-Identifier: MIT */
/* Reads from the kernel, which is their only record, the CPUs that guests have to themselves. */
#ifndef VMAFFINITY_PIN_CLAIMS_READ_H
#define VMAFFINITY_PIN_CLAIMS_READ_H

#include "base/err.h"
#include "base/messages.h"
#include "cgroup/cgroup.h"
#include "desired/claims.h"

/*
 * Adds to claims the vCPUs of a running guest that have CPUs to themselves, and these CPUs to
 * claims->usable. Returns 0, or -1 without memory.
 */
int claims_read_own(struct claims *claims, const struct cgroup *cgroup);

/*
 * Adds to claims those of all guests that run below the directory fd root, but not of the one
 * called name; NULL: of all. A guest that cannot be read is left out, with a warning: the kernel
 * gives no CPU to two partitions. Returns 0, or -1 with the reason.
 */
int claims_read_others(struct claims *claims, int root, const char *name, struct messages *messages,
	struct err *e);

/* Adds to claims those of all others of from, but not of the guest called name. Returns as above.
 */
int claims_copy_others(
	struct claims *claims, const struct claims *from, const char *name, struct err *e);

#endif
