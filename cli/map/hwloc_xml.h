/* SPDX-License-Identifier: MIT */
/* The map as a topology in hwloc's XML, for lstopo to draw. */
#ifndef VMAFFINITY_CLI_MAP_HWLOC_XML_H
#define VMAFFINITY_CLI_MAP_HWLOC_XML_H

#include "cli/map/map.h"

#include <stdio.h>

/* Writes the topology; errors are out's. */
void map_write_hwloc(FILE *out, const struct map *map);

#endif
