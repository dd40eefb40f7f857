/* SPDX-License-Identifier: MIT */
/*
 * Puts the CPUs into the order of the tree of packages, caches, cores and nodes. Each level has
 * sets of CPUs that do not overlap. Which level contains which differs from host to host: a package
 * may hold several nodes, and a node several packages. So the levels have no fixed order; the sets
 * of all levels together are ordered by size. Files are read for one CPU of each set.
 */
#include "host/tree_private.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "host/nodes_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPU_DIRECTORY "sys/devices/system/cpu"

/* Caches index0, index1, ... read of a CPU; hwloc has the same limit. */
#define CACHES_MAX 10u

enum level {
	LEVEL_DRAWER,
	LEVEL_BOOK,
	LEVEL_PACKAGE,
	LEVEL_DIE,
	LEVEL_CLUSTER,
	LEVEL_CORE,
	LEVEL_L2,
	LEVEL_L3,
	LEVEL_L4,
	LEVEL_NODE,
	LEVEL_PU,
	LEVELS
};

/* Files of cpuN/topology; kernels before 5.3 have the old name only. */
static const struct {
	const char *name, *old_name;
} files[] = {
	[LEVEL_DRAWER] = {"drawer_siblings_list", NULL},
	[LEVEL_BOOK] = {"book_siblings_list", NULL},
	[LEVEL_PACKAGE] = {"package_cpus_list", "core_siblings_list"},
	[LEVEL_DIE] = {"die_cpus_list", NULL},
	[LEVEL_CLUSTER] = {"cluster_cpus_list", NULL},
	[LEVEL_CORE] = {"core_cpus_list", "thread_siblings_list"},
};

struct tree {
	const struct cpumask *online;
	int cpu;	     /* directory fd of /sys/devices/system/cpu */
	bool absent[LEVELS]; /* this kernel has no such file */
	/* For each CPU, 1 + the lowest CPU in the same set, or 0 if no set is known to hold it. */
	uint16_t set[LEVELS][CPUMASK_CPUS];
	uint16_t order[CPUMASK_CPUS];	 /* the online CPUs, depth first */
	uint16_t position[CPUMASK_CPUS]; /* the index of each CPU in order */
	unsigned count;			 /* CPUs in order */
};

/* Adds the online ones of cpus as a set of a level, except CPUs that are in one already. */
static void
add_set(struct tree *tree, enum level level, const struct cpumask *cpus)
{
	unsigned lowest = CPUMASK_CPUS;
	cpumask_for_each (cpu, cpus) {
		if (!cpumask_test(tree->online, cpu) || tree->set[level][cpu] != 0)
			continue;
		if (lowest == CPUMASK_CPUS)
			lowest = cpu;
		tree->set[level][cpu] = (uint16_t)(lowest + 1);
	}
}

/*
 * Adds the cpulist of a file below tree->cpu as a set of a level. Returns 0, 1 if the file does not
 * exist, or -1; e holds the reason for both.
 */
static int
read_set(struct tree *tree, enum level level, const char *path, struct err *e)
{
	char list[CPULIST_MAX];
	struct cpumask cpus;
	if (file_read_value(tree->cpu, path, list, sizeof(list)) != 0) {
		int missing = errno == ENOENT;
		err_errno(e, "/" CPU_DIRECTORY "/%s", path);
		return missing ? 1 : -1;
	}
	if (cpumask_parse(list, &cpus, e) != 0)
		return err_context(e, "/" CPU_DIRECTORY "/%s", path);
	add_set(tree, level, &cpus);
	return 0;
}

/* Adds the set of a level that a CPU's topology file names. Returns 0, or -1 with the reason. */
static int
read_siblings(struct tree *tree, unsigned cpu, enum level level, struct err *e)
{
	char path[64];
	snprintf(path, sizeof(path), "cpu%u/topology/%s", cpu, files[level].name);
	int r = read_set(tree, level, path, e);
	if (r == 1 && files[level].old_name != NULL) {
		snprintf(path, sizeof(path), "cpu%u/topology/%s", cpu, files[level].old_name);
		r = read_set(tree, level, path, e);
	}
	tree->absent[level] = r == 1;
	return r < 0 ? -1 : 0;
}

