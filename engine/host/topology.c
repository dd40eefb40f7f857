/* SPDX-License-Identifier: MIT */
/* The top of the host wing: the objects of a kind, kept from the first request on. */
#include "host/topology.h"

#include "host/tree_private.h"

#include <stdlib.h>

int
topology_objects(struct topology *topology, enum topology_kind kind,
	const struct topology_objects **objects, struct err *e)
{
	if (!topology->objects[kind].known) {
		if (topology_read_objects(topology, kind, &topology->objects[kind], e) != 0)
			return -1;
		topology->objects[kind].known = true;
	}
	*objects = &topology->objects[kind];
	return 0;
}

const struct topology_object *
topology_find(const struct topology_objects *objects, unsigned cpu)
{
	for (size_t i = 0; i < objects->count; i++) {
		const struct topology_object *object = &objects->items[i];
		for (size_t j = 0; !object->near && j < object->cpu_count; j++)
			if (object->cpus[j] == cpu)
				return object;
	}
	return NULL;
}

void
topology_add(const struct topology_objects *objects, unsigned cpu, struct cpumask *cpus)
{
	const struct topology_object *object = topology_find(objects, cpu);
	cpumask_set_range(cpus, cpu, cpu);
	for (size_t i = 0; object != NULL && i < object->cpu_count; i++)
		cpumask_set_range(cpus, object->cpus[i], object->cpus[i]);
}

void
topology_free(struct topology *topology)
{
	for (int i = 0; i < TOPOLOGY_KINDS; i++) {
		free(topology->objects[i].items);
		free(topology->objects[i].cpus);
		topology->objects[i] = (struct topology_objects){0};
	}
}
