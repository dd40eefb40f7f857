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

/* Prints the line. On a terminal a long one goes on below, after a comma. */
void brief_print(
	const struct brief_layout *layout, const char *name, const char *state, const char *text);

/* The guests of a command, of which some need a line only, and the others a table. */
struct brief_guests {
	const void *all; /* passed to the functions, with a guest's index */
	size_t count;
	bool brief; /* false: every guest has a table */
	bool wide;  /* nothing is broken for the terminal's width */
	const char *(*name)(const void *all, size_t i);
	const char *(*state)(const void *all, size_t i); /* NULL: the guest needs a table */
	/* Both return 0, or -1 without memory. */
	int (*print_line)(const void *all, size_t i, const struct brief_layout *layout);
	int (*print_table)(const void *all, size_t i, bool wide);
};

/*
 * Prints summary, unless it is NULL, then the lines, then the tables, with an empty line between
 * these. Returns 0, or -1 without memory.
 */
int brief_print_all(const struct brief_guests *guests, const char *summary);

#endif
