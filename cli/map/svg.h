/* SPDX-License-Identifier: MIT */
/* The map as an SVG picture, drawn by hwloc's lstopo. */
#ifndef VMAFFINITY_CLI_MAP_SVG_H
#define VMAFFINITY_CLI_MAP_SVG_H

#include "cli/map/map.h"

/*
 * Writes the picture to the file path, or to stdout if path is "-". A regular file is replaced only
 * when the picture is complete. Returns 0, or -1 with the reason.
 */
int map_write_svg(const struct map *map, const char *path, struct err *e);

#endif
