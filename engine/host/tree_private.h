/* SPDX-License-Identifier: MIT */
/* Builds the objects of one kind, for topology.c alone: topology.h is what other wings use. */
#ifndef VMAFFINITY_HOST_TREE_PRIVATE_H
#define VMAFFINITY_HOST_TREE_PRIVATE_H

#include "host/topology.h"

/*
 * Reads the objects of a kind from /sys, in the order of topology_objects(). Returns 0 with
 * *objects, whose items and cpus the caller frees, or -1 with the reason and nothing to free.
 */
int topology_read_objects(struct topology *topology, enum topology_kind kind,
	struct topology_objects *objects, struct err *e);

#endif
