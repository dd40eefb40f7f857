/* SPDX-License-Identifier: MIT */
/* Which node of the host each <numa> cell of a guest goes to; of use to onetoone.c alone. */
#ifndef VMAFFINITY_DESIRED_CELL_LAYOUT_H
#define VMAFFINITY_DESIRED_CELL_LAYOUT_H

#include <stddef.h>

struct cell_layout_cell {
	int id;
	size_t vcpus;
	size_t cores; /* of the guest's that need a core of the host; 0 if it does not matter */
	int node;     /* index; -1: it fits on none */
};

/* What there is for the guest on a node. */
struct cell_layout_node {
	size_t cpus;
	size_t cores; /* so many guest cores fit */
	size_t cells; /* for cell_layout_assign(): how many it has put there */
};

/* Orders cells by id, ascending: for qsort(3). */
int cell_layout_compare_ids(const void *a, const void *b);

/*
 * Sets the node of each cell: the first cell on the first node and so on, as evenly as they fit.
 * May change the order of cells.
 */
void cell_layout_assign(struct cell_layout_cell *cells, size_t count,
	struct cell_layout_node *rooms, size_t room_count);

#endif
