/* SPDX-License-Identifier: MIT */
/* The lines below the picture of the map. */
#include "cli/map/remarks.h"

#include "cli/map/words.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

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

static int
compare_names(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * Returns the names of the other guests that may use the CPU of an intruded set, for the caller to
 * free; NULL without memory.
 */
static char *
name_intruders(const struct occupancy *all, const struct occupancy_set *set)
{
	const char **names = calloc(all->occupant_count + 1, sizeof(*names)), *last = "";
	char *text = NULL;
	size_t size, count = 0;
	FILE *out = names != NULL ? open_memstream(&text, &size) : NULL;
	for (size_t i = 0; i < all->occupant_count && out != NULL; i++)
		if (cpumask_subset(set->cpus, &all->occupants[i].cpus) &&
			strcmp(all->occupants[i].guest, occupancy_owner(set)) != 0)
			names[count++] = all->occupants[i].guest;
	if (count > 0)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; last = names[i++])
		if (strcmp(names[i], last) != 0)
			fprintf(out, "%s%s", i > 0 ? ", " : "", names[i]);
	if (out != NULL)
		fclose(out);
	free(names);
	return text;
}

/* Writes each of the names once, in the order of their first. */
static void
write_once(FILE *out, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t before = 0;
		while (before < i && strcmp(names[before], names[i]) != 0)
			before++;
		if (before == i)
			fprintf(out, "%s%s", i > 0 ? ", " : "", names[i]);
	}
}

/*
 * Writes the owners of the intruded sets from `first` on that are open to the same guests, adds
 * their CPUs to cpus, and marks these sets as written. intruders are the other guests by set.
 */
static void
write_owners(FILE *out, const struct occupancy *all, char **intruders, size_t first,
	struct cpumask *cpus)
{
	const char **owners = calloc(all->set_count, sizeof(*owners));
	size_t count = 0;
	for (size_t i = first; i < all->set_count && owners != NULL; i++) {
		if (intruders[i] == NULL || strcmp(intruders[i], intruders[first]) != 0)
			continue;
		owners[count++] = occupancy_owner(&all->sets[i]);
		cpumask_or(cpus, all->sets[i].cpus);
		if (i > first) {
			free(intruders[i]);
			intruders[i] = NULL;
		}
	}
	write_once(out, owners, count);
	free(owners);
}

/* Writes the CPUs that are a vCPU's own and open to others; those open to the same others share a
 * line. */
static void
remark_shared(FILE *out, const struct occupancy *all)
{
	char **intruders = calloc(all->set_count + 1, sizeof(*intruders)); /* by set */
	for (size_t i = 0; i < all->set_count && intruders != NULL; i++)
		if (all->sets[i].intruded)
			intruders[i] = name_intruders(all, &all->sets[i]);
	for (size_t i = 0; i < all->set_count && intruders != NULL; i++) {
		struct cpumask cpus = {0};
		AUTO_FREE char *owners = NULL;
		size_t size;
		FILE *names = intruders[i] != NULL ? open_memstream(&owners, &size) : NULL;
		if (names == NULL)
			continue;
		write_owners(names, all, intruders, i, &cpus);
		fclose(names);
		fputs("! ", out);
		write_cpus(out, &cpus);
		fprintf(out, ": %s own of %s, and open to %s\n",
			cpumask_count(&cpus) == 1 ? "one vCPU's" : "each one vCPU's", owners,
			intruders[i]);
		free(intruders[i]);
	}
	free(intruders);
}

/* Writes the sets that the picture only counts on one of their CPUs, and those it does not draw. */
static void
remark_sets(FILE *out, const struct map *map)
{
	for (size_t i = 0; i < map->occupancy.set_count; i++) {
		const struct occupancy_set *set = &map->occupancy.sets[i];
		bool drawn = set->confined;
		cpumask_for_each (cpu, set->cpus)
			drawn = drawn &&
				(map_own_set(map, cpu) == set || !map_is_crowded(map, cpu));
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
	remark_shared(out, &map->occupancy);
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
