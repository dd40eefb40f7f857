/* SPDX-License-Identifier: MIT */
/* Wish against what stands now: what is to be written for one guest, and what is to be said. Pure.
 */
#ifndef VMAFFINITY_PIN_PLAN_H
#define VMAFFINITY_PIN_PLAN_H

#include "cgroup/cgroup.h"
#include "desired/desired.h"
#include "guest/domain.h"

#include <stdbool.h>
#include <stddef.h>

struct plan_step {
	struct thread_group group;
	const struct setting *setting; /* that decides; NULL: no rule does */
	const struct cpumask *cpus;    /* for the group; NULL: leave it as it is */
	const struct cpumask
		*now; /* what its cpuset.cpus holds; NULL if the guest does not run here */
	bool write;   /* cpus and now differ */
	const struct cpumask *nodes_now; /* what its cpuset.mems holds; NULL if that was not read */
	bool write_nodes;		 /* the plan's nodes and nodes_now differ */
};

/* Points into the wish and the cgroup that it was made of. */
struct plan {
	struct plan_step *steps; /* sorted by thread_group_compare() */
	size_t step_count;
	const struct desired_group **missing; /* that the guest has and a rule is about, but cgroup
					      does not know */
	size_t missing_count;
	const struct cpumask *nodes; /* NUMA nodes for every group; NULL: leave them as they are */
};

/*
 * A step for every group that the guest has now: those of cgroup or, if that is NULL, those that
 * domain's XML has online; domain may be NULL, then those of desired. Returns 0 with *plan, to be
 * freed by plan_free(), or -1: no memory.
 */
int plan_build(const struct desired *desired, const struct domain *domain,
	const struct cgroup *cgroup, struct plan *plan);
void plan_free(struct plan *plan);

/*
 * What plan wishes, on one line, for a log: "emulator 0-1, vcpu0-3 4-7, iothread1 0-1,
 * memory 0". Neighbours with the same CPUs are put together; what does not fit in size bytes is cut
 * and ends in "...". Returns out.
 */
char *plan_summary(const struct plan *plan, char *out, size_t size);

#endif
