/* SPDX-License-Identifier: MIT */
/* The lines below the picture. */
#ifndef VMAFFINITY_CLI_MAP_REMARKS_H
#define VMAFFINITY_CLI_MAP_REMARKS_H

#include "cli/map/map.h"

/*
 * Returns, in lines, what the picture does not say: overcommitted CPUs, the names of groups that
 * are only counted in it, nodes without CPUs, offline CPUs, guests that could not be read. The
 * caller frees it; NULL if there is no memory.
 */
char *map_remarks(const struct map *map);

#endif