/* Adds the sets of CPUs that share each cache of a CPU. Returns 0, or -1 with the reason. */
static int
read_caches(struct tree *tree, unsigned cpu, struct err *e)
{
	for (unsigned i = 0; i < CACHES_MAX; i++) {
		char path[64], text[16];
		const char *s = text;
		unsigned cache;
		snprintf(path, sizeof(path), "cpu%u/cache/index%u/level", cpu, i);
		if (file_read_value(tree->cpu, path, text, sizeof(text)) != 0) {
			if (errno == ENOENT)
				return 0;
			return err_errno(e, "/" CPU_DIRECTORY "/%s", path);
		}
		if (number_parse(&s, 4, &cache) != 0 || cache < 2)
			continue;
		enum level level = LEVEL_L2 + (cache - 2);
		snprintf(path, sizeof(path), "cpu%u/cache/index%u/shared_cpu_list", cpu, i);
		if (tree->set[level][cpu] == 0 && read_set(tree, level, path, e) < 0)
			return -1;
	}
	return 0;
}

/* Adds every set that holds a CPU. Returns 0, or -1 with the reason. */
static int
read_cpu(struct tree *tree, unsigned cpu, struct err *e)
{
	for (enum level level = LEVEL_DRAWER; level <= LEVEL_CORE; level++)
		if (tree->set[level][cpu] == 0 && !tree->absent[level] &&
			read_siblings(tree, cpu, level, e) != 0)
			return -1;
	return read_caches(tree, cpu, e);
}

/* Adds every set around one CPU of each set of a level. */
static int
read_level(struct tree *tree, enum level level, struct err *e)
{
	cpumask_for_each (cpu, tree->online)
		if (tree->set[level][cpu] == 0 && tree->set[LEVEL_CORE][cpu] == 0 &&
			read_cpu(tree, cpu, e) != 0)
			return -1;
	return 0;
}

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

/*
 * Orders the CPUs depth first: starts from ascending order and gathers the CPUs of each set, the
 * largest sets first. Sets that overlap in part, which no kernel reports, give an arbitrary order.
 * Returns 0, or -1 with the reason.
 */
static int
make_order(struct tree *tree, struct err *e)
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

/* Lists the sets of a level, in the order of their first CPUs. */
static int
list_sets(
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

/* Lists the nodes, by compare_nodes(). Returns 0, or -1 with the reason. */
static int
list_nodes(const struct tree *tree, const struct topology_node *nodes, size_t count,
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

/* Adds the sets around one CPU of each node, if several nodes need an order. */
static int
read_around_nodes(struct tree *tree, const struct topology_node *nodes, size_t count, struct err *e)
{
	size_t own = 0;
	for (size_t i = 0; i < count; i++)
		own += !nodes[i].near;
	for (size_t i = 0; i < count && own > 1; i++)
		if (!nodes[i].near && read_cpu(tree, cpumask_next(&nodes[i].cpus, 0), e) != 0)
			return -1;
	return 0;
}

/* Reads the sets that decide the order of a kind, and lists its objects. */
static int
read_tree(struct tree *tree, enum topology_kind kind, const struct topology_node *nodes,
	size_t count, struct topology_objects *objects, struct err *e)
{
	static const enum level levels[TOPOLOGY_KINDS] = {
		[TOPOLOGY_NODE] = LEVEL_NODE,
		[TOPOLOGY_PACKAGE] = LEVEL_PACKAGE,
		[TOPOLOGY_L3] = LEVEL_L3,
		[TOPOLOGY_CORE] = LEVEL_CORE,
		[TOPOLOGY_PU] = LEVEL_PU,
	};
	for (size_t i = 0; i < count; i++)
		if (!nodes[i].near)
			add_set(tree, LEVEL_NODE, &nodes[i].cpus);
	int r = kind == TOPOLOGY_NODE ? read_around_nodes(tree, nodes, count, e)
				      : read_level(tree, levels[kind], e);
	if (r != 0 || make_order(tree, e) != 0)
		return -1;
	return kind == TOPOLOGY_NODE ? list_nodes(tree, nodes, count, objects, e)
				     : list_sets(tree, levels[kind], objects, e);
}

int
topology_read_objects(struct topology *topology, enum topology_kind kind,
	struct topology_objects *objects, struct err *e)
{
	struct topology_node *nodes;
	size_t count;
	struct tree *tree = calloc(1, sizeof(*tree));
	if (tree == NULL)
		return err_set(e, "out of memory");
	int r = topology_get(topology, TOPOLOGY_ONLINE, &tree->online, e);
	if (r == 0)
		r = topology_read_nodes(topology, &nodes, &count, e);
	if (r == 0) {
		tree->cpu = file_open_directory(topology->root, CPU_DIRECTORY);
		r = tree->cpu < 0 ? err_errno(e, "/" CPU_DIRECTORY)
				  : read_tree(tree, kind, nodes, count, objects, e);
		cleanup_close(&tree->cpu);
		free(nodes);
	}
	free(tree);
	return r;
}
