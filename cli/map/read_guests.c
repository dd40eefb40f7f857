/* SPDX-License-Identifier: MIT */
/* Reads the running guests into the map, and where the kernel lets their threads run. */
#include "cli/map/read_guests.h"

#include "base/array.h"
#include "base/escape.h"
#include "cgroup/cgroup.h"
#include "cgroup/group_state.h"
#include "cgroup/qemu_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Adds each group of a guest with the CPUs on which the kernel lets its threads run, its memory
 * nodes to nodes, and the CPUs that it has to itself to exclusive.
 */
static int
add_groups(struct map *map, int root, const char *name, const struct cgroup *cgroup,
	struct cpumask *nodes, struct cpumask *exclusive, struct err *e)
{
	for (size_t i = 0; i < cgroup->group_count; i++) {
		struct thread_group group = cgroup->groups[i].group;
		struct group_state actual;
		struct cpumask cpus = {0};
		int r = group_state_read(root, cgroup, group, &actual, e);
		if (r == GROUP_STATE_GONE)
			continue;
		if (r != 0)
			return -1;
		if (actual.thread_count == 0)
			cpus = actual.granted;
		for (size_t j = 0; j < actual.thread_count; j++)
			cpumask_or(&cpus, &actual.threads[j].cpus);
		cpumask_or(nodes, &actual.nodes);
		if (actual.partition.in_force)
			cpumask_or(exclusive, &actual.partition.granted);
		group_state_free(&actual);
		if (occupancy_add(&map->occupancy, name, group, &cpus, e) != 0)
			return -1;
	}
	return 0;
}

char *
map_safe_text(const char *text, bool svg)
{
	size_t size = 4 * strlen(text) + 4, used = 0;
	char *plain = malloc(size), *safe = calloc(size, 4);
	if (plain != NULL && safe != NULL)
		for (const char *s = escape_unprintable(plain, size, text); *s != '\0'; s++)
			used += (size_t)snprintf(safe + used, 4 * size - used,
				svg && strchr("&<>\"", *s) != NULL ? "\\x%02x" : "%c",
				(unsigned char)*s);
	free(plain);
	return safe;
}

/* Adds a safe copy of text. Returns that copy, or NULL if there is no memory. */
static const char *
add_text(struct map_texts *texts, const char *text, bool svg)
{
	char **larger = array_grow(texts->items, texts->count, sizeof(*larger));
	if (larger != NULL)
		texts->items = larger;
	char *safe = larger != NULL ? map_safe_text(text, svg) : NULL;
	if (safe != NULL)
		texts->items[texts->count++] = safe;
	return safe;
}

/* Adds the CPUs that a guest has to itself. Returns 0, or -1 if there is no memory. */
static int
add_exclusive(struct map *map, const char *guest, const struct cpumask *cpus)
{
	if (cpumask_empty(cpus))
		return 0;
	struct map_exclusive *larger =
		array_grow(map->exclusive, map->exclusive_count, sizeof(*larger));
	if (larger == NULL)
		return -1;
	map->exclusive = larger;
	larger[map->exclusive_count++] = (struct map_exclusive){.guest = guest, .cpus = *cpus};
	return 0;
}

/* Adds a guest. One that cannot be read is noted and does not keep the others from being shown. */
static int
add_guest(struct map *map, const struct options *options, const char *name, struct err *e)
{
	struct cgroup cgroup;
	struct err why;
	struct cpumask exclusive = {0};
	size_t before = map->occupancy.occupant_count;
	int r = cgroup_open(map->topology.root, name, &cgroup, &why);
	if (r == CGROUP_NOT_RUNNING)
		return 0;
	struct cpumask *nodes = array_grow(map->nodes, map->guests.count, sizeof(*nodes));
	const char *copy = NULL;
	if (nodes != NULL) {
		map->nodes = nodes;
		nodes[map->guests.count] = (struct cpumask){0};
		copy = add_text(&map->guests, name, options->svg != NULL);
	}
	if (r == 0) {
		if (copy != NULL)
			r = add_groups(map, map->topology.root, copy, &cgroup,
				&nodes[map->guests.count - 1], &exclusive, &why);
		cgroup_free(&cgroup);
	}
	if (copy != NULL && r != 0) {
		free(map->guests.items[--map->guests.count]);
		map->occupancy.occupant_count = before;
		if (qemu_process_has_ended(map->topology.root, name))
			return 0;
		failures_add(&map->failures, name, why.text);
		err_context(&why, "%s", name);
		copy = add_text(&map->missed, why.text, options->svg != NULL);
	} else if (copy != NULL && add_exclusive(map, copy, &exclusive) != 0)
		copy = NULL;
	return copy != NULL ? 0 : err_set(e, "out of memory");
}

int
map_read_guests(struct map *map, const struct options *options, struct err *e)
{
	struct running_guests guests;
	int r = running_guests(map->topology.root, &guests, e);
	for (size_t i = 0; r == 0 && i < guests.count; i++)
		r = add_guest(map, options, guests.names[i], e);
	running_guests_free(&guests);
	return r;
}
