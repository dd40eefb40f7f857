/* SPDX-License-Identifier: MIT */
/* Neighbouring cores that are drawn as one row. */
#include "cli/map/rows.h"

#include <string.h>

/* On a host with more cores than this, which with some titles fill a screen, rows are formed. */
#define CORES_DRAWN_SINGLY 16

/* True if b has the same guests and kinds as a, every group id higher by shift, which is not 0. */
static bool
continues_members(const struct occupancy_set *a, const struct occupancy_set *b, unsigned shift)
{
	for (size_t i = 0; i < a->member_count && a->member_count == b->member_count; i++) {
		const struct occupant *one = &a->members[i], *next = &b->members[i];
		if (strcmp(one->guest, next->guest) != 0 || one->group.kind != next->group.kind ||
			next->group.id - one->group.id != shift)
			return false;
	}
	return a->member_count == b->member_count && shift > 0;
}

/* True if a lies within core_a and b within core_b, each on the same hardware threads of its core.
 */
static bool
has_same_place(const struct map_core *core_a, const struct occupancy_set *a,
	const struct map_core *core_b, const struct occupancy_set *b)
{
	unsigned inside = 0;
	for (size_t i = 0; i < core_a->cpu_count; i++) {
		if (cpumask_test(a->cpus, core_a->cpus[i]) !=
			cpumask_test(b->cpus, core_b->cpus[i]))
			return false;
		inside += cpumask_test(a->cpus, core_a->cpus[i]);
	}
	return inside == a->cpu_count && inside == b->cpu_count;
}

/* Returns by how much the ids of the next core's groups are higher; 0 if they are not. */
static unsigned
find_shift(const struct map *map, size_t core, size_t thread)
{
	const struct occupancy_set *one, *next;
	for (size_t place = 0;
		(one = map_set(map, map->cores[core].cpus[thread], place)) != NULL &&
		(next = map_set(map, map->cores[core + 1].cpus[thread], place)) != NULL;
		place++)
		if (one != next && next->members[0].group.id > one->members[0].group.id)
			return next->members[0].group.id - one->members[0].group.id;
	return 0;
}

/* True if a hardware thread of the next core has the same groups as that of `core`, or the ones
 * that follow them. */
static bool
continues_thread(const struct map *map, size_t core, size_t thread, unsigned shift)
{
	const struct map_core *a = &map->cores[core], *b = a + 1;
	unsigned cpu = a->cpus[thread], next_cpu = b->cpus[thread];
	if (map_state(map, cpu) != map_state(map, next_cpu) ||
		map_exclusive(map, cpu) != map_exclusive(map, next_cpu))
		return false;
	for (enum topology_set set = 0; set < TOPOLOGY_SETS; set++)
		if (set != TOPOLOGY_NODES && set != TOPOLOGY_MEMORY_NODES &&
			cpumask_test(map->sets[set], cpu) != cpumask_test(map->sets[set], next_cpu))
			return false;
	for (size_t place = 0;; place++) {
		const struct occupancy_set *one = map_set(map, cpu, place);
		const struct occupancy_set *next = map_set(map, next_cpu, place);
		if (one == NULL || next == NULL)
			return one == next;
		if (one != next &&
			!(has_same_place(a, one, b, next) && continues_members(one, next, shift)))
			return false;
	}
}

/* True if the core after `last` belongs to the row that begins with `first`. */
static bool
continues_row(const struct map *map, size_t first, size_t last)
{
	const struct map_core *a = &map->cores[last], *b = a + 1, *start = &map->cores[first];
	if (last + 1 == map->core_count || a->cpu_count != b->cpu_count ||
		(a->object == NULL) != (b->object == NULL) || a->level_count != b->level_count)
		return false;
	if (a->level_count > 0 && map_level_begins(map, last + 1, a->level_count - 1))
		return false;
	for (size_t t = 0; t < a->cpu_count; t++)
		if (b->cpus[t] - a->cpus[t] != start[1].cpus[t] - start->cpus[t] ||
			!continues_thread(map, last, t, find_shift(map, first, t)))
			return false;
	return true;
}

size_t
map_row_length(const struct map *map, size_t first)
{
	size_t last = first;
	while (map->core_count > CORES_DRAWN_SINGLY && continues_row(map, first, last))
		last++;
	return last - first + 1;
}
