/* SPDX-License-Identifier: MIT */
/*
 * Places units, the sibling vCPUs of a guest core, on host cores: cell by cell and in it die by
 * die, whole units first, then what must be split.
 */
#include "desired/vcpu_layout.h"

#include "desired/vcpu_layout_private.h"

#include <stdint.h>
#include <stdlib.h>

/* The node and the L3 on which to look for a core. */
struct place {
	int node; /* index; -1: on any */
	int l3;	  /* index; -1: on any */
};

/* For place_units(): the units of all dies. */
#define ANY_DIE (-2)

static void
list_units(struct layout *layout)
{
	const struct vcpu_layout_guest *guest = layout->guest;
	struct unit *last = NULL;
	for (size_t i = 0; i < guest->count; i++) {
		int cell = vcpu_layout_cell(guest, i);
		if (last != NULL && last->cell == cell &&
			guest->vcpus[i] / guest->threads ==
				guest->vcpus[last->first] / guest->threads) {
			last->count++;
			continue;
		}
		last = &layout->units[layout->unit_count++];
		*last = (struct unit){
			.first = i, .count = 1, .cell = cell, .die = vcpu_layout_die(layout, i)};
	}
}

static void
add_core(struct layout *layout, struct core core)
{
	const struct vcpu_layout_host *host = layout->host;
	const struct topology_object *node =
		host->nodes != NULL ? topology_find(host->nodes, core.free[0]) : NULL;
	core.node = node != NULL ? (int)(node - host->nodes->items) : -1;
	const struct topology_object *l3 =
		host->l3 != NULL ? topology_find(host->l3, core.free[0]) : NULL;
	core.l3 = l3 != NULL ? (int)(l3 - host->l3->items) : -1;
	if (core.free_count > layout->largest)
		layout->largest = core.free_count;
	layout->cores[layout->core_count++] = core;
}

static void
list_cores(struct layout *layout)
{
	const struct vcpu_layout_host *host = layout->host;
	struct cpumask rest = *host->cpus, listed = {0};
	uint16_t *free = layout->free;
	for (size_t i = 0; i < host->cores->count; i++) {
		const struct topology_object *object = &host->cores->items[i];
		struct core core = {.free = free};
		for (size_t j = 0; j < object->cpu_count; j++)
			if (cpumask_test(host->cpus, object->cpus[j]))
				free[core.free_count++] = object->cpus[j];
			else
				core.taken += cpumask_test(host->taken, object->cpus[j]);
		if (core.free_count == 0)
			continue;
		core.whole = core.free_count == object->cpu_count;
		for (size_t j = 0; j < core.free_count; j++)
			cpumask_set_range(&listed, free[j], free[j]);
		free += core.free_count;
		add_core(layout, core);
	}
	/* A CPU that the host lists in no core is a core. */
	cpumask_andnot(&rest, &listed);
	cpumask_for_each (cpu, &rest) {
		*free = (uint16_t)cpu;
		add_core(layout, (struct core){.free = free, .free_count = 1, .whole = true});
		free++;
	}
}

static struct cell_layout_cell *
find_cell(const struct layout *layout, int id)
{
	for (size_t i = 0; i < layout->cell_count; i++)
		if (layout->cells[i].id == id)
			return &layout->cells[i];
	return NULL;
}

/* Lists the cells of the units, and assigns each to a node if one has room. */
static int
place_cells(struct layout *layout)
{
	size_t nodes = layout->host->nodes != NULL ? layout->host->nodes->count : 0;
	unsigned threads = layout->guest->threads;
	struct cell_layout_node *rooms = calloc(nodes + 1, sizeof(*rooms));
	if (rooms == NULL)
		return -1;
	for (size_t i = 0; i < layout->unit_count && nodes > 0; i++) {
		const struct unit *unit = &layout->units[i];
		if (unit->cell < 0)
			continue;
		struct cell_layout_cell *cell = find_cell(layout, unit->cell);
		if (cell == NULL) {
			cell = &layout->cells[layout->cell_count++];
			*cell = (struct cell_layout_cell){.id = unit->cell};
		}
		cell->vcpus += unit->count;
		cell->cores += threads > 1 && unit->count == threads;
	}
	for (size_t i = 0; i < layout->core_count; i++) {
		const struct core *core = &layout->cores[i];
		if (core->node < 0)
			continue;
		rooms[core->node].cpus += core->free_count;
		rooms[core->node].cores += core->free_count / threads;
	}
	cell_layout_assign(layout->cells, layout->cell_count, rooms, nodes);
	free(rooms);
	return 0;
}

