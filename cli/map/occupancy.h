/* SPDX-License-Identifier: MIT */
/* Whose threads may run on which CPUs, and where there are more vCPUs than CPUs. Pure. */
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

/* Occupants that may run on the same CPUs. */
struct occupancy_set {
	const struct cpumask *cpus;
	unsigned cpu_count;
	const struct occupant *members; /* by guest (web-2, web-10), then by group */
	size_t member_count;
	bool confined;	    /* there are CPUs online that are not in it */
	size_t vcpus;	    /* that cannot run anywhere else, members or confined to a part of it */
	bool overcommitted; /* confined, and vcpus are more than cpu_count */
};

/* Zero-initialised, it is ready for use. */
struct occupancy {
	struct occupant *occupants;
	size_t occupant_count, room;
	struct occupancy_set *sets; /* the smallest first, then by their lowest CPU */
	size_t set_count;
};

/* Adds a guest's group. Returns 0, or -1 with the reason. */
int occupancy_add(struct occupancy *occupancy, const char *guest, struct thread_group group,
	const struct cpumask *cpus, struct err *e);

/*
 * When all are added: forms the sets. CPUs that are not in online count for nothing; who has no
 * other is left out. Returns 0, or -1 with the reason.
 */
int occupancy_form(struct occupancy *occupancy, const struct cpumask *online, struct err *e);

/* Whether cpu is in a set that is overcommitted. */
bool occupancy_overcommitted(const struct occupancy *occupancy, unsigned cpu);

void occupancy_free(struct occupancy *occupancy);

#endif
