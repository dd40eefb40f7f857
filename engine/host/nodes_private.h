/* SPDX-License-Identifier: MIT */
/* The NUMA nodes, for tree.c alone: topology.h is what other wings use. */
#ifndef VMAFFINITY_HOST_NODES_PRIVATE_H
#define VMAFFINITY_HOST_NODES_PRIVATE_H

#include "host/topology.h"

/* A NUMA node; a node without CPUs of its own has those of the nodes nearest to it. */
struct topology_node {
	unsigned number;     /* the kernel's */
	bool near;	     /* cpus are those of the nearest nodes, not its own */
	struct cpumask cpus; /* online ones; empty if it has none and no node is nearest */
};

/*
 * Reads the online NUMA nodes, ascending by number; a kernel without NUMA has one node, number 0,
 * of all online CPUs. Returns 0 with *nodes, *count of them, which the caller frees, or -1 with the
 * reason.
 */
int topology_read_nodes(
	struct topology *topology, struct topology_node **nodes, size_t *count, struct err *e);

#endif
