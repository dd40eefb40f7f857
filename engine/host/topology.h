/* SPDX-License-Identifier: MIT */
/* What /sys says of the host's CPUs. Each fact is read when it is first asked for, and then kept.
 */
#ifndef VMAFFINITY_HOST_TOPOLOGY_H
#define VMAFFINITY_HOST_TOPOLOGY_H

#include "base/cpumask.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum topology_set {
	TOPOLOGY_ONLINE,       /* CPUs that run */
	TOPOLOGY_PRESENT,      /* those and the ones taken offline */
	TOPOLOGY_ISOLATED,     /* the kernel's isolcpus= */
	TOPOLOGY_NODES,	       /* not of CPUs: the numbers of the NUMA nodes */
	TOPOLOGY_MEMORY_NODES, /* likewise: of those that have memory */
	TOPOLOGY_PCORES,       /* of a hybrid host the performance cores' CPUs; else empty */
	TOPOLOGY_ECORES,       /* and the efficient cores' */
	TOPOLOGY_SETS
};

enum topology_kind {
	TOPOLOGY_NODE,
	TOPOLOGY_PACKAGE,
	TOPOLOGY_L3,
	TOPOLOGY_CORE,
	TOPOLOGY_PU, /* a hardware thread, which the kernel calls a CPU */
	TOPOLOGY_KINDS
};

struct topology_object {
	unsigned number;      /* the kernel's: of a node, of a PU; of others the lowest CPU */
	bool near;	      /* a node without CPUs of its own: these are the ones nearest to it */
	const uint16_t *cpus; /* online ones, ascending */
	size_t cpu_count;     /* 0 only for a node that is near none */
};

struct topology_objects {
	struct topology_object *items; /* items[n] is the one of logical index n */
	size_t count;
	uint16_t *cpus; /* what the items point into */
	bool known;
};

/* Zero-initialised but for root, it is ready for use. */
struct topology {
	int root; /* directory fd; not owned */
	struct {
		bool known;
		struct cpumask mask;
	} sets[TOPOLOGY_SETS];
	struct topology_objects objects[TOPOLOGY_KINDS];
};

void topology_free(struct topology *topology);

/*
 * One of the host's sets (Documentation/ABI/testing/sysfs-devices-system-cpu and
 * stable/sysfs-devices-node). Returns 0 with *mask, which lives as long as topology, or -1 with the
 * reason.
 */
int topology_get(struct topology *topology, enum topology_set set, const struct cpumask **mask,
	struct err *e);

/*
 * All objects of a kind, in the order in which hwloc counts them: depth first through the tree of
 * what contains what, the lowest CPU first. CPUs that are offline count nowhere. There may be none
 * (an ARM host without L3). Returns 0 with *objects, which live as long as topology, or -1 with the
 * reason.
 */
int topology_objects(struct topology *topology, enum topology_kind kind,
	const struct topology_objects **objects, struct err *e);

/* The object that a CPU is in, or NULL. Of nodes the one whose own it is. */
const struct topology_object *topology_find(const struct topology_objects *objects, unsigned cpu);

#endif
