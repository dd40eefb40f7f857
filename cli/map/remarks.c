/* SPDX-License-Identifier: MIT */
/* The lines below the picture of the map. */
#include "cli/map/remarks.h"

#include "cli/map/words.h"

#include <stdlib.h>

static void
write_cpus(FILE *out, const struct cpumask *cpus)
{
	fputs(cpumask_count(cpus) == 1 ? "CPU " : "CPUs ", out);
	map_write_numbers(out, cpus);
}

/* Writes the overcommitted sets; those with the same number of vCPUs and CPUs share a line. */
static void
remark_overcommitted(FILE *out, const struct occupancy *all)
{
	for (size_t i = 0; i < all->set_count; i++) {
		const struct occupancy_set *set = &all->sets[i], *other;
		struct cpumask cpus = {0};
		size_t before = 0, alike = 0;
		for (other = all->sets; other < all->sets + all->set_count; other++) {
			if (!other->overcommitted || other->vcpus != set->vcpus ||
				other->cpu_count != set->cpu_count)
				continue;
			before += other < set;
			alike++;
			cpumask_or(&cpus, other->cpus);
		}
		if (!set->overcommitted || before > 0)
			continue;
		fputs("! ", out);
		write_cpus(out, &cpus);
		fprintf(out, ": overcommitted, %zu vCPUs on ", set->vcpus);
		if (alike > 1)
			fputs(set->cpu_count == 1 ? "each\n" : "every ", out);
		if (alike == 1 || set->cpu_count > 1)
			fprintf(out, "%u CPU%s\n", set->cpu_count, set->cpu_count > 1 ? "s" : "");
	}
}

/* Writes the sets that the picture only counts on one of their CPUs, and those it does not draw. */
static void
remark_sets(FILE *out, const struct map *map)
{
	for (size_t i = 0; i < map->occupancy.set_count; i++) {
		const struct occupancy_set *set = &map->occupancy.sets[i];
		bool drawn = set->confined;
		cpumask_for_each (cpu, set->cpus)
			drawn = drawn && !map_is_crowded(map, cpu);
		if (drawn)
			continue;
		if (set->confined)
			write_cpus(out, set->cpus);
		else
			fputs("every CPU", out);
		fputs(": ", out);
		map_write_sets(out, &set, 1);
		putc('\n', out);
	}
}

/* Writes the nodes without CPUs, which hold no core and so are not drawn. */
static void
remark_nodes(FILE *out, const struct map *map)
{
	for (size_t i = 0; i < map->objects[TOPOLOGY_NODE]->count; i++) {
		const struct topology_object *node = &map->objects[TOPOLOGY_NODE]->items[i];
		struct map_level level = {.objects[TOPOLOGY_NODE] = node};
		struct cpumask near = {0};
		if (!node->near && node->cpu_count > 0)
			continue;
		map_write_level(out, map, &level);
		fputs(": without CPUs", out);
		for (size_t j = 0; j < node->cpu_count; j++)
			cpumask_set_range(&near, node->cpus[j], node->cpus[j]);
		if (!cpumask_empty(&near)) {
			fputs(", near ", out);
			write_cpus(out, &near);
		}
		putc('\n', out);
	}
}

char *
map_remarks(const struct map *map)
{
	struct cpumask offline = *map->sets[TOPOLOGY_PRESENT];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	cpumask_andnot(&offline, map->sets[TOPOLOGY_ONLINE]);
	remark_overcommitted(out, &map->occupancy);
	remark_sets(out, map);
	remark_nodes(out, map);
	if (!cpumask_empty(&offline)) {
		write_cpus(out, &offline);
		fputs(": offline\n", out);
	}
	for (size_t i = 0; i < map->missed.count; i++)
		fprintf(out, "not shown: %s\n", map->missed.items[i]);
	fclose(out);
	return text;
}
