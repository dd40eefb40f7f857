/* SPDX-License-Identifier: MIT */
/* The difference between a guest's desired and actual masks: what is to be written. Pure. */
#ifndef VMAFFINITY_PIN_PLAN_H
#define VMAFFINITY_PIN_PLAN_H

#include "cgroup/cgroup.h"
#include "desired/desired.h"
#include "guest/domain.h"

#include <stdbool.h>
#include <stddef.h>

struct plan_step {
	struct thread_group group;
	const struct setting *setting; /* the rule's line that decides; NULL: none does */
	const struct cpumask *cpus;    /* desired CPUs; NULL: leave the group as it is */
	/*
	 * The CPUs to write, of which the kernel grants cpus now; NULL: cpus. On cgroup v2 they are
	 * all that the rule names, as a CPU that the parent lacks may come back, and the kernel
	 * grants it then. cgroup v1 takes only what the parent has.
	 */
	const struct cpumask *whole;
	const struct cpumask *now; /* cpuset.cpus; NULL: the guest does not run here */
	bool write;		   /* what is to be written and now differ */
	/* The CPUs that a vCPU is to have to itself, cpus and idle siblings of it; NULL: none. */
	const struct cpumask *exclusive;
	const struct cgroup_partition *partition; /* that it has now; NULL: none */
	bool release; /* the partition is to be taken away: not wanted, or not in force */
	bool isolate; /* a partition is to be made */
	bool gather;  /* vhost workers are to be moved into the group, which may have to be made */
	bool given;   /* no rule decides: cpus are what libvirt would give (give_back.h) */
	bool inherit; /* cgroup v2: cpus are all that the parent has: an empty mask is written */
	const struct cpumask *nodes_now; /* cpuset.mems; NULL: no rule is about memory */
	bool write_nodes;		 /* the plan's nodes and nodes_now differ */
};

/* Points into the struct desired and the struct cgroup that it was made of. */
struct plan {
	struct plan_step *steps; /* sorted by thread_group_compare() */
	size_t step_count;
	const struct desired_group **missing; /* groups with a mask that have no cgroup */
	size_t missing_count;
	bool nodes_optional;	     /* memory = auto: if they cannot be written, the CPUs stay */
	const struct cpumask *nodes; /* NUMA nodes for every group; NULL: leave them as they are */
	bool nodes_given;	     /* no rule decides: nodes are what libvirt would give */
	bool nodes_inherit; /* cgroup v2: they are all that the parent has: an empty set is written
			     */
};

/*
 * Makes a step for every group that the guest has now: those of cgroup or, if that is NULL, those
 * that domain's XML has online; domain may be NULL, then those of desired. Returns 0 with *plan, to
 * be freed by plan_free(), or -1 if there is no memory.
 */
int plan_build(const struct desired *desired, const struct domain *domain,
	const struct cgroup *cgroup, struct plan *plan);
void plan_free(struct plan *plan);

/*
 * Leaves the vCPUs as they are that have CPUs to themselves: which they are to have is not known
 * without the guest's XML.
 */
void plan_keep_partitions(struct plan *plan);

/* True if a step's group is to be written to. */
bool plan_step_changes(const struct plan_step *step);

/* Returns the CPUs to write to a step's group, or NULL. */
const struct cpumask *plan_step_written(const struct plan_step *step);

/*
 * Returns the CPUs that the kernel is to grant a step's group, or NULL: those of a partition that
 * stays, of which its thread keeps to cpus.
 */
const struct cpumask *plan_step_granted(const struct plan_step *step);

/*
 * Writes what plan desires on one line: "emulator 0-1, vcpu0-3 4-7, iothread1 0-1, memory 0".
 * Groups in sequence that have the same CPUs are one item. What does not fit in size bytes is cut
 * and ends in "...". Returns out.
 */
char *plan_summary(const struct plan *plan, char *out, size_t size);

#endif
