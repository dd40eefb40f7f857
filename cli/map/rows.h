/* SPDX-License-Identifier: MIT */
/* Neighbouring cores that are drawn as one row. */
#ifndef VMAFFINITY_CLI_MAP_ROWS_H
#define VMAFFINITY_CLI_MAP_ROWS_H

#include "cli/map/map.h"

/* Returns how many cores from `first` on have the same groups, or each the next vCPUs of the same
 * guests, and so are drawn as one row: at least 1. */
size_t map_row_length(const struct map *map, size_t first);

#endif
