/* SPDX-License-Identifier: MIT */
/* The host, core by core, and which guests' threads may run on each of its CPUs. */
#ifndef VMAFFINITY_CLI_MAP_MAP_H
#define VMAFFINITY_CLI_MAP_MAP_H

#include "base/err.h"
#include "cli/failures.h"
#include "cli/map/occupancy.h"
#include "host/topology.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A package, a node and an L3 that have the same CPUs; NULL for a kind that is not among them. */
struct map_level {
	const struct topology_object *objects[TOPOLOGY_KINDS];
};

#define MAP_LEVELS 3u

/* A core. A CPU whose core the kernel does not name is a core of its own. */
struct map_core {
	const struct topology_object *object; /* NULL if the kernel does not name it */
	const uint16_t *cpus;
	size_t cpu_count;
	struct map_level levels[MAP_LEVELS]; /* that contain the core, the outermost first */
	size_t level_count;
};

struct map_texts {
	char **items; /* safe to print; for an SVG, free of markup as well */
	size_t count;
};

/* CPUs that a guest has to itself: the kernel lets nobody else use them. */
struct map_exclusive {
	const char *guest; /* of map.guests */
	struct cpumask cpus;
};

/* Ready for map_read_host() when all but topology.root is zero. */
struct map {
	struct topology topology;
	const struct cpumask *sets[TOPOLOGY_SETS];
	const struct topology_objects *objects[TOPOLOGY_KINDS];
	struct map_core *cores; /* in logical order, which is depth first */
	size_t core_count;
	unsigned *l3_kib; /* the size of each L3 object, or NULL if all have the same */
	struct occupancy occupancy;
	struct map_texts guests; /* names of the guests shown */
	struct cpumask *nodes;	 /* of each of them: from which its memory may come */
	struct map_exclusive *exclusive;
	size_t exclusive_count;
	struct map_texts missed;  /* guests that could not be read, each with the reason */
	struct failures failures; /* the same */
};

/* Reads the host's topology. Returns 0, or -1 with the reason. */
int map_read_host(struct map *map, struct err *e);

void map_free(struct map *map);

/* True if the level of that number begins with the core of that number, or ends with it. */
bool map_level_begins(const struct map *map, size_t core, size_t level);
bool map_level_ends(const struct map *map, size_t core, size_t level);

/* Returns the logical index of an object. */
size_t map_index(
	const struct map *map, enum topology_kind kind, const struct topology_object *object);

/* Returns the confined set number `place`, from 0, of those that contain the CPU; NULL after the
 * last. */
const struct occupancy_set *map_set(const struct map *map, unsigned cpu, size_t place);

/* Returns the set of a CPU that is a vCPU's own, or NULL: the one CPU is all of the set. */
const struct occupancy_set *map_own_set(const struct map *map, unsigned cpu);

/* Returns the guest that has a CPU to itself, or NULL. */
const char *map_exclusive(const struct map *map, unsigned cpu);

/* The use of an online CPU. */
enum map_state {
	MAP_IDLE,   /* no guest may run there */
	MAP_FREE,   /* only threads that may run on every CPU */
	MAP_TAKEN,  /* threads are confined to it, or to it and some others */
	MAP_SHARED, /* it is one vCPU's own, and threads of other guests may run there */
	MAP_OVERCOMMITTED,
};

enum map_state map_state(const struct map *map, unsigned cpu);
const char *map_state_name(enum map_state state);

#endif
