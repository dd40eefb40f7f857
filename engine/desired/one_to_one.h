/* SPDX-License-Identifier: MIT */
/* Applies "placement = one-to-one": turns a set for all vCPUs into a CPU for each. */
#ifndef VMAFFINITY_DESIRED_ONE_TO_ONE_H
#define VMAFFINITY_DESIRED_ONE_TO_ONE_H

#include "base/err.h"
#include "base/messages.h"
#include "desired/desired.h"
#include "guest/domain.h"
#include "host/topology.h"

/*
 * Gives each vCPU that "vcpus" decides one CPU of that set, and stores the masks in
 * desired->per_vcpu. vCPUs with a key of their own keep their mask; where that is a single CPU, no
 * other vCPU gets it. placement: the value that asks for one-to-one. Adds to messages what was
 * decided, or an error if there are too few CPUs. Returns 0, or -1 with the reason.
 */
int desired_one_to_one(struct desired *desired, const struct value *placement,
	const struct domain *domain, struct topology *topology, struct messages *messages,
	struct err *e);

#endif
