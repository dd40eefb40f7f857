/* SPDX-License-Identifier: MIT */
/* The host and who is on which of its CPUs, for the ways to show it. */
#ifndef VMAFFINITY_CLI_MAP_MAP_H
#define VMAFFINITY_CLI_MAP_MAP_H

#include "cli/command.h"

#include "cli/map/occupancy.h"
#include "host/topology.h"

#include <stdio.h>

/* A package, a node, an L3 (each or NULL) that have the same CPUs. */
struct map_level {
	const struct topology_object *objects[TOPOLOGY_KINDS];
};

#define MAP_LEVELS 3u

/* A core; a CPU of which the kernel does not tell the core is one of its own. */
struct map_core {
	const struct topology_object *object; /* NULL if the kernel does not tell it */
	const uint16_t *cpus;
	size_t cpu_count;
	struct map_level levels[MAP_LEVELS]; /* that hold it, the outermost first */
	size_t level_count;
};

struct map_texts {
	char **items; /* safe to print, and as SVG if that is asked for */
	size_t count;
};

struct map {
	struct topology topology;
	const struct cpumask *sets[TOPOLOGY_SETS];
	const struct topology_objects *objects[TOPOLOGY_KINDS];
	struct map_core *cores; /* in logical order, which is depth first */
	size_t core_count;
	struct occupancy occupancy;
	struct map_texts guests;
	struct map_texts missed; /* guests that could not be looked at, and why */
};

/* Whether a level begins with that core, or ends with it. */
bool map_level_begins(const struct map *map, size_t core, size_t level);
bool map_level_ends(const struct map *map, size_t core, size_t level);

/* The logical index of an object. */
size_t map_index(
	const struct map *map, enum topology_kind kind, const struct topology_object *object);

/* What is told apart of a CPU that is online. */
enum map_state {
	MAP_IDLE,  /* no guest may run there */
	MAP_FREE,  /* only those may that may run everywhere */
	MAP_TAKEN, /* somebody is confined to it, or to it and others */
	MAP_OVERCOMMITTED,
};

enum map_state map_state(const struct map *map, unsigned cpu);
const char *map_state_name(enum map_state state);

/*
 * map_words.c: what the pictures say. What returns text returns NULL if there is no memory; else
 * the caller frees it.
 */

/* The set at that place, from 0, among those that are confined and have the CPU; or NULL. */
const struct occupancy_set *map_set(const struct map *map, unsigned cpu, size_t place);

/* "0-3,8"; "0,2..14" for three or more at the same distance. */
void map_write_numbers(FILE *out, const struct cpumask *numbers);

/* "package 0, node 0". */
void map_write_level(FILE *out, const struct map *map, const struct map_level *level);

/*
 * "db1 emulator vcpu0-3; web-1, web-2 vcpu0". Several sets, each of another core, have members of
 * the same guests and kinds at the same places: "db1 vcpu0-7 1:1", each having one for one CPU.
 */
void map_write_sets(FILE *out, const struct occupancy_set *const sets[], size_t count);

/* Whether they are so many on a CPU that they are counted there, and named by map_remarks(). */
bool map_is_crowded(const struct map *map, unsigned cpu);

/*
 * Who is on a hardware thread of so many cores from first on, which map_run_length() found:
 * "isolated, idle", "db1 emulator; web-1, web-2 vcpu0", "12 vCPUs".
 */
char *map_occupants(const struct map *map, size_t first, size_t count, size_t thread);

/*
 * Takes the first line of at most width characters off *text, at a space; a word is not broken.
 * Returns its length in bytes; it starts at the old *text.
 */
size_t map_take_line(const char **text, unsigned width);

/* map_remarks.c: lines of what the picture does not have: who is where they are only counted, CPUs
 * that are offline. */
char *map_remarks(const struct map *map);

/* map_run.c: how many cores from first on hold the same, or each the next vCPUs, and are drawn as
 * one. */
size_t map_run_length(const struct map *map, size_t first);

/* map_text.c, map_json.c, map_svg.c. Return 0, or -1 with the reason. */
int map_print_text(const struct map *map, struct err *e);
void map_print_json(const struct map *map);
int map_write_svg(const struct map *map, const char *path, struct err *e);

/* map_hwloc.c: as a topology in hwloc's XML, for lstopo to draw. */
void map_write_hwloc(FILE *out, const struct map *map);

#endif
