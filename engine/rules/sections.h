/* SPDX-License-Identifier: MIT */
/* The names of the sections that one file has had so far, each with its line. */
#ifndef VMAFFINITY_RULES_SECTIONS_H
#define VMAFFINITY_RULES_SECTIONS_H

#include "base/err.h"

#include <stddef.h>

struct section {
	const char *name;
	unsigned line;
};

/* Zero-initialised is empty. */
struct sections {
	struct section *table; /* a hash table of room places; name is NULL in a free one */
	size_t count, room;    /* room is a power of two, or 0 */
};

/*
 * Adds a section that begins at line. name is not copied: it must live as long as the sections.
 * Returns 0, or -1 with the reason if the file has had that section already.
 */
int sections_add(struct sections *sections, const char *name, unsigned line, struct err *e);

void sections_free(struct sections *sections);

#endif
