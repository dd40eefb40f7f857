/* What /sys says of the host's CPUs. Each fact is read when it is first asked for, and then kept.
 */
#ifndef VMAFFINITY_TOPOLOGY_H
#define VMAFFINITY_TOPOLOGY_H

#include "cpumask.h"
#include "err.h"

#include <stdbool.h>

enum topology_set {
	TOPOLOGY_ONLINE,   /* CPUs that run */
	TOPOLOGY_PRESENT,  /* those and the ones taken offline */
	TOPOLOGY_ISOLATED, /* the kernel's isolcpus= */
	TOPOLOGY_SETS
};

struct topology {
	int root; /* directory fd; not owned */
	struct {
		bool known;
		struct cpumask mask;
	} sets[TOPOLOGY_SETS];
};

/*
 * One of the host's sets (Documentation/ABI/testing/sysfs-devices-system-cpu). Returns 0 with
 * *mask, which lives as long as topology, or -1 with the reason.
 */
int topology_get(struct topology *topology, enum topology_set set, const struct cpumask **mask,
	struct err *e);

#endif
