/* SPDX-License-Identifier: MIT */
/* From the files of /sys to the objects of topology.h; of no use to anybody but topology.c. */
#ifndef VMAFFINITY_HOST_TREE_H
#define VMAFFINITY_HOST_TREE_H

#include "host/topology.h"

#define TOPOLOGY_CPU_DIRECTORY "sys/devices/system/cpu"

/* A NUMA node as the kernel has it. */
struct topology_node {
	unsigned number;
	bool near;	     /* see struct topology_object */
	struct cpumask cpus; /* online ones */
};

/*
 * The NUMA nodes by number; a host that does not know of nodes has one, of all its CPUs. Returns 0
 * with *nodes, which the caller frees, or -1 with the reason.
 */
int topology_read_nodes(
	struct topology *topology, struct topology_node **nodes, size_t *count, struct err *e);

/* Reads the objects of a kind. Returns 0 with *objects, or -1 with the reason. */
int topology_read_objects(struct topology *topology, enum topology_kind kind,
	struct topology_objects *objects, struct err *e);

#endif
