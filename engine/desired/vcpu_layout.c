/* SPDX-License-Identifier: MIT */
#include "desired/vcpu_layout.h"

#include "desired/cell_layout.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A core of the host. */
struct core {
	const uint16_t *free; /* its CPUs that are left */
	size_t free_count;
	size_t taken;
	bool whole; /* all of it was there for the guest */
	int node;   /* its index; -1: in none */
};

/* vCPUs that are siblings of one another, those of them that are to be placed. */
struct unit {
	size_t first, count; /* in guest->vcpus */
	int cell;	     /* -1: none */
	bool done;
};

struct work {
	const struct vcpu_layout_guest *guest;
	const struct vcpu_layout_host *host;
	uint16_t *free; /* what the cores point into */
	struct core *cores;
	size_t core_count;
	size_t largest; /* free_count of any of them, at first */
	struct unit *units;
	size_t unit_count;
	struct cell_layout_cell *cells;
	size_t cell_count;
	unsigned *placed;
	size_t split;  /* units whose vCPUs are on several cores */
	size_t shared; /* units on a core that has another */
};

static int
cell_of(const struct vcpu_layout_guest *guest, size_t i)
{
	unsigned id = guest->vcpus[i];
	return guest->cells != NULL && id < guest->cell_vcpus ? guest->cells[id] : -1;
}

static void
list_units(struct work *work)
{
	const struct vcpu_layout_guest *guest = work->guest;
	struct unit *last = NULL;
	for (size_t i = 0; i < guest->count; i++) {
		int cell = cell_of(guest, i);
		if (last != NULL && last->cell == cell &&
			guest->vcpus[i] / guest->threads ==
				guest->vcpus[last->first] / guest->threads) {
			last->count++;
			continue;
		}
		last = &work->units[work->unit_count++];
		*last = (struct unit){.first = i, .count = 1, .cell = cell};
	}
}

static void
add_core(struct work *work, struct core core)
{
	const struct vcpu_layout_host *host = work->host;
	const struct topology_object *node =
		host->nodes != NULL ? topology_find(host->nodes, core.free[0]) : NULL;
	core.node = node != NULL ? (int)(node - host->nodes->items) : -1;
	if (core.free_count > work->largest)
		work->largest = core.free_count;
	work->cores[work->core_count++] = core;
}

static void
list_cores(struct work *work)
{
	const struct vcpu_layout_host *host = work->host;
	struct cpumask rest = *host->cpus, told = {0};
	uint16_t *free = work->free;
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
			cpumask_set_range(&told, free[j], free[j]);
		free += core.free_count;
		add_core(work, core);
	}
	/* A CPU of which the host does not tell a core is one. */
	cpumask_andnot(&rest, &told);
	cpumask_for_each (cpu, &rest) {
		*free = (uint16_t)cpu;
		add_core(work, (struct core){.free = free, .free_count = 1, .whole = true});
		free++;
	}
}

static struct cell_layout_cell *
find_cell(const struct work *work, int id)
{
	for (size_t i = 0; i < work->cell_count; i++)
		if (work->cells[i].id == id)
			return &work->cells[i];
	return NULL;
}

/* Lists the cells of the units, and puts each on a node if that can be. */
static int
place_cells(struct work *work)
{
	size_t nodes = work->host->nodes != NULL ? work->host->nodes->count : 0;
	unsigned threads = work->guest->threads;
	struct cell_layout_node *rooms = calloc(nodes + 1, sizeof(*rooms));
	if (rooms == NULL)
		return -1;
	for (size_t i = 0; i < work->unit_count && nodes > 0; i++) {
		const struct unit *unit = &work->units[i];
		if (unit->cell < 0)
			continue;
		struct cell_layout_cell *cell = find_cell(work, unit->cell);
		if (cell == NULL) {
			cell = &work->cells[work->cell_count++];
			*cell = (struct cell_layout_cell){.id = unit->cell};
		}
		cell->vcpus += unit->count;
		cell->cores += threads > 1 && unit->count == threads;
	}
	for (size_t i = 0; i < work->core_count; i++) {
		const struct core *core = &work->cores[i];
		if (core->node < 0)
			continue;
		rooms[core->node].cpus += core->free_count;
		rooms[core->node].cores += core->free_count / threads;
	}
	cell_layout_assign(work->cells, work->cell_count, rooms, nodes);
	free(rooms);
	return 0;
}

/* The core for so many siblings, on node if that is not -1: see vcpu_layout_place(). NULL: none. */
static struct core *
find_core(const struct work *work, size_t siblings, int node)
{
	struct core *best = NULL;
	for (size_t i = 0; i < work->core_count; i++) {
		struct core *core = &work->cores[i];
		if (core->free_count < siblings || (node >= 0 && core->node != node))
			continue;
		if (best == NULL || core->taken < best->taken ||
			(core->taken == best->taken && core->whole && !best->whole))
			best = core;
	}
	return best;
}

static void
take(struct work *work, struct core *core, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		work->placed[first + i] = core->free[i];
	core->free += count;
	core->free_count -= count;
	core->taken += count;
}

