/* SPDX-License-Identifier: MIT */
/* Assigns the <numa> cells of a guest to nodes of the host. Only vcpu_layout.c uses this. */
#ifndef VMAFFINITY_DESIRED_CELL_LAYOUT_PRIVATE_H
#define VMAFFINITY_DESIRED_CELL_LAYOUT_PRIVATE_H

#include <stddef.h>

struct cell_layout_cell {
	int id;
	size_t vcpus;
	size_t cores; /* guest cores that each need a whole host core; 0: none does */
	int node;     /* index into the nodes; -1: it fits on none */
};

/* The room for the guest on a node of the host. */
struct cell_layout_node {
	size_t cpus;
	size_t cores; /* how many guest cores fit */
	size_t cells; /* cells assigned so far; counted by cell_layout_assign() */
};

/* Orders cells by id, ascending: for qsort(3). */
int cell_layout_compare_ids(const void *a, const void *b);

/*
 * Sets the node of each cell: the first cell on the first node and so on, as evenly as they fit.
 * Changes the order of cells, and leaves in rooms the room that is left.
 */
void cell_layout_assign(struct cell_layout_cell *cells, size_t count,
	struct cell_layout_node *rooms, size_t room_count);

#endif