/* Lists the dies of the units of a cell. Returns the first of them. */
static struct cell_layout_cell *
list_dies(struct layout *layout, int cell)
{
	struct cell_layout_cell *first = &layout->dies[layout->die_count];
	unsigned threads = layout->guest->threads;
	for (size_t i = 0; i < layout->unit_count; i++) {
		const struct unit *unit = &layout->units[i];
		struct cell_layout_cell *die = &layout->dies[layout->die_count];
		if (unit->cell != cell || unit->die < 0)
			continue;
		if (die == first || die[-1].id != unit->die) {
			layout->die_cells[layout->die_count++] = cell;
			*die++ = (struct cell_layout_cell){.id = unit->die};
		}
		die[-1].vcpus += unit->count;
		die[-1].cores += threads > 1 && unit->count == threads;
	}
	return first;
}

/* Assigns each die of a cell to an L3, of node unless that is -1, if one has room. */
static int
place_dies(struct layout *layout, int cell, int node)
{
	struct cell_layout_cell *first = list_dies(layout, cell);
	size_t count = (size_t)(&layout->dies[layout->die_count] - first);
	if (count == 0)
		return 0;
	struct cell_layout_node *rooms = calloc(layout->host->l3->count, sizeof(*rooms));
	if (rooms == NULL)
		return -1;
	for (size_t i = 0; i < layout->core_count; i++) {
		const struct core *core = &layout->cores[i];
		if (core->l3 < 0 || (node >= 0 && core->node != node))
			continue;
		rooms[core->l3].cpus += core->free_count;
		rooms[core->l3].cores += core->free_count / layout->guest->threads;
	}
	cell_layout_assign(first, count, rooms, layout->host->l3->count);
	qsort(first, count, sizeof(*first), cell_layout_compare_ids);
	free(rooms);
	return 0;
}

/* Returns the best core for so many siblings, or NULL if none fits. */
static struct core *
find_core(const struct layout *layout, size_t siblings, struct place place)
{
	struct core *best = NULL;
	for (size_t i = 0; i < layout->core_count; i++) {
		struct core *core = &layout->cores[i];
		if (core->free_count < siblings || (place.node >= 0 && core->node != place.node) ||
			(place.l3 >= 0 && core->l3 != place.l3))
			continue;
		if (best == NULL || core->taken < best->taken ||
			(core->taken == best->taken && core->whole && !best->whole))
			best = core;
	}
	return best;
}

static void
take_cpus(struct layout *layout, struct core *core, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		layout->placed[first + i] = core->free[i];
	core->free += count;
	core->free_count -= count;
	core->taken += count;
}

/* Places each unit of a die of a cell that fits on one core, the largest first. */
static void
place_units(struct layout *layout, int cell, int die, struct place place)
{
	size_t size =
		layout->guest->threads < layout->largest ? layout->guest->threads : layout->largest;
	for (; size > 0; size--)
		for (size_t i = 0; i < layout->unit_count; i++) {
			struct unit *unit = &layout->units[i];
			if (unit->done || unit->cell != cell || unit->count != size ||
				(die != ANY_DIE && unit->die != die))
				continue;
			struct core *core = find_core(layout, size, place);
			if (core == NULL)
				continue;
			layout->shared += core->taken > 0;
			take_cpus(layout, core, unit->first, size);
			unit->done = true;
		}
}