/* All units of a cell that find a core for all of their vCPUs, the largest first. */
static void
place_units(struct work *work, int cell, int node)
{
	size_t size = work->guest->threads < work->largest ? work->guest->threads : work->largest;
	for (; size > 0; size--)
		for (size_t i = 0; i < work->unit_count; i++) {
			struct unit *unit = &work->units[i];
			if (unit->done || unit->cell != cell || unit->count != size)
				continue;
			struct core *core = find_core(work, size, node);
			if (core == NULL)
				continue;
			work->shared += core->taken > 0;
			take(work, core, unit->first, size);
			unit->done = true;
		}
}

/* What is left of a cell, one by one. */
static void
tear_units(struct work *work, int cell, int node)
{
	for (size_t i = 0; i < work->unit_count; i++) {
		struct unit *unit = &work->units[i];
		if (unit->done || unit->cell != cell)
			continue;
		for (size_t j = 0; j < unit->count; j++) {
			struct core *core = find_core(work, 1, node);
			take(work, core != NULL ? core : find_core(work, 1, -1), unit->first + j,
				1);
		}
		unit->done = true;
		work->split++;
	}
}

/* Cells that have a node come first, then the others, then what is in no cell. */
static void
place_all(struct work *work)
{
	for (int unassigned = 0; unassigned < 2; unassigned++)
		for (size_t i = 0; i < work->cell_count; i++)
			if ((work->cells[i].node < 0) == unassigned)
				place_units(work, work->cells[i].id, work->cells[i].node);
	place_units(work, -1, -1);
	for (size_t i = 0; i < work->cell_count; i++)
		tear_units(work, work->cells[i].id, work->cells[i].node);
	tear_units(work, -1, -1);
}

__attribute__((format(printf, 2, 3))) static void
say(struct vcpu_layout_report *report, const char *format, ...)
{
	size_t used = strlen(report->text);
	va_list args;
	va_start(args, format);
	vsnprintf(report->text + used, sizeof(report->text) - used, format, args);
	va_end(args);
}

/* The nodes of the CPUs that a cell's vCPUs are on. */
static unsigned
nodes_of_cell(const struct work *work, int id, struct cpumask *nodes)
{
	const struct topology_objects *objects = work->host->nodes;
	*nodes = (struct cpumask){0};
	for (size_t i = 0; i < work->guest->count; i++) {
		if (cell_of(work->guest, i) != id)
			continue;
		const struct topology_object *node = topology_find(objects, work->placed[i]);
		if (node != NULL)
			cpumask_set_range(nodes, node->number, node->number);
	}
	return cpumask_count(nodes);
}

static void
report_on(struct work *work, struct vcpu_layout_report *report)
{
	char list[64];
	*report = (struct vcpu_layout_report){.split = work->split > 0};
	if (work->split > 0)
		say(report, "the threads of %zu of %zu guest cores are on different host cores",
			work->split, work->unit_count);
	else if (work->guest->threads > 1)
		say(report, "guest siblings are on host siblings");
	else if (work->shared == 0)
		say(report, "no two vCPUs share a core");
	else
		say(report, "%zu vCPU%s second on %s core", work->shared,
			work->shared == 1 ? " is" : "s are", work->shared == 1 ? "its" : "their");
	qsort(work->cells, work->cell_count, sizeof(*work->cells), cell_layout_compare_ids);
	for (size_t i = 0; i < work->cell_count; i++) {
		struct cpumask nodes;
		bool one = nodes_of_cell(work, work->cells[i].id, &nodes) == 1;
		say(report, "; cell %d on node%s %s", work->cells[i].id, one ? "" : "s",
			cpumask_format(&nodes, list, sizeof(list)));
		report->split |= !one;
	}
}

static int
place(struct work *work, struct vcpu_layout_report *report)
{
	list_units(work);
	list_cores(work);
	size_t cpus = 0;
	for (size_t i = 0; i < work->core_count; i++)
		cpus += work->cores[i].free_count;
	if (cpus < work->guest->count)
		return 1;
	if (place_cells(work) != 0)
		return -1;
	place_all(work);
	report_on(work, report);
	return 0;
}

int
vcpu_layout_place(const struct vcpu_layout_guest *guest, const struct vcpu_layout_host *host,
	unsigned *placed, struct vcpu_layout_report *report, struct err *e)
{
	struct work work = {.guest = guest, .host = host, .placed = placed};
	work.free = calloc(CPUMASK_CPUS, sizeof(*work.free));
	work.cores =
		calloc(host->cores->count + cpumask_count(host->cpus) + 1, sizeof(*work.cores));
	work.units = calloc(guest->count + 1, sizeof(*work.units));
	work.cells = calloc(guest->count + 1, sizeof(*work.cells));
	bool room =
		work.free != NULL && work.cores != NULL && work.units != NULL && work.cells != NULL;
	int r = room ? place(&work, report) : -1;
	free(work.free);
	free(work.cores);
	free(work.units);
	free(work.cells);
	return r >= 0 ? r : err_set(e, "out of memory");
}
