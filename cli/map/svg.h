/* SPDX-License-Identifier: MIT */
/* The map as an SVG picture, drawn by hwloc's lstopo. */
#ifndef VMAFFINITY_CLI_MAP_SVG_H
#define VMAFFINITY_CLI_MAP_SVG_H

#include "cli/command.h"
#include "cli/map/map.h"

/*
 * Writes the picture to the file options->svg, or to stdout if that is "-". A regular file is
 * replaced only when the picture is complete. Returns 0, or -1 with the reason.
 */
int map_write_svg(const struct map *map, const struct options *options, struct err *e);

#endif
