/* SPDX-License-Identifier: MIT */
/* The texts in the pictures: names of levels, lists of CPUs, the threads on a CPU. */
#ifndef VMAFFINITY_CLI_MAP_WORDS_H
#define VMAFFINITY_CLI_MAP_WORDS_H

#include "cli/map/map.h"

#include <stdio.h>

/* Writes numbers as "0-3,8", or as "0,2..14" if they are three or more at the same distance. */
void map_write_numbers(FILE *out, const struct cpumask *numbers);

/* Writes the names of what the level consists of: "package 0, node 0". */
void map_write_level(FILE *out, const struct map *map, const struct map_level *level);

/*
 * Writes the members of sets[0]: "db1 emulator vcpu0-3; web-1, web-2 vcpu0". If count is more than
 * 1, each set is that of another core and has the same guests and kinds at the same places; their
 * ids are then put together, with the ratio of groups to CPUs of each core: "db1 vcpu0-7 1:1".
 */
void map_write_sets(FILE *out, const struct occupancy_set *const sets[], size_t count);

/* True if so many groups may run on the CPU that the picture counts them and the remarks name them.
 */
bool map_is_crowded(const struct map *map, unsigned cpu);

/*
 * Returns the text for one hardware thread of `count` cores from `first` on, which are drawn as
 * one: "isolated, idle", "db1 emulator; web-1, web-2 vcpu0", "12 vCPUs". The caller frees it; NULL
 * if there is no memory.
 */
char *map_occupants(const struct map *map, size_t first, size_t count, size_t thread);

/*
 * Takes the first line, of at most width characters, off *text, without breaking a word. The line
 * starts at the old *text; returns its length in bytes.
 */
size_t map_take_line(const char **text, unsigned width);

#endif
