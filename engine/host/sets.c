/* SPDX-License-Identifier: MIT */
/*
 * The bottom of the host wing: reads the sets of CPUs and nodes that one file of /sys holds, and
 * the two kinds of cores of a hybrid host. nodes.c and tree.c build on it, topology.c on both.
 */
#include "host/topology.h"

#include "base/file.h"
#include "host/core_kinds_private.h"

#include <errno.h>

#define CPU_DIRECTORY "sys/devices/system/cpu/"
#define NODE_DIRECTORY "sys/devices/system/node/"

/*
 * Reads a cpulist file below the root. Returns 0 with *mask, 1 if the file does not exist, or -1; e
 * holds the reason for both.
 */
static int
read_list(const struct topology *topology, const char *path, struct cpumask *mask, struct err *e)
{
	char list[CPULIST_MAX];
	if (file_read_value(topology->root, path, list, sizeof(list)) != 0) {
		int missing = errno == ENOENT;
		err_errno(e, "/%s", path);
		return missing ? 1 : -1;
	}
	if (cpumask_parse(list, mask, e) != 0)
		return err_context(e, "/%s", path);
	return 0;
}

/*
 * Reads which CPUs are P-cores and which are E-cores. An Intel hybrid has a PMU for each kind of
 * core, whose file "cpus" lists its online CPUs; other hosts are asked for capacities. Returns 0,
 * or -1 with the reason.
 */
static int
read_core_types(struct topology *topology, struct err *e)
{
	struct cpumask p = {0}, efficient = {0};
	int has_p = read_list(topology, "sys/devices/cpu_core/cpus", &p, e);
	int has_e =
		has_p < 0 ? -1 : read_list(topology, "sys/devices/cpu_atom/cpus", &efficient, e);
	if (has_e < 0)
		return -1;
	const struct cpumask *online;
	if (has_p == 1 && has_e == 1 &&
		(topology_get(topology, TOPOLOGY_ONLINE, &online, e) != 0 ||
			core_kinds_by_capacity(topology->root, online, &p, &efficient, e) != 0))
		return -1;
	topology->sets[TOPOLOGY_PCORES].mask = p;
	topology->sets[TOPOLOGY_ECORES].mask = efficient;
	topology->sets[TOPOLOGY_PCORES].known = topology->sets[TOPOLOGY_ECORES].known = true;
	return 0;
}

int
topology_get(struct topology *topology, enum topology_set set, const struct cpumask **mask,
	struct err *e)
{
	static const char *const paths[TOPOLOGY_SETS] = {
		[TOPOLOGY_ONLINE] = CPU_DIRECTORY "online",
		[TOPOLOGY_PRESENT] = CPU_DIRECTORY "present",
		[TOPOLOGY_ISOLATED] = CPU_DIRECTORY "isolated",
		[TOPOLOGY_NODES] = NODE_DIRECTORY "online",
		[TOPOLOGY_MEMORY_NODES] = NODE_DIRECTORY "has_memory",
	};
	if (!topology->sets[set].known && paths[set] == NULL) {
		if (read_core_types(topology, e) != 0)
			return -1;
	} else if (!topology->sets[set].known) {
		bool nodes = set == TOPOLOGY_NODES || set == TOPOLOGY_MEMORY_NODES;
		int r = read_list(topology, paths[set], &topology->sets[set].mask, e);
		if (r < 0 || (r > 0 && !nodes))
			return -1;
		if (r > 0) /* a kernel without NUMA has the one node 0 */
			cpumask_set_range(&topology->sets[set].mask, 0, 0);
		topology->sets[set].known = true;
	}
	*mask = &topology->sets[set].mask;
	return 0;
}
