/* SPDX-License-Identifier: MIT */
/* Prints the map as JSON. */
#include "cli/map/json.h"

#include "cli/json.h"

static json_object *
json_guests(const struct map *map)
{
	json_object *array = json_object_new_array();
	for (size_t i = 0; i < map->guests.count; i++) {
		json_object *object = json_object_new_object();
		json_object_object_add(object, "guest", json_text(map->guests.items[i]));
		json_object_object_add(object, "error", NULL);
		json_object_object_add(object, "nodes", json_mask(&map->nodes[i]));
		json_object_array_add(array, object);
	}
	failures_to_json(&map->failures, array);
	return array;
}

/* Returns the L3s, each with its logical index, CPUs, and size in KiB (null: unknown). */
static json_object *
json_l3s(struct map *map)
{
	json_object *array = json_object_new_array();
	const struct topology_objects *l3s = map->objects[TOPOLOGY_L3];
	for (size_t i = 0; i < l3s->count; i++) {
		json_object *object = json_object_new_object();
		struct cpumask cpus = {0};
		unsigned kib = topology_l3_size(&map->topology, &l3s->items[i]);
		for (size_t j = 0; j < l3s->items[i].cpu_count; j++)
			cpumask_set_range(&cpus, l3s->items[i].cpus[j], l3s->items[i].cpus[j]);
		json_object_object_add(object, "l3", json_object_new_uint64(i));
		json_object_object_add(object, "cpus", json_mask(&cpus));
		json_object_object_add(object, "kib", kib > 0 ? json_object_new_int64(kib) : NULL);
		json_object_array_add(array, object);
	}
	return array;
}

/* Returns "p" or "e", or null where the kernel reports no kinds of cores. */
static json_object *
json_kind(const struct map *map, unsigned cpu)
{
	if (cpumask_test(map->sets[TOPOLOGY_PCORES], cpu))
		return json_object_new_string("p");
	return cpumask_test(map->sets[TOPOLOGY_ECORES], cpu) ? json_object_new_string("e") : NULL;
}

static json_object *
json_set(const struct occupancy_set *set)
{
	json_object *object = json_object_new_object(), *groups = json_object_new_array();
	for (size_t i = 0; i < set->member_count; i++) {
		char name[THREAD_GROUP_NAME_MAX];
		json_object *one = json_object_new_object();
		thread_group_name(set->members[i].group, name);
		json_object_object_add(one, "guest", json_text(set->members[i].guest));
		json_object_object_add(one, "group", json_object_new_string(name));
		json_object_array_add(groups, one);
	}
	json_object_object_add(object, "cpus", json_mask(set->cpus));
	json_object_object_add(object, "confined", json_object_new_boolean(set->confined));
	json_object_object_add(object, "vcpus", json_object_new_uint64(set->vcpus));
	json_object_object_add(
		object, "overcommitted", json_object_new_boolean(set->overcommitted));
	json_object_object_add(object, "shared", json_object_new_boolean(set->intruded));
	json_object_object_add(object, "groups", groups);
	return object;
}

/* Returns a CPU with the logical index of each object that contains it; null where there is none.
 */
static json_object *
json_cpu(const struct map *map, unsigned cpu)
{
	static const char *const names[TOPOLOGY_KINDS] = {[TOPOLOGY_PACKAGE] = "package",
		[TOPOLOGY_NODE] = "node",
		[TOPOLOGY_L3] = "l3",
		[TOPOLOGY_CORE] = "core"};
	json_object *object = json_object_new_object();
	bool online = cpumask_test(map->sets[TOPOLOGY_ONLINE], cpu);
	json_object_object_add(object, "cpu", json_object_new_int64(cpu));
	for (enum topology_kind kind = 0; kind < TOPOLOGY_KINDS; kind++) {
		const struct topology_object *found = topology_find(map->objects[kind], cpu);
		if (names[kind] != NULL)
			json_object_object_add(object, names[kind],
				found == NULL
					? NULL
					: json_object_new_uint64(map_index(map, kind, found)));
	}
	json_object_object_add(object, "state",
		json_object_new_string(online ? map_state_name(map_state(map, cpu)) : "offline"));
	json_object_object_add(object, "kind", json_kind(map, cpu));
	const char *owner = map_exclusive(map, cpu);
	if (owner != NULL)
		json_object_object_add(object, "exclusive", json_text(owner));
	json_object_object_add(object, "isolated",
		json_object_new_boolean(cpumask_test(map->sets[TOPOLOGY_ISOLATED], cpu)));
	return object;
}

void
map_print_json(struct map *map)
{
	json_object *object = json_document(), *cpus = json_object_new_array(),
		    *sets = json_object_new_array();
	const struct cpumask *present = map->sets[TOPOLOGY_PRESENT];
	cpumask_for_each (cpu, present)
		json_object_array_add(cpus, json_cpu(map, cpu));
	for (size_t i = 0; i < map->occupancy.set_count; i++)
		json_object_array_add(sets, json_set(&map->occupancy.sets[i]));
	json_object_object_add(object, "guests", json_guests(map));
	json_object_object_add(object, "nodes", json_mask(map->sets[TOPOLOGY_NODES]));
	json_object_object_add(object, "memory_nodes", json_mask(map->sets[TOPOLOGY_MEMORY_NODES]));
	json_object_object_add(object, "l3s", json_l3s(map));
	json_object_object_add(object, "cpus", cpus);
	json_object_object_add(object, "sets", sets);
	json_print(object);
}
