/* SPDX-License-Identifier: MIT */
/* Reads the running guests into the map. */
#ifndef VMAFFINITY_CLI_MAP_READ_GUESTS_H
#define VMAFFINITY_CLI_MAP_READ_GUESTS_H

#include "cli/command.h"
#include "cli/map/map.h"

/*
 * Adds every running guest to map->guests, and to map->occupancy the affinity that the kernel has
 * for its threads. A guest that cannot be read is complained of and added to map->missed. Returns
 * 0, or -1 with the reason.
 */
int map_read_guests(struct map *map, const struct options *options, struct err *e);

/*
 * Returns a printable copy of text, which the caller frees; NULL without memory. lstopo (hwloc 2.9)
 * puts names into an SVG unchanged, so for an SVG the characters of markup are escaped as well.
 */
char *map_safe_text(const char *text, bool svg);

#endif
