/* SPDX-License-Identifier: MIT */
/* Applies "placement = exclusive": a CPU for each vCPU, on cores that nobody else has. */
#ifndef VMAFFINITY_DESIRED_EXCLUSIVE_H
#define VMAFFINITY_DESIRED_EXCLUSIVE_H

#include "base/err.h"
#include "base/messages.h"
#include "desired/claims.h"
#include "desired/desired.h"
#include "guest/domain.h"
#include "host/topology.h"

#include <stddef.h>

/*
 * Gives each vCPU one CPU of its set, as desired_one_to_one() does, on cores that no other guest
 * holds, and such that no thread group is left without a CPU; a vCPU keeps the CPU that it has.
 * Sets the exclusive CPUs of the masks: the vCPU's, and its core's that no vCPU of the guest has.
 * Of a guest that has such CPUs already only the vCPUs in running[0 .. count - 1] are placed.
 *
 * Returns 0, with an error among messages if there are too few CPUs; 1, with nothing done, if a
 * vCPU is to be placed and claims->others_read is false; or -1 with the reason.
 */
int desired_exclusive(struct desired *desired, const struct value *placement,
	const struct domain *domain, const struct thread_group *running, size_t count,
	struct topology *topology, const struct claims *claims, struct messages *messages,
	struct err *e);

#endif
