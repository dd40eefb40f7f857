/* SPDX-License-Identifier: MIT */
#include "desired/compact_private.h"

#include <stdlib.h>

struct compact {
	const struct cpumask *cpus, *taken;
	size_t vcpus;
	unsigned threads;
	bool by_cores; /* count guest cores on free host cores; false: vCPUs on CPUs */
	const struct topology_objects *cores;
};

/* Returns the CPUs of cpus that an object has. */
static struct cpumask
cpus_of(const struct compact *compact, const struct topology_object *object)
{
	struct cpumask cpus = {0};
	for (size_t i = 0; i < object->cpu_count; i++)
		if (cpumask_test(compact->cpus, object->cpus[i]))
			cpumask_set_range(&cpus, object->cpus[i], object->cpus[i]);
	return cpus;
}

/* Returns for how many guest cores, or vCPUs, there is room on cpus. */
static size_t
room_on(const struct compact *compact, const struct cpumask *cpus)
{
	size_t room = 0;
	if (!compact->by_cores)
		return cpumask_count(cpus);
	for (size_t i = 0; i < compact->cores->count; i++) {
		const struct topology_object *core = &compact->cores->items[i];
		size_t free = 0;
		bool whole = true;
		for (size_t j = 0; j < core->cpu_count; j++) {
			free += cpumask_test(cpus, core->cpus[j]);
			whole = whole && !cpumask_test(compact->taken, core->cpus[j]);
		}
		if (whole && free >= compact->threads)
			room += compact->threads > 1 ? free / compact->threads : 1;
	}
	return room;
}

static size_t
needed(const struct compact *compact)
{
	return compact->by_cores ? (compact->vcpus + compact->threads - 1) / compact->threads
				 : compact->vcpus;
}

/* True if the guest has CPUs of an object already. */
static bool
is_own(const struct compact *compact, const struct topology_object *object)
{
	for (size_t i = 0; i < object->cpu_count; i++)
		if (cpumask_test(compact->taken, object->cpus[i]))
			return true;
	return false;
}

/*
 * Finds the object with the least room that is enough, of those that the guest is on if one of them
 * has enough. Returns false if no object has enough.
 */
static bool
find_tightest(const struct compact *compact, const struct topology_objects *objects,
	struct cpumask *found)
{
	size_t least = SIZE_MAX;
	bool own = false;
	for (size_t i = 0; i < objects->count; i++) {
		const struct topology_object *object = &objects->items[i];
		const struct cpumask cpus = cpus_of(compact, object);
		size_t room = object->near ? 0 : room_on(compact, &cpus);
		bool near = is_own(compact, object);
		if (room < needed(compact) || near < own || (near == own && room >= least))
			continue;
		least = room;
		own = near;
		*found = cpus;
	}
	return least != SIZE_MAX;
}

/* Collects nodes, those with the most room first, until they are enough. */
static bool
collect_nodes(
	const struct compact *compact, const struct topology_objects *nodes, struct cpumask *found)
{
	*found = (struct cpumask){0};
	for (size_t room = 0; room < needed(compact);) {
		struct cpumask best = {0};
		size_t most = 0;
		for (size_t i = 0; i < nodes->count; i++) {
			struct cpumask cpus = cpus_of(compact, &nodes->items[i]);
			size_t more = nodes->items[i].near || cpumask_subset(&cpus, found)
					      ? 0
					      : room_on(compact, &cpus);
			if (more <= most)
				continue;
			most = more;
			best = cpus;
		}
		if (most == 0)
			return false;
		room += most;
		cpumask_or(found, &best);
	}
	return true;
}

int
compact_choose(struct cpumask *cpus, const struct cpumask *taken, size_t vcpus, unsigned threads,
	struct topology *topology, struct err *e)
{
	const struct cpumask all = *cpus;
	struct compact compact = {.cpus = &all, .taken = taken, .vcpus = vcpus, .threads = threads};
	const struct topology_objects *l3, *nodes;
	if (topology_objects(topology, TOPOLOGY_CORE, &compact.cores, e) != 0 ||
		topology_objects(topology, TOPOLOGY_L3, &l3, e) != 0 ||
		topology_objects(topology, TOPOLOGY_NODE, &nodes, e) != 0)
		return -1;
	/* A core for each guest core first; where they are too few, second threads count as well.
	 */
	compact.by_cores = true;
	compact.by_cores = room_on(&compact, &all) >= needed(&compact);
	struct cpumask found;
	if (find_tightest(&compact, l3, &found) || find_tightest(&compact, nodes, &found) ||
		collect_nodes(&compact, nodes, &found))
		*cpus = found;
	return 0;
}
