/* SPDX-License-Identifier: MIT */
/* "placement = one-to-one" in a wish: from one set for all vCPUs to one CPU for each. */
#ifndef VMAFFINITY_DESIRED_ONE_TO_ONE_H
#define VMAFFINITY_DESIRED_ONE_TO_ONE_H

#include "base/err.h"
#include "base/messages.h"
#include "desired/desired.h"
#include "guest/domain.h"
#include "host/topology.h"

/*
 * Gives each vCPU that "vcpus" decides over one CPU of that set. vCPUs with a key of their own
 * stay as they are; the CPU of one that has but one is not given to another. placement is the value
 * that asks for it. Says in messages what was decided and why; too few CPUs are an error among
 * them. Returns 0, or -1 with the reason.
 */
int desired_one_to_one(struct desired *desired, const struct value *placement,
	const struct domain *domain, struct topology *topology, struct messages *messages,
	struct err *e);

#endif
