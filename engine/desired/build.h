/* SPDX-License-Identifier: MIT */
/* Builds a guest's desired state from the rules that match it. Reads no cgroup. */
#ifndef VMAFFINITY_DESIRED_BUILD_H
#define VMAFFINITY_DESIRED_BUILD_H

#include "base/cpumask.h"
#include "base/err.h"
#include "base/messages.h"
#include "desired/claims.h"
#include "desired/cpuset_expr.h"
#include "desired/desired.h"
#include "guest/domain.h"
#include "host/topology.h"
#include "rules/rules.h"

#include <stddef.h>

/*
 * Builds *desired for every group that the domain may have and for the groups that the kernel has,
 * running[0 .. count - 1]: a group may be hotplugged after the XML was written. usable: the CPUs
 * that the guest can be given. Adds to messages each key that names a vCPU or an iothread the guest
 * does not have, and what the placement decided. desired->memory is left to desired_build_memory().
 * domain is NULL if the XML was not read: then only the kernel's groups count, and no placement.
 * claims: for a placement that is exclusive; NULL: it is not possible, the sets are left whole.
 *
 * Returns 0, with *desired to be freed by desired_free(); 1, with *desired empty, if the claims of
 * other guests are needed, which were not read; or -1 with the reason.
 */
int desired_build(const struct matched *matched, const struct domain *domain,
	const struct thread_group *running, size_t count, struct cpuset_expr *expr,
	const struct cpumask *usable, const struct claims *claims, struct desired *desired,
	struct messages *messages, struct err *e);

/*
 * Sets desired->memory from the "memory" value that decides. Does nothing if no rule has one.
 * cpus: the CPUs of the guest's vCPUs, for "auto"; usable: the nodes that the guest can be given.
 * Adds to messages what "auto" chose in place of nodes without memory. Reads only what the value
 * needs of the host. Returns 0, or -1 with the reason.
 */
int desired_build_memory(struct desired *desired, const struct matched *matched,
	struct topology *topology, const struct cpumask *cpus, const struct cpumask *usable,
	struct messages *messages, struct err *e);

#endif
