/* SPDX-License-Identifier: MIT */
/* The order of CPUs that sets of several levels give, for tree.c alone. Pure. */
#ifndef VMAFFINITY_HOST_TREE_ORDER_PRIVATE_H
#define VMAFFINITY_HOST_TREE_ORDER_PRIVATE_H

#include "base/cpumask.h"
#include "base/err.h"
#include "host/nodes_private.h"
#include "host/topology.h"

#include <stddef.h>
#include <stdint.h>

enum level {
	LEVEL_DRAWER,
	LEVEL_BOOK,
	LEVEL_PACKAGE,
	LEVEL_DIE,
	LEVEL_CLUSTER,
	LEVEL_CORE,
	LEVEL_L2,
	LEVEL_L3,
	LEVEL_L4,
	LEVEL_NODE,
	LEVEL_PU,
	LEVELS
};

/* Ready for sets once online is set and all other fields are zero. */
struct tree {
	const struct cpumask *online;
	/* For each CPU, 1 + the lowest CPU in the same set, or 0 if no set is known to hold it. */
	uint16_t set[LEVELS][CPUMASK_CPUS];
	uint16_t order[CPUMASK_CPUS];	 /* the online CPUs, depth first */
	uint16_t position[CPUMASK_CPUS]; /* the index of each CPU in order */
	unsigned count;			 /* CPUs in order */
};

/*
 * Orders the CPUs depth first: starts from ascending order and gathers the CPUs of each set, the
 * largest sets first. Sets that overlap in part, which no kernel reports, give an arbitrary order.
 * Returns 0, or -1 with the reason.
 */
int tree_make_order(struct tree *tree, struct err *e);

/*
 * List the sets of a level in the order of their first CPUs; and count nodes, each after the nodes
 * within it, those without CPUs last. tree has its order. Return 0 with *objects, whose items and
 * cpus the caller frees, or -1 with the reason.
 */
int tree_list_sets(
	const struct tree *tree, enum level level, struct topology_objects *objects, struct err *e);
int tree_list_nodes(const struct tree *tree, const struct topology_node *nodes, size_t count,
	struct topology_objects *objects, struct err *e);

#endif
