/* SPDX-License-Identifier: MIT */
/*
 * Gives thread groups back what libvirt would give them, where an earlier rule confined them and no
 * rule decides now. libvirt's record of a group is what it gave it; without one it lets the group
 * use all CPUs that the guest may have.
 */
#ifndef VMAFFINITY_PIN_GIVE_BACK_H
#define VMAFFINITY_PIN_GIVE_BACK_H

#include "cgroup/cgroup.h"
#include "guest/domain_pins.h"
#include "pin/plan.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * True if a group, or one of its threads, that no rule decides has not all CPUs that the guest may
 * have, or not all memory nodes: only libvirt's record says whether it should.
 */
bool give_back_is_asked(const struct plan *plan, const struct cgroup *cgroup);

/*
 * Adds to the plan the groups that no rule decides and that have other CPUs, or memory nodes, than
 * libvirt would give them. record: the pins in the running guest's XML; where numad has chosen,
 * groups stay as they are. Returns 0 with their number in *count and the sets in *masks, which the
 * plan points into and the caller frees after it; -1 without memory. Nodes take part if
 * cgroup_read_memory() was called.
 */
int give_back(struct plan *plan, const struct cgroup *cgroup, const struct domain_pins *record,
	struct cpumask **masks, size_t *count);

#endif
