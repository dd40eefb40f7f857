/* SPDX-License-Identifier: MIT */
/* Applies "placement = one-to-one": turns a set for all vCPUs into a CPU for each. */
#ifndef VMAFFINITY_DESIRED_ONE_TO_ONE_H
#define VMAFFINITY_DESIRED_ONE_TO_ONE_H

#include "base/cpumask.h"
#include "base/err.h"
#include "base/messages.h"
#include "desired/claims.h"
#include "desired/desired.h"
#include "guest/domain.h"
#include "host/topology.h"

/* Limits a placement beyond the sets of the rules. */
struct one_to_one_limits {
	const struct cpumask *free;    /* the CPUs that may be given out */
	const struct claim_kept *kept; /* vCPUs that keep the CPU that they have */
	size_t kept_count;
	const char *why; /* ends the message that CPUs are too few: who has the others, or "" */
};

/*
 * Gives each vCPU that "vcpus" decides one CPU of that set, and stores the masks in
 * desired->per_vcpu. vCPUs with a key of their own keep their mask; where that is a single CPU, no
 * other vCPU gets it. placement: the value that asks for it. limits: those of "exclusive", which
 * keeps a guest together as well; NULL: none. Adds to messages what was decided, or an error if
 * there are too few CPUs. Returns 0, or -1 with the reason.
 */
int desired_one_to_one(struct desired *desired, const struct value *placement,
	const struct domain *domain, struct topology *topology,
	const struct one_to_one_limits *limits, struct messages *messages, struct err *e);

#endif
