/* SPDX-License-Identifier: MIT */
#include "cli/map/map.h"

#include "base/escape.h"
#include "cgroup/cgroup.h"
#include "cgroup/group_state.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* libvirt's status files of running guests: NAME.xml. So no daemon is needed. */
#define STATUS_DIRECTORY "run/libvirt/qemu"

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
read_host(struct map *map, struct err *e)
{
	for (enum topology_set set = 0; set < TOPOLOGY_SETS; set++)
		if (topology_get(&map->topology, set, &map->sets[set], e) != 0)
			return -1;
	for (enum topology_kind kind = 0; kind < TOPOLOGY_KINDS; kind++)
		if (topology_objects(&map->topology, kind, &map->objects[kind], e) != 0)
			return -1;
	return read_cores(map, e);
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

/* Adds where each group of threads may run: in truth, as the kernel has it for the threads. */
static int
add_groups(struct map *map, int root, const char *name, const struct cgroup *cgroup, struct err *e)
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
		group_state_free(&actual);
		if (occupancy_add(&map->occupancy, name, group, &cpus, e) != 0)
			return -1;
	}
	return 0;
}

/* lstopo (hwloc 2.9) puts names into an SVG as they are: there these would be markup. */
static char *
safe_text(const char *text, bool svg)
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

/* Returns the text as it is kept, or NULL if there is no memory. */
static const char *
add_text(struct map_texts *texts, const char *text, bool svg)
{
	char **larger = reallocarray(texts->items, texts->count + 1, sizeof(*larger));
	if (larger != NULL)
		texts->items = larger;
	char *safe = larger != NULL ? safe_text(text, svg) : NULL;
	if (safe != NULL)
		texts->items[texts->count++] = safe;
	return safe;
}

static void
free_texts(struct map_texts *texts)
{
	while (texts->count > 0)
		free(texts->items[--texts->count]);
	free(texts->items);
}

/* One that cannot be looked at does not keep the others from being shown. */
static int
add_guest(struct map *map, const struct options *options, const char *name, struct err *e)
{
	struct cgroup cgroup;
	struct err why;
	size_t before = map->occupancy.occupant_count;
	int r = cgroup_open(options->root, name, &cgroup, &why);
	if (r == CGROUP_NOT_RUNNING)
		return 0;
	const char *copy = add_text(&map->guests, name, options->svg != NULL);
	if (r == 0) {
		if (copy != NULL)
			r = add_groups(map, options->root, copy, &cgroup, &why);
		cgroup_free(&cgroup);
	}
	if (copy != NULL && r != 0) {
		free(map->guests.items[--map->guests.count]);
		map->occupancy.occupant_count = before;
		if (qemu_process_has_ended(options->root, name))
			return 0;
		err_context(&why, "%s", name);
		complain("%s", why.text);
		copy = add_text(&map->missed, why.text, options->svg != NULL);
	}
	return copy != NULL ? 0 : err_set(e, "out of memory");
}

static int
is_status_file(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');
	return end != NULL && end != entry->d_name && strcmp(end, ".xml") == 0;
}

static int
read_guests(struct map *map, const struct options *options, struct err *e)
{
	struct dirent **entries;
	int r = 0, count = scandirat(
			   options->root, STATUS_DIRECTORY, &entries, is_status_file, versionsort);
	if (count < 0)
		return errno == ENOENT ? 0 : err_errno(e, "/" STATUS_DIRECTORY);
	for (int i = 0; i < count; i++) {
		*strrchr(entries[i]->d_name, '.') = '\0';
		if (r == 0)
			r = add_guest(map, options, entries[i]->d_name, e);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int
make_and_show(struct map *map, const struct options *options, struct err *e)
{
	if (read_host(map, e) != 0 || read_guests(map, options, e) != 0 ||
		occupancy_form(&map->occupancy, map->sets[TOPOLOGY_ONLINE], e) != 0)
		return -1;
	if (options->svg != NULL)
		return map_write_svg(map, options->svg, e);
	if (!options->json)
		return map_print_text(map, e);
	map_print_json(map);
	return 0;
}

enum exit_status
command_map(const struct options *options)
{
	struct map map = {.topology = {.root = options->root}};
	struct err e;
	if (options->json && options->svg != NULL) {
		complain("map: --json and --svg exclude each other");
		return misuse();
	}
	int r = make_and_show(&map, options, &e);
	if (r != 0)
		complain("%s", e.text);
	enum exit_status status = r == 0 && map.missed.count == 0 ? EXIT_OK : EXIT_CANNOT;
	occupancy_free(&map.occupancy);
	free_texts(&map.guests);
	free_texts(&map.missed);
	free(map.cores);
	topology_free(&map.topology);
	return status;
}
