/* SPDX-License-Identifier: MIT */
/*
 * Places units, the sibling vCPUs of a guest core, on host cores: cell by cell, whole units first,
 * then what must be split.
 */
#include "desired/vcpu_layout.h"

#include "desired/cell_layout_private.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A core of the host. */
struct core {
	const uint16_t *free; /* its CPUs without a vCPU */
	size_t free_count;
	size_t taken;
	bool whole; /* true if all its CPUs were free for the guest */
	int node;   /* index; -1: on none */
};

/* The vCPUs of one guest core that are to be placed. */
struct unit {
	size_t first, count; /* a range of guest->vcpus */
	int cell;	     /* -1: none */
	bool done;
};

struct layout {
	const struct vcpu_layout_guest *guest;
	const struct vcpu_layout_host *host;
	uint16_t *free; /* the CPUs that struct core points into */
	struct core *cores;
	size_t core_count;
	size_t largest; /* the largest free_count at the start */
	struct unit *units;
	size_t unit_count;
	struct cell_layout_cell *cells;
	size_t cell_count;
	unsigned *placed;
	size_t split;  /* units whose vCPUs are on several cores */
	size_t shared; /* units on a core that has another unit */
};

static int
cell_of(const struct vcpu_layout_guest *guest, size_t i)
{
	unsigned id = guest->vcpus[i];
	return guest->cells != NULL && id < guest->cell_vcpus ? guest->cells[id] : -1;
}

static void
list_units(struct layout *layout)
{
	const struct vcpu_layout_guest *guest = layout->guest;
	struct unit *last = NULL;
	for (size_t i = 0; i < guest->count; i++) {
		int cell = cell_of(guest, i);
		if (last != NULL && last->cell == cell &&
			guest->vcpus[i] / guest->threads ==
				guest->vcpus[last->first] / guest->threads) {
			last->count++;
			continue;
		}
		last = &layout->units[layout->unit_count++];
		*last = (struct unit){.first = i, .count = 1, .cell = cell};
	}
}

static void
add_core(struct layout *layout, struct core core)
{
	const struct vcpu_layout_host *host = layout->host;
	const struct topology_object *node =
		host->nodes != NULL ? topology_find(host->nodes, core.free[0]) : NULL;
	core.node = node != NULL ? (int)(node - host->nodes->items) : -1;
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

/* Returns the best core for so many siblings, on node unless that is -1, or NULL if none fits. */
static struct core *
find_core(const struct layout *layout, size_t siblings, int node)
{
	struct core *best = NULL;
	for (size_t i = 0; i < layout->core_count; i++) {
		struct core *core = &layout->cores[i];
		if (core->free_count < siblings || (node >= 0 && core->node != node))
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

/* Places each unit of a cell that fits on one core, the largest first. */
static void
place_units(struct layout *layout, int cell, int node)
{
	size_t size =
		layout->guest->threads < layout->largest ? layout->guest->threads : layout->largest;
	for (; size > 0; size--)
		for (size_t i = 0; i < layout->unit_count; i++) {
			struct unit *unit = &layout->units[i];
			if (unit->done || unit->cell != cell || unit->count != size)
				continue;
			struct core *core = find_core(layout, size, node);
			if (core == NULL)
				continue;
			layout->shared += core->taken > 0;
			take_cpus(layout, core, unit->first, size);
			unit->done = true;
		}
}

/* Places the vCPUs of a cell's remaining units one by one, each where a CPU is free. */
static void
split_units(struct layout *layout, int cell, int node)
{
	for (size_t i = 0; i < layout->unit_count; i++) {
		struct unit *unit = &layout->units[i];
		if (unit->done || unit->cell != cell)
			continue;
		for (size_t j = 0; j < unit->count; j++) {
			struct core *core = find_core(layout, 1, node);
			take_cpus(layout, core != NULL ? core : find_core(layout, 1, -1),
				unit->first + j, 1);
		}
		unit->done = true;
		layout->split++;
	}
}

/* Places cells that have a node first, then the other cells, then vCPUs without a cell. */
static void
place_all(struct layout *layout)
{
	for (int unassigned = 0; unassigned < 2; unassigned++)
		for (size_t i = 0; i < layout->cell_count; i++)
			if ((layout->cells[i].node < 0) == unassigned)
				place_units(layout, layout->cells[i].id, layout->cells[i].node);
	place_units(layout, -1, -1);
	for (size_t i = 0; i < layout->cell_count; i++)
		split_units(layout, layout->cells[i].id, layout->cells[i].node);
	split_units(layout, -1, -1);
}

__attribute__((format(printf, 2, 3))) static void
report_text(struct vcpu_layout_report *report, const char *format, ...)
{
	size_t used = strlen(report->text);
	va_list args;
	va_start(args, format);
	vsnprintf(report->text + used, sizeof(report->text) - used, format, args);
	va_end(args);
}

/* Collects the nodes that a cell's vCPUs were placed on. Returns how many. */
static unsigned
nodes_of_cell(const struct layout *layout, int id, struct cpumask *nodes)
{
	const struct topology_objects *objects = layout->host->nodes;
	*nodes = (struct cpumask){0};
	for (size_t i = 0; i < layout->guest->count; i++) {
		if (cell_of(layout->guest, i) != id)
			continue;
		const struct topology_object *node = topology_find(objects, layout->placed[i]);
		if (node != NULL)
			cpumask_set_range(nodes, node->number, node->number);
	}
	return cpumask_count(nodes);
}

static void
report_layout(struct layout *layout, struct vcpu_layout_report *report)
{
	char list[64];
	*report = (struct vcpu_layout_report){.split = layout->split > 0};
	if (layout->split > 0)
		report_text(report,
			"the threads of %zu of %zu guest cores are on different host cores",
			layout->split, layout->unit_count);
	else if (layout->guest->threads > 1)
		report_text(report, "guest siblings are on host siblings");
	else if (layout->shared == 0)
		report_text(report, "no two vCPUs share a core");
	else
		report_text(report, "%zu vCPU%s second on %s core", layout->shared,
			layout->shared == 1 ? " is" : "s are",
			layout->shared == 1 ? "its" : "their");
	qsort(layout->cells, layout->cell_count, sizeof(*layout->cells), cell_layout_compare_ids);
	for (size_t i = 0; i < layout->cell_count; i++) {
		struct cpumask nodes;
		bool one = nodes_of_cell(layout, layout->cells[i].id, &nodes) == 1;
		report_text(report, "; cell %d on node%s %s", layout->cells[i].id, one ? "" : "s",
			cpumask_format(&nodes, list, sizeof(list)));
		report->split |= !one;
	}
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
	if (place_cells(layout) != 0)
		return -1;
	place_all(layout);
	report_layout(layout, report);
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
	bool room = layout.free != NULL && layout.cores != NULL && layout.units != NULL &&
		    layout.cells != NULL;
	int r = room ? place_vcpus(&layout, report) : -1;
	free(layout.free);
	free(layout.cores);
	free(layout.units);
	free(layout.cells);
	return r >= 0 ? r : err_set(e, "out of memory");
}