/* Returns the L3 of a die of a cell, or -1. */
static int
l3_of_die(const struct layout *layout, int cell, int die)
{
	for (size_t i = 0; i < layout->die_count; i++)
		if (layout->dies[i].id == die && layout->die_cells[i] == cell)
			return layout->dies[i].node;
	return -1;
}

/* Places the vCPUs of a cell's remaining units one by one, each where a CPU is free. */
static void
split_units(struct layout *layout, int cell, int node)
{
	for (size_t i = 0; i < layout->unit_count; i++) {
		struct unit *unit = &layout->units[i];
		if (unit->done || unit->cell != cell)
			continue;
		const struct place places[] = {
			{node, l3_of_die(layout, cell, unit->die)}, {node, -1}, {-1, -1}};
		for (size_t j = 0; j < unit->count; j++) {
			struct core *core = NULL;
			for (size_t k = 0; k < 3 && core == NULL; k++)
				core = find_core(layout, 1, places[k]);
			take_cpus(layout, core, unit->first + j, 1);
		}
		unit->done = true;
		layout->split++;
	}
}

/* Places the dies of a cell that have an L3, then the cell's other units. */
static int
place_cell(struct layout *layout, int cell, int node)
{
	size_t first = layout->die_count;
	if (place_dies(layout, cell, node) != 0)
		return -1;
	for (size_t i = first; i < layout->die_count; i++)
		if (layout->dies[i].node >= 0)
			place_units(layout, cell, layout->dies[i].id,
				(struct place){node, layout->dies[i].node});
	place_units(layout, cell, ANY_DIE, (struct place){node, -1});
	return 0;
}

/* Places cells that have a node first, then the other cells, then vCPUs without a cell. */
static int
place_all_vcpus(struct layout *layout)
{
	for (int unassigned = 0; unassigned < 2; unassigned++)
		for (size_t i = 0; i < layout->cell_count; i++)
			if ((layout->cells[i].node < 0) == unassigned &&
				place_cell(layout, layout->cells[i].id, layout->cells[i].node) != 0)
				return -1;
	if (place_cell(layout, -1, -1) != 0)
		return -1;
	for (size_t i = 0; i < layout->cell_count; i++)
		split_units(layout, layout->cells[i].id, layout->cells[i].node);
	split_units(layout, -1, -1);
	return 0;
}

static int
place_vcpus(struct layout *layout, struct vcpu_layout_report *report)
{
	list_units(layout);
	list_cores(layout);
	size_t cpus = 0;
	for (size_t i = 0; i < layout->core_count; i++)
		cpus += layout->cores[i].free_count;
	if (cpus < layout->guest->count)
		return 1;
	if (place_cells(layout) != 0 || place_all_vcpus(layout) != 0)
		return -1;
	vcpu_layout_describe(layout, report);
	return 0;
}

int
vcpu_layout_place(const struct vcpu_layout_guest *guest, const struct vcpu_layout_host *host,
	unsigned *placed, struct vcpu_layout_report *report, struct err *e)
{
	struct layout layout = {.guest = guest, .host = host, .placed = placed};
	layout.free = calloc(CPUMASK_CPUS, sizeof(*layout.free));
	layout.cores =
		calloc(host->cores->count + cpumask_count(host->cpus) + 1, sizeof(*layout.cores));
	layout.units = calloc(guest->count + 1, sizeof(*layout.units));
	layout.cells = calloc(guest->count + 1, sizeof(*layout.cells));
	layout.dies = calloc(guest->count + 1, sizeof(*layout.dies));
	layout.die_cells = calloc(guest->count + 1, sizeof(*layout.die_cells));
	bool room = layout.free != NULL && layout.cores != NULL && layout.units != NULL &&
		    layout.cells != NULL && layout.dies != NULL && layout.die_cells != NULL;
	int r = room ? place_vcpus(&layout, report) : -1;
	free(layout.free);
	free(layout.cores);
	free(layout.units);
	free(layout.cells);
	free(layout.dies);
	free(layout.die_cells);
	return r >= 0 ? r : err_set(e, "out of memory");
}
