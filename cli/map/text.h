/* SPDX-License-Identifier: MIT */
/* The map as text for a terminal. */
#ifndef VMAFFINITY_CLI_MAP_TEXT_H
#define VMAFFINITY_CLI_MAP_TEXT_H

#include "cli/map/map.h"

/* Prints the map to stdout. Returns 0, or -1 with the reason. */
int map_print_text(const struct map *map, struct err *e);

#endif
