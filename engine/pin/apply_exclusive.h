/* SPDX-License-Identifier: MIT */
/* Carries out what a plan says about CPUs that vCPUs have to themselves. */
#ifndef VMAFFINITY_PIN_APPLY_EXCLUSIVE_H
#define VMAFFINITY_PIN_APPLY_EXCLUSIVE_H

#include "base/err.h"
#include "cgroup/cgroup.h"
#include "pin/plan.h"
#include "pin/saved_affinity.h"

#include <stddef.h>

/* Records what was done, for the undoing. Zero-initialised but for the first two fields. */
struct exclusive_work {
	const struct plan *plan;
	struct cgroup *cgroup;
	unsigned char *done; /* by step: what was done of it; the caller frees it */
	size_t changed;	     /* steps of which anything was */
};

/* Takes away the partitions that are not to stay. Returns 0, or -1 with the reason. */
int apply_exclusive_release(struct exclusive_work *work, struct err *e);

/*
 * Makes the partitions that the plan asks for, once the masks are right, and verifies all of the
 * guest's. Adds the number of affinities that were wrong to *set. Returns 0, or -1 with the reason.
 */
int apply_exclusive_make(
	struct exclusive_work *work, struct saved_affinities *saved, size_t *set, struct err *e);

/* Takes away what apply_exclusive_make() has made. Returns how many it could not. */
size_t apply_exclusive_undo(const struct exclusive_work *work);

/*
 * Makes again what apply_exclusive_release() has taken away and was in force, once masks and
 * affinities are as they were. Returns how many it could not.
 */
size_t apply_exclusive_restore(const struct exclusive_work *work);

#endif
