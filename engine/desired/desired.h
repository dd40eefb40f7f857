/* SPDX-License-Identifier: MIT */
/*
 * From the rules that match a guest to a mask for each of its thread groups. Pure: no file, no
 * errno.
 */
#ifndef VMAFFINITY_DESIRED_DESIRED_H
#define VMAFFINITY_DESIRED_DESIRED_H

#include "base/cpumask.h"
#include "base/messages.h"
#include "desired/cpuset_expr.h"
#include "desired/memory_nodes.h"
#include "guest/domain.h"
#include "rules/rules.h"

#include <stdbool.h>
#include <stddef.h>

/* One setting's CPU set, shared by all groups that it decides over; but for one-to-one. */
struct desired_mask {
	const struct setting *setting;
	struct cpumask requested; /* what the setting says */
	struct cpumask cpus;	  /* of these, the usable ones; may be empty */
	bool single;		  /* one-to-one: the CPU of one vCPU */
};

struct desired_group {
	struct thread_group group;
	const struct setting *setting;	 /* NULL: no rule says anything of this group */
	const struct desired_mask *mask; /* NULL: leave the group as libvirt set it */
};

struct desired {
	struct desired_mask *masks;
	size_t mask_count;
	struct desired_mask
		*per_vcpu; /* one-to-one's: a CPU for each vCPU; NULL if there are none */
	struct desired_group *groups; /* sorted by thread_group_compare(), each once */
	size_t group_count;
	struct memory memory; /* not desired_build()'s work, but memory_nodes_place()'s */
};

/*
 * What the rules wish for every group that domain's XML may have and for those that the kernel has,
 * running[0 .. count - 1], which an older XML need not know. usable: the CPUs that there are for
 * the guest. Says in messages which settings name a vCPU or an iothread that the guest does not
 * have. Returns 0 with *desired, to be freed by desired_free(), or -1 with the reason.
 */
int desired_build(const struct matched *matched, const struct domain *domain,
	const struct thread_group *running, size_t count, struct cpuset_expr *expr,
	const struct cpumask *usable, struct desired *desired, struct messages *messages,
	struct err *e);
void desired_free(struct desired *desired);

/* The wish for a group, or NULL if it is none of those. */
const struct desired_group *desired_find(const struct desired *desired, struct thread_group group);

#endif
