/* SPDX-License-Identifier: MIT */
/* A guest in one line: "db1    as ruled  12 vCPUs on 4-15 one to one, emulator 0-1". */
#ifndef VMAFFINITY_CLI_BRIEF_H
#define VMAFFINITY_CLI_BRIEF_H

#include "pin/pin.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Describes the CPUs and nodes that the rules give a guest's groups. Returns text that the caller
 * frees, "" if they give none; NULL without memory.
 */
char *brief_text(const struct pin *pin);

/* Columns that the lines of several guests have in common. */
struct brief_layout {
	size_t name, state; /* widest of each */
	bool wide;	    /* lines are never broken */
};

/* Makes room for a guest. */
void brief_fit(struct brief_layout *layout, const char *name, const char *state);

/* Prints the line. On a terminal a long one goes on below, after a comma. */
void brief_print(
	const struct brief_layout *layout, const char *name, const char *state, const char *text);

#endif
