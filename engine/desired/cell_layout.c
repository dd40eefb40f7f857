/* SPDX-License-Identifier: MIT */
/* Assigns the NUMA cells of a guest to nodes of the host. */
#include "desired/cell_layout_private.h"

#include <stdbool.h>
#include <stdlib.h>

/* Limits the search: packing is a hard problem, but hosts are small. */
#define STEPS_MAX 20000

struct cell_search {
	struct cell_layout_cell *cells;
	size_t count;
	struct cell_layout_node *rooms;
	size_t room_count;
	bool with_cores; /* true if guest cores must fit on host cores */
	unsigned steps;
};

int
cell_layout_compare_ids(const void *a, const void *b)
{
	const struct cell_layout_cell *left = a, *right = b;
	return (left->id > right->id) - (left->id < right->id);
}

static int
compare_cell_sizes(const void *a, const void *b)
{
	const struct cell_layout_cell *left = a, *right = b;
	if (left->vcpus != right->vcpus)
		return left->vcpus > right->vcpus ? -1 : 1;
	return cell_layout_compare_ids(a, b);
}

static bool
put_cell(struct cell_search *s, struct cell_layout_cell *cell, size_t n)
{
	struct cell_layout_node *room = &s->rooms[n];
	size_t cores = s->with_cores ? cell->cores : 0;
	if (cell->vcpus > room->cpus || cores > room->cores)
		return false;
	room->cpus -= cell->vcpus;
	room->cores -= cores;
	room->cells++;
	cell->node = (int)n;
	return true;
}

static void
remove_cell(struct cell_search *s, struct cell_layout_cell *cell)
{
	struct cell_layout_node *room = &s->rooms[cell->node];
	room->cpus += cell->vcpus;
	room->cores += s->with_cores ? cell->cores : 0;
	room->cells--;
	cell->node = -1;
}

/* Assigns the cells from i on, trying nodes with the fewest cells first. False: not all fit. */
static bool
put_cells(struct cell_search *s, size_t i)
{
	if (i == s->count)
		return true;
	for (size_t cells = 0; cells <= i; cells++)
		for (size_t n = 0; n < s->room_count; n++) {
			if (s->steps++ >= STEPS_MAX)
				return false;
			if (s->rooms[n].cells != cells || !put_cell(s, &s->cells[i], n))
				continue;
			if (put_cells(s, i + 1))
				return true;
			remove_cell(s, &s->cells[i]);
		}
	return false;
}

void
cell_layout_assign(struct cell_layout_cell *cells, size_t count, struct cell_layout_node *rooms,
	size_t room_count)
{
	struct cell_search s = {
		.cells = cells, .count = count, .rooms = rooms, .room_count = room_count};
	for (size_t i = 0; i < count; i++)
		cells[i].node = -1;
	for (int without_cores = 0; without_cores < 2; without_cores++)
		for (int largest_first = 0; largest_first < 2; largest_first++) {
			qsort(cells, count, sizeof(*cells),
				largest_first ? compare_cell_sizes : cell_layout_compare_ids);
			s.with_cores = !without_cores;
			s.steps = 0;
			if (put_cells(&s, 0))
				return;
		}
	/* Not all cells fit: assign as many as there is room for. */
	for (size_t i = 0; i < count; i++)
		for (size_t n = 0; n < room_count && cells[i].node < 0; n++)
			put_cell(&s, &cells[i], n);
}
