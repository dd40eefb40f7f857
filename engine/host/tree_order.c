/* SPDX-License-Identifier: MIT */
/*
 * Puts the CPUs into the order of the tree of packages, caches, cores and nodes. Each level has
 * sets of CPUs that do not overlap. Which level contains which differs from host to host: a package
 * may hold several nodes, and a node several packages. So the levels have no fixed order; the sets
 * of all levels together are ordered by size.
 */
#include "host/tree_order_private.h"

#include <stdlib.h>
#include <string.h>

struct tree_set {
	enum level level;
	unsigned lowest, size;
};

/* Orders sets by size, the largest first; equal sizes have any fixed order. For qsort(3). */
static int
compare_sets(const void *a, const void *b)
{
	const struct tree_set *one = a, *other = b;
	if (one->size != other->size)
		return one->size < other->size ? 1 : -1;
	if (one->lowest != other->lowest)
		return one->lowest < other->lowest ? -1 : 1;
	return (one->level > other->level) - (one->level < other->level);
}

/* Sets sizes[cpu] to the size of the set with that lowest CPU. Returns the number of sets. */
static size_t
count_members(const struct tree *tree, const uint16_t *set, uint16_t sizes[CPUMASK_CPUS])
{
	size_t count = 0;
	memset(sizes, 0, CPUMASK_CPUS * sizeof(*sizes));
	cpumask_for_each (cpu, tree->online)
		if (set[cpu] != 0)
			count += sizes[set[cpu] - 1]++ == 0;
	return count;
}

/* Moves a set's CPUs in the order to just after its lowest CPU. */
static void
gather(struct tree *tree, const struct tree_set *set)
{
	uint16_t others[CPUMASK_CPUS];
	unsigned start = tree->position[set->lowest], end = start, found = 0, passed = 0;
	for (; end < tree->count && found < set->size; end++) {
		uint16_t cpu = tree->order[end];
		if (tree->set[set->level][cpu] == set->lowest + 1)
			tree->order[start + found++] = cpu;
		else
			others[passed++] = cpu;
	}
	if (passed == 0)
		return;
	memcpy(&tree->order[start + found], others, passed * sizeof(*others));
	for (unsigned i = start; i < end; i++)
		tree->position[tree->order[i]] = (uint16_t)i;
}

int
tree_make_order(struct tree *tree, struct err *e)
{
	uint16_t sizes[CPUMASK_CPUS];
	size_t most = 0, count = 0;
	tree->count = 0;
	cpumask_for_each (cpu, tree->online) {
		tree->position[cpu] = (uint16_t)tree->count;
		tree->order[tree->count++] = (uint16_t)cpu;
		tree->set[LEVEL_PU][cpu] = (uint16_t)(cpu + 1);
	}
	for (enum level level = 0; level < LEVEL_PU; level++)
		most += count_members(tree, tree->set[level], sizes);
	struct tree_set *sets = calloc(most + 1, sizeof(*sets));
	if (sets == NULL)
		return err_set(e, "out of memory");
	for (enum level level = 0; level < LEVEL_PU; level++) {
		count_members(tree, tree->set[level], sizes);
		for (unsigned cpu = 0; cpu < CPUMASK_CPUS; cpu++)
			if (sizes[cpu] > 1)
				sets[count++] = (struct tree_set){level, cpu, sizes[cpu]};
	}
	qsort(sets, count, sizeof(*sets), compare_sets);
	for (size_t i = 0; i < count; i++)
		gather(tree, &sets[i]);
	free(sets);
	return 0;
}

/* Allocates count zeroed objects that have cpus CPUs in all. Returns 0, or -1 with the reason. */
static int
allocate(struct topology_objects *objects, size_t count, size_t cpus, struct err *e)
{
	*objects = (struct topology_objects){
		.items = calloc(count + 1, sizeof(*objects->items)),
		.cpus = calloc(cpus + 1, sizeof(*objects->cpus)),
		.count = count,
	};
	if (objects->items != NULL && objects->cpus != NULL)
		return 0;
	free(objects->items);
	free(objects->cpus);
	*objects = (struct topology_objects){0};
	return err_set(e, "out of memory");
}

int
tree_list_sets(
	const struct tree *tree, enum level level, struct topology_objects *objects, struct err *e)
{
	const uint16_t *set = tree->set[level];
	uint16_t sizes[CPUMASK_CPUS], index[CPUMASK_CPUS];
	size_t count = 0, used = 0;
	if (allocate(objects, count_members(tree, set, sizes), tree->count, e) != 0)
		return -1;
	for (unsigned i = 0; i < tree->count; i++) {
		unsigned lowest = set[tree->order[i]] - 1u;
		if (set[tree->order[i]] == 0 || sizes[lowest] == 0)
			continue;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): allocate() has succeeded */
		objects->items[count].number = lowest;
		objects->items[count].cpus = &objects->cpus[used];
		used += sizes[lowest];
		sizes[lowest] = 0; /* listed */
		index[lowest] = (uint16_t)count++;
	}
	cpumask_for_each (cpu, tree->online) {
		if (set[cpu] == 0)
			continue;
		struct topology_object *object = &objects->items[index[set[cpu] - 1]];
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): allocate() has succeeded */
		objects->cpus[(size_t)(object->cpus - objects->cpus) + object->cpu_count++] =
			(uint16_t)cpu;
	}
	return 0;
}

struct tree_node {
	const struct topology_node *node;
	unsigned last, count; /* the position of its last CPU, and the number of its CPUs */
};

/* Orders a node after the nodes within it, and a node without CPUs last: for qsort(3). */
static int
compare_nodes(const void *a, const void *b)
{
	const struct tree_node *one = a, *other = b;
	if (one->last != other->last)
		return one->last < other->last ? -1 : 1;
	if (one->count != other->count)
		return one->count < other->count ? -1 : 1;
	return one->node->number < other->node->number ? -1 : 1;
}

int
tree_list_nodes(const struct tree *tree, const struct topology_node *nodes, size_t count,
	struct topology_objects *objects, struct err *e)
{
	struct tree_node *sorted = calloc(count + 1, sizeof(*sorted));
	size_t cpus = 0, used = 0;
	if (sorted == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < count; i++) {
		sorted[i].node = &nodes[i];
		cpumask_for_each (cpu, &nodes[i].cpus) {
			sorted[i].count++;
			if (tree->position[cpu] > sorted[i].last)
				sorted[i].last = tree->position[cpu];
		}
		if (sorted[i].count == 0)
			sorted[i].last = CPUMASK_CPUS;
		cpus += sorted[i].count;
	}
	qsort(sorted, count, sizeof(*sorted), compare_nodes);
	int r = allocate(objects, count, cpus, e);
	for (size_t i = 0; i < count && r == 0; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): allocate() has succeeded */
		objects->items[i] = (struct topology_object){
			.number = sorted[i].node->number,
			.near = sorted[i].node->near,
			.cpus = &objects->cpus[used],
			.cpu_count = sorted[i].count,
		};
		cpumask_for_each (cpu, &sorted[i].node->cpus)
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): allocate() has succeeded */
			objects->cpus[used++] = (uint16_t)cpu;
	}
	free(sorted);
	return r;
}
