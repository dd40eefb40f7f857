/* SPDX-License-Identifier: MIT */
/* Reads the sets of CPUs that packages, caches, cores and nodes are: for one CPU of each set. */
#include "host/tree_private.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "host/nodes_private.h"
#include "host/tree_order_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CPU_DIRECTORY "sys/devices/system/cpu"

/* Caches index0, index1, ... read of a CPU; hwloc has the same limit. */
#define CACHES_MAX 10u

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

struct reading {
	struct tree tree;
	int cpu;	     /* directory fd of /sys/devices/system/cpu */
	bool absent[LEVELS]; /* this kernel has no such file */
};

/* Adds the online ones of cpus as a set of a level, except CPUs that are in one already. */
static void
add_set(struct reading *in, enum level level, const struct cpumask *cpus)
{
	unsigned lowest = CPUMASK_CPUS;
	cpumask_for_each (cpu, cpus) {
		if (!cpumask_test(in->tree.online, cpu) || in->tree.set[level][cpu] != 0)
			continue;
		if (lowest == CPUMASK_CPUS)
			lowest = cpu;
		in->tree.set[level][cpu] = (uint16_t)(lowest + 1);
	}
}

/*
 * Adds the cpulist of a file below in->cpu as a set of a level. Returns 0, 1 if the file does not
 * exist, or -1; e holds the reason for both.
 */
static int
read_set(struct reading *in, enum level level, const char *path, struct err *e)
{
	char list[CPULIST_MAX];
	struct cpumask cpus;
	if (file_read_value(in->cpu, path, list, sizeof(list)) != 0) {
		int missing = errno == ENOENT;
		err_errno(e, "/" CPU_DIRECTORY "/%s", path);
		return missing ? 1 : -1;
	}
	if (cpumask_parse(list, &cpus, e) != 0)
		return err_context(e, "/" CPU_DIRECTORY "/%s", path);
	add_set(in, level, &cpus);
	return 0;
}

/* Adds the set of a level that a CPU's topology file names. Returns 0, or -1 with the reason. */
static int
read_siblings(struct reading *in, unsigned cpu, enum level level, struct err *e)
{
	char path[64];
	snprintf(path, sizeof(path), "cpu%u/topology/%s", cpu, files[level].name);
	int r = read_set(in, level, path, e);
	if (r == 1 && files[level].old_name != NULL) {
		snprintf(path, sizeof(path), "cpu%u/topology/%s", cpu, files[level].old_name);
		r = read_set(in, level, path, e);
	}
	in->absent[level] = r == 1;
	return r < 0 ? -1 : 0;
}

/* Adds the sets of CPUs that share each cache of a CPU. Returns 0, or -1 with the reason. */
static int
read_caches(struct reading *in, unsigned cpu, struct err *e)
{
	for (unsigned i = 0; i < CACHES_MAX; i++) {
		char path[64], text[16];
		const char *s = text;
		unsigned cache;
		snprintf(path, sizeof(path), "cpu%u/cache/index%u/level", cpu, i);
		if (file_read_value(in->cpu, path, text, sizeof(text)) != 0) {
			if (errno == ENOENT)
				return 0;
			return err_errno(e, "/" CPU_DIRECTORY "/%s", path);
		}
		if (number_parse(&s, 4, &cache) != 0 || cache < 2)
			continue;
		enum level level = LEVEL_L2 + (cache - 2);
		snprintf(path, sizeof(path), "cpu%u/cache/index%u/shared_cpu_list", cpu, i);
		if (in->tree.set[level][cpu] == 0 && read_set(in, level, path, e) < 0)
			return -1;
	}
	return 0;
}

/* Adds every set that holds a CPU. Returns 0, or -1 with the reason. */
static int
read_cpu(struct reading *in, unsigned cpu, struct err *e)
{
	for (enum level level = LEVEL_DRAWER; level <= LEVEL_CORE; level++)
		if (in->tree.set[level][cpu] == 0 && !in->absent[level] &&
			read_siblings(in, cpu, level, e) != 0)
			return -1;
	return read_caches(in, cpu, e);
}

/* Adds every set around one CPU of each set of a level. */
static int
read_level(struct reading *in, enum level level, struct err *e)
{
	cpumask_for_each (cpu, in->tree.online)
		if (in->tree.set[level][cpu] == 0 && in->tree.set[LEVEL_CORE][cpu] == 0 &&
			read_cpu(in, cpu, e) != 0)
			return -1;
	return 0;
}

/* Adds the sets around one CPU of each node, if several nodes need an order. */
static int
read_around_nodes(
	struct reading *in, const struct topology_node *nodes, size_t count, struct err *e)
{
	size_t own = 0;
	for (size_t i = 0; i < count; i++)
		own += !nodes[i].near;
	for (size_t i = 0; i < count && own > 1; i++)
		if (!nodes[i].near && read_cpu(in, cpumask_next(&nodes[i].cpus, 0), e) != 0)
			return -1;
	return 0;
}

/* Reads the sets that decide the order of a kind, and lists its objects. */
static int
read_tree(struct reading *in, enum topology_kind kind, const struct topology_node *nodes,
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
			add_set(in, LEVEL_NODE, &nodes[i].cpus);
	int r = kind == TOPOLOGY_NODE ? read_around_nodes(in, nodes, count, e)
				      : read_level(in, levels[kind], e);
	if (r != 0 || tree_make_order(&in->tree, e) != 0)
		return -1;
	return kind == TOPOLOGY_NODE ? tree_list_nodes(&in->tree, nodes, count, objects, e)
				     : tree_list_sets(&in->tree, levels[kind], objects, e);
}

int
topology_read_objects(struct topology *topology, enum topology_kind kind,
	struct topology_objects *objects, struct err *e)
{
	struct topology_node *nodes;
	size_t count;
	struct reading *in = calloc(1, sizeof(*in));
	if (in == NULL)
		return err_set(e, "out of memory");
	int r = topology_get(topology, TOPOLOGY_ONLINE, &in->tree.online, e);
	if (r == 0)
		r = topology_read_nodes(topology, &nodes, &count, e);
	if (r == 0) {
		in->cpu = file_open_directory(topology->root, CPU_DIRECTORY);
		r = in->cpu < 0 ? err_errno(e, "/" CPU_DIRECTORY)
				: read_tree(in, kind, nodes, count, objects, e);
		cleanup_close(&in->cpu);
		free(nodes);
	}
	free(in);
	return r;
}
