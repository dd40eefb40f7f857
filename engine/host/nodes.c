/* SPDX-License-Identifier: MIT */
/*
 * Reads the NUMA nodes, and gives those without CPUs (CXL memory, or a GPU's) the CPUs
 * of the nodes nearest to them, as hwloc does.
 */
#include "host/nodes_private.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODES "sys/devices/system/node"

static int
out_of_memory(struct err *e)
{
	return err_set(e, "out of memory");
}

static struct topology_node *
find_node(struct topology_node *nodes, size_t count, unsigned number)
{
	for (size_t i = 0; i < count; i++)
		if (nodes[i].number == number)
			return &nodes[i];
	return NULL;
}

/*
 * Adds to node the CPUs of the nodes that reach its memory fastest
 * (Documentation/admin-guide/mm/numaperf.rst). access1 ranks CPUs only, access0 also devices.
 * Returns true if the kernel reports such nodes.
 */
static bool
near_initiators(int root, struct topology_node *nodes, size_t count, struct topology_node *node)
{
	DIR *dir = NULL;
	for (int access = 1; access >= 0 && dir == NULL; access--) {
		char path[96];
		snprintf(path, sizeof(path), NODES "/node%u/access%d/initiators", node->number,
			access);
		int fd = file_open_directory(root, path);
		dir = fd >= 0 ? fdopendir(fd) : NULL;
		if (fd >= 0 && dir == NULL)
			cleanup_close(&fd);
	}
	if (dir == NULL)
		return false;
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *s = entry->d_name + 4;
		unsigned number;
		if (strncmp(entry->d_name, "node", 4) != 0 ||
			number_parse(&s, CPUMASK_CPUS - 1, &number) != 0 || *s != '\0')
			continue;
		const struct topology_node *other = find_node(nodes, count, number);
		if (other != NULL && other != node)
			cpumask_or(&node->cpus, &other->cpus);
	}
	closedir(dir);
	return !cpumask_empty(&node->cpus);
}

/*
 * Reads the distances from node to each of count nodes, ascending by number (Documentation/ABI/
 * stable/sysfs-devices-node). Returns 0, or -1 if the kernel does not report them.
 */
static int
read_distances(int root, unsigned node, unsigned *distances, size_t count)
{
	char path[96];
	size_t size = count * 8 + 2;
	AUTO_FREE char *text = malloc(size);
	snprintf(path, sizeof(path), NODES "/node%u/distance", node);
	if (text == NULL || file_read_value(root, path, text, size) != 0)
		return -1;
	const char *s = text;
	for (size_t i = 0; i < count; i++, s += strspn(s, " "))
		if (number_parse(&s, INT_MAX, &distances[i]) != 0)
			return -1;
	return 0;
}

/*
 * Adds to the node of index self the CPUs of the nodes at the least distance, unless all others are
 * equally far. Returns 0, or -1 with the reason.
 */
static int
near_by_distance(int root, struct topology_node *nodes, size_t count, size_t self, struct err *e)
{
	size_t nearest = 0;
	unsigned least = UINT_MAX;
	unsigned *distances = calloc(count, sizeof(*distances));
	if (distances == NULL)
		return out_of_memory(e);
	if (read_distances(root, nodes[self].number, distances, count) == 0) {
		for (size_t i = 0; i < count; i++)
			if (i != self && distances[i] < least)
				least = distances[i];
		for (size_t i = 0; i < count; i++)
			nearest += i != self && distances[i] == least;
		for (size_t i = 0; i < count; i++)
			if (i != self && distances[i] == least && least > distances[self] &&
				nearest < count - 1)
				cpumask_or(&nodes[self].cpus, &nodes[i].cpus);
	}
	free(distances);
	return 0;
}

/* Finds the nearest nodes of each node without CPUs. Returns 0, or -1 with the reason. */
static int
find_nearest(int root, struct topology_node *nodes, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (!cpumask_empty(&nodes[i].cpus))
			continue;
		nodes[i].near = true;
		if (!near_initiators(root, nodes, count, &nodes[i]) &&
			near_by_distance(root, nodes, count, i, e) != 0)
			return -1;
	}
	return 0;
}

/* Reads the online CPUs of a node. Returns 0, or -1 with the reason. */
static int
read_node(int root, const struct cpumask *online, struct topology_node *node, struct err *e)
{
	char path[64], list[CPULIST_MAX];
	snprintf(path, sizeof(path), NODES "/node%u/cpulist", node->number);
	if (file_read_value(root, path, list, sizeof(list)) != 0)
		return err_errno(e, "/%s", path);
	if (cpumask_parse(list, &node->cpus, e) != 0)
		return err_context(e, "/%s", path);
	cpumask_and(&node->cpus, online);
	return 0;
}

int
topology_read_nodes(
	struct topology *topology, struct topology_node **nodes, size_t *count, struct err *e)
{
	const struct cpumask *numbers, *online;
	struct cpumask one = {0};
	cpumask_set_range(&one, 0, 0);
	if (topology_get(topology, TOPOLOGY_ONLINE, &online, e) != 0)
		return -1;
	bool numa = faccessat(topology->root, NODES, F_OK, 0) == 0;
	numbers = &one;
	if (numa && topology_get(topology, TOPOLOGY_NODES, &numbers, e) != 0)
		return -1;
	size_t n = 0;
	struct topology_node *all = calloc(cpumask_count(numbers) + 1, sizeof(*all));
	if (all == NULL)
		return out_of_memory(e);
	int r = 0;
	cpumask_for_each (i, numbers) {
		all[n].number = i;
		if (numa && r == 0)
			r = read_node(topology->root, online, &all[n], e);
		else if (!numa)
			all[n].cpus = *online;
		n++;
	}
	if (r != 0 || find_nearest(topology->root, all, n, e) != 0) {
		free(all);
		return -1;
	}
	*nodes = all;
	*count = n;
	return 0;
}

int
topology_nearest_nodes(struct topology *topology, unsigned node, const struct cpumask *among,
	struct cpumask *nearest, struct err *e)
{
	const struct cpumask *online;
	unsigned least = UINT_MAX;
	size_t i = 0, count;
	if (topology_get(topology, TOPOLOGY_NODES, &online, e) != 0)
		return -1;
	count = cpumask_count(online);
	*nearest = (struct cpumask){0};
	unsigned *distances = calloc(count + 1, sizeof(*distances));
	if (distances == NULL)
		return out_of_memory(e);
	bool known = read_distances(topology->root, node, distances, count) == 0;
	cpumask_for_each (number, online) {
		unsigned distance = known ? distances[i++] : 0;
		if (!cpumask_test(among, number) || distance > least)
			continue;
		if (distance < least)
			*nearest = (struct cpumask){0};
		least = distance;
		cpumask_set_range(nearest, number, number);
	}
	free(distances);
	return 0;
}
