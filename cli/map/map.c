/* SPDX-License-Identifier: MIT */
/* The host that the map shows: its cores and what holds them, and the state of each CPU. */
#include "cli/map/map.h"

#include <stdlib.h>
#include <string.h>

/* A package or L3 that has the CPUs of a node shares its level. */
static void
add_level(struct map_core *core, enum topology_kind kind, const struct topology_object *object)
{
	size_t at = 0;
	for (; at < core->level_count; at++) {
		size_t other = 0;
		for (int i = 0; i < TOPOLOGY_KINDS; i++)
			if (core->levels[at].objects[i] != NULL)
				other = core->levels[at].objects[i]->cpu_count;
		if (other == object->cpu_count) {
			core->levels[at].objects[kind] = object;
			return;
		}
		if (other < object->cpu_count)
			break;
	}
	memmove(&core->levels[at + 1], &core->levels[at],
		(core->level_count++ - at) * sizeof(core->levels[0]));
	core->levels[at] = (struct map_level){0};
	core->levels[at].objects[kind] = object;
}

static int
read_cores(struct map *map, struct err *e)
{
	static const enum topology_kind kinds[MAP_LEVELS] = {
		TOPOLOGY_PACKAGE, TOPOLOGY_NODE, TOPOLOGY_L3};
	const struct topology_objects *cpus = map->objects[TOPOLOGY_PU];
	map->cores = calloc(cpus->count + 1, sizeof(*map->cores));
	if (map->cores == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < cpus->count; i++) {
		const struct topology_object *cpu = &cpus->items[i], *object;
		struct map_core *core = &map->cores[map->core_count];
		core->object = topology_find(map->objects[TOPOLOGY_CORE], cpu->number);
		if (core->object != NULL && core->object->cpus[0] != cpu->number)
			continue;
		core->cpus = core->object != NULL ? core->object->cpus : cpu->cpus;
		core->cpu_count = core->object != NULL ? core->object->cpu_count : 1;
		for (size_t k = 0; k < MAP_LEVELS; k++)
			if ((object = topology_find(map->objects[kinds[k]], cpu->number)) != NULL)
				add_level(core, kinds[k], object);
		map->core_count++;
	}
	return 0;
}

static int
read_l3_sizes(struct map *map, struct err *e)
{
	const struct topology_objects *l3s = map->objects[TOPOLOGY_L3];
	bool differ = false;
	map->l3_kib = calloc(l3s->count + 1, sizeof(*map->l3_kib));
	if (map->l3_kib == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < l3s->count; i++) {
		map->l3_kib[i] = topology_l3_size(&map->topology, &l3s->items[i]);
		differ = differ || map->l3_kib[i] != map->l3_kib[0];
	}
	if (differ)
		return 0;
	free(map->l3_kib);
	map->l3_kib = NULL;
	return 0;
}

int
map_read_host(struct map *map, struct err *e)
{
	for (enum topology_set set = 0; set < TOPOLOGY_SETS; set++)
		if (topology_get(&map->topology, set, &map->sets[set], e) != 0)
			return -1;
	for (enum topology_kind kind = 0; kind < TOPOLOGY_KINDS; kind++)
		if (topology_objects(&map->topology, kind, &map->objects[kind], e) != 0)
			return -1;
	return read_l3_sizes(map, e) == 0 ? read_cores(map, e) : -1;
}

bool
map_level_begins(const struct map *map, size_t core, size_t level)
{
	const struct map_core *one = &map->cores[core];
	return core == 0 || level >= one[-1].level_count ||
	       memcmp(&one[-1].levels[level], &one->levels[level], sizeof(one->levels[level])) != 0;
}

bool
map_level_ends(const struct map *map, size_t core, size_t level)
{
	return core + 1 == map->core_count || level >= map->cores[core + 1].level_count ||
	       map_level_begins(map, core + 1, level);
}

size_t
map_index(const struct map *map, enum topology_kind kind, const struct topology_object *object)
{
	return (size_t)(object - map->objects[kind]->items);
}

const struct occupancy_set *
map_set(const struct map *map, unsigned cpu, size_t place)
{
	for (size_t i = 0; i < map->occupancy.set_count; i++) {
		const struct occupancy_set *set = &map->occupancy.sets[i];
		if (set->confined && cpumask_test(set->cpus, cpu) && place-- == 0)
			return set;
	}
	return NULL;
}

const struct occupancy_set *
map_own_set(const struct map *map, unsigned cpu)
{
	const struct occupancy_set *first = map_set(map, cpu, 0);
	return first != NULL && first->cpu_count == 1 && occupancy_owner(first) != NULL ? first
											: NULL;
}

const char *
map_exclusive(const struct map *map, unsigned cpu)
{
	for (size_t i = 0; i < map->exclusive_count; i++)
		if (cpumask_test(&map->exclusive[i].cpus, cpu))
			return map->exclusive[i].guest;
	return NULL;
}

enum map_state
map_state(const struct map *map, unsigned cpu)
{
	const struct occupancy *all = &map->occupancy;
	if (occupancy_overcommitted(all, cpu))
		return MAP_OVERCOMMITTED;
	if (occupancy_intruded(all, cpu))
		return MAP_SHARED;
	if (map_set(map, cpu, 0) != NULL)
		return MAP_TAKEN;
	if (map_exclusive(map, cpu) != NULL)
		return MAP_IDLE;
	return all->set_count > 0 && !all->sets[all->set_count - 1].confined ? MAP_FREE : MAP_IDLE;
}

const char *
map_state_name(enum map_state state)
{
	static const char *const names[] = {[MAP_IDLE] = "idle",
		[MAP_FREE] = "free",
		[MAP_TAKEN] = "taken",
		[MAP_SHARED] = "shared",
		[MAP_OVERCOMMITTED] = "overcommitted"};
	return names[state];
}

static void
free_texts(struct map_texts *texts)
{
	while (texts->count > 0)
		free(texts->items[--texts->count]);
	free(texts->items);
}

void
map_free(struct map *map)
{
	occupancy_free(&map->occupancy);
	free_texts(&map->guests);
	free_texts(&map->missed);
	failures_free(&map->failures);
	free(map->nodes);
	free(map->exclusive);
	free(map->cores);
	free(map->l3_kib);
	topology_free(&map->topology);
}
