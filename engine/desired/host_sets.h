/* SPDX-License-Identifier: MIT */
/* The words of CPU sets that need no index: "all", "isolated", "pcores", "ecores". */
#ifndef VMAFFINITY_DESIRED_HOST_SETS_H
#define VMAFFINITY_DESIRED_HOST_SETS_H

#include "base/cpumask.h"
#include "base/err.h"
#include "host/topology.h"

#include <stddef.h>

/* Returns the set that length bytes of text name, or TOPOLOGY_SETS if they are no such word. */
enum topology_set host_set_named(const char *text, size_t length);

/*
 * Reads a set that has a word. Returns 0 with *cpus, which live as long as topology, or -1 with the
 * reason; a host that has no CPU for the word is an error that says what the host has instead.
 */
int host_set_get(struct topology *topology, enum topology_set set, const struct cpumask **cpus,
	struct err *e);

#endif
