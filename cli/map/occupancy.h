/* SPDX-License-Identifier: MIT */
/* Which guests' threads may run on which CPUs, and where there are more vCPUs than CPUs. Pure. */
#ifndef VMAFFINITY_CLI_MAP_OCCUPANCY_H
#define VMAFFINITY_CLI_MAP_OCCUPANCY_H

#include "base/cpumask.h"
#include "base/err.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

/* A guest's group of threads, and the CPUs that they may run on. */
struct occupant {
	const char *guest; /* not owned */
	struct thread_group group;
	struct cpumask cpus;
	unsigned cpu_count;
};

/* The occupants that may run on just these CPUs. */
struct occupancy_set {
	const struct cpumask *cpus;
	unsigned cpu_count;
	const struct occupant *members; /* by guest (web-2, web-10), then by group */
	size_t member_count;
	bool confined; /* some online CPU is not in the set */
	size_t vcpus; /* that can run nowhere else: members, and those confined to a part of the set
		       */
	bool overcommitted; /* confined, and vcpus are more than cpu_count */
	bool intruded;	    /* one CPU, a vCPU's own, which other guests' threads may use, too */
};

/* Ready for use when all of it is zero. */
struct occupancy {
	struct occupant *occupants;
	size_t occupant_count;
	struct occupancy_set *sets; /* the smallest first, then by their lowest CPU */
	size_t set_count;
};

/* Adds a guest's group. Returns 0, or -1 with the reason. */
int occupancy_add(struct occupancy *occupancy, const char *guest, struct thread_group group,
	const struct cpumask *cpus, struct err *e);

/*
 * Forms the sets, once all groups are added. CPUs that are not in online do not count, and a group
 * without an online CPU is left out. Returns 0, or -1 with the reason.
 */
int occupancy_form(struct occupancy *occupancy, const struct cpumask *online, struct err *e);

/* True if cpu is in an overcommitted set. */
bool occupancy_overcommitted(const struct occupancy *occupancy, unsigned cpu);

/* True if cpu is one vCPU's own, and open to other guests. */
bool occupancy_intruded(const struct occupancy *occupancy, unsigned cpu);

/*
 * Returns the guest whose vCPU has the CPU of an intruded set as its own; it is a member's.
 */
const char *occupancy_owner(const struct occupancy_set *set);

void occupancy_free(struct occupancy *occupancy);

#endif
