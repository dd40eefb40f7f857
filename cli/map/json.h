/* SPDX-License-Identifier: MIT */
/* The map as one JSON object. */
#ifndef VMAFFINITY_CLI_MAP_JSON_H
#define VMAFFINITY_CLI_MAP_JSON_H

#include "cli/map/map.h"

/* Prints the map to stdout. */
void map_print_json(struct map *map);

#endif
