/* SPDX-License-Identifier: MIT */
/* The colours of the picture, each light enough for black text. */
#ifndef VMAFFINITY_CLI_MAP_COLORS_H
#define VMAFFINITY_CLI_MAP_COLORS_H

#include "cli/map/map.h"

#define MAP_COLOR_MAX 8

/* Writes the colour of the guest of that index in map.guests, as "#rrggbb". Returns out. */
const char *map_guest_color(size_t guest, char out[MAP_COLOR_MAX]);

/* Returns the colour of a CPU's box. */
const char *map_cpu_color(enum map_state state, bool isolated);

#endif
