/* SPDX-License-Identifier: MIT */
/* Draws the legend below the picture: the colours with their meaning, and the remarks. */
#ifndef VMAFFINITY_CLI_MAP_LEGEND_H
#define VMAFFINITY_CLI_MAP_LEGEND_H

#include "cli/map/map.h"

/*
 * Returns elements of SVG for a legend that begins at y = top and is as wide as the picture, with
 * its height; lengths are in pixels. The caller frees it; NULL without memory.
 */
char *map_legend(const struct map *map, unsigned width, unsigned top, unsigned *height);

#endif
