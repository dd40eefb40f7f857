/* SPDX-License-Identifier: MIT */
/* A table of a guest's thread groups. Neighbours that are alike share a row: "vcpu0-11". */
#ifndef VMAFFINITY_CLI_GROUP_TABLE_H
#define VMAFFINITY_CLI_GROUP_TABLE_H

#include "base/cpumask.h"
#include "guest/thread_group.h"

#include <stdbool.h>
#include <stddef.h>

#define GROUP_COLUMNS_MAX 10u

struct group_column {
	const char *name;
	/* On a narrow terminal a long cell goes on below, after this character; '\0': never. */
	char break_after;
};

struct group_row {
	struct thread_group group;
	unsigned last_id;      /* of the groups that share the row */
	const char *label;     /* instead of the group's name; NULL: that */
	const char *mark;      /* before the name: "!"; "" for none */
	struct cpumask united; /* the cell of the table's column united: that of all groups */
	char *cells[GROUP_COLUMNS_MAX]; /* owned by the table; NULL: empty */
};

/* Ready for use with columns and column_count alone. */
struct group_table {
	const struct group_column *columns; /* after the mark and the group's name */
	size_t column_count;
	size_t united;	   /* a column that does not tell groups apart; 0: none */
	bool marks;	   /* rows may have a mark */
	bool wide;	   /* cells are never broken */
	const char *color; /* of rows with a mark, on a terminal: "\33[31m"; NULL: none */
	struct group_row *rows;
	size_t row_count;
};

/*
 * Adds a row, or a group to the last row if only its id tells it from that. Takes the cells, also
 * if it fails. Returns 0, or -1 without memory.
 */
int group_table_add(struct group_table *table, struct group_row *row);

/* Prints the table to stdout. Cells are made safe for a terminal. Returns 0, or -1 without memory.
 */
int group_table_print(struct group_table *table);

void group_table_free(struct group_table *table);

#endif
