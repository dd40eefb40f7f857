/* SPDX-License-Identifier: MIT */
#include "cli/group_table.h"

#include "cli/command.h"

#include "base/array.h"

#include <libsmartcols.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Characters of a line of a cell that is broken: half as many until the table fits, or the least.
 */
#define CELL_LINE_MAX ((size_t)32)
#define CELL_LINE_MIN ((size_t)8)

/* Bytes of the united cell: a longer CPU list is cut. JSON has it whole. */
#define CELL_MAX 256

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* True if row is the next group of the same kind, and all that is shown of it is the same. */
static bool
continues(const struct group_table *table, const struct group_row *row)
{
	const struct group_row *last = &table->rows[table->row_count - 1];
	if (last->label != NULL || row->label != NULL || last->group.kind != row->group.kind ||
		last->last_id + 1 != row->group.id || strcmp(last->mark, row->mark) != 0)
		return false;
	for (size_t i = 0; i < table->column_count; i++)
		if (!same_text(last->cells[i], row->cells[i]))
			return false;
	return true;
}

static void
free_cells(struct group_row *row)
{
	for (size_t i = 0; i < GROUP_COLUMNS_MAX; i++)
		free(row->cells[i]);
}

int
group_table_add(struct group_table *table, struct group_row *row)
{
	row->last_id = row->group.id;
	if (table->row_count > 0 && continues(table, row)) {
		struct group_row *last = &table->rows[table->row_count - 1];
		last->last_id = row->group.id;
		cpumask_or(&last->united, &row->united);
		free_cells(row);
		return 0;
	}
	struct group_row *larger = array_grow(table->rows, table->row_count, sizeof(*larger));
	if (larger == NULL) {
		free_cells(row);
		return -1;
	}
	table->rows = larger;
	table->rows[table->row_count++] = *row;
	return 0;
}

/* Returns a copy of text, which the caller frees, in lines of at most so many bytes; or NULL. */
static char *
break_cell(const char *text, char after, size_t most)
{
	char *broken = NULL;
	size_t size;
	FILE *out = open_memstream(&broken, &size);
	if (out == NULL)
		return NULL;
	print_broken(out, text, after, 0, most, "\n");
	if (fclose(out) == 0)
		return broken;
	free(broken);
	return NULL;
}

static int
set_cell(struct libscols_line *line, size_t at, const char *text, char after, size_t most)
{
	if (most == 0 || after == '\0' || text == NULL)
		return scols_line_set_data(line, at, text);
	char *broken = break_cell(text, after, most);
	return broken == NULL ? -1 : scols_line_refer_data(line, at, broken);
}

static int
add_line(const struct group_table *table, struct libscols_table *to, const struct group_row *row,
	size_t most, bool color)
{
	char name[THREAD_GROUP_RUN_MAX], united[CELL_MAX];
	size_t at = 0;
	struct libscols_line *line = scols_table_new_line(to, NULL);
	if (line == NULL)
		return -1;
	if (color && row->mark[0] != '\0' && scols_line_set_color(line, table->color) != 0)
		return -1;
	if (table->marks && scols_line_set_data(line, at++, row->mark) != 0)
		return -1;
	thread_group_run_name(row->group, row->last_id, name);
	if (scols_line_set_data(line, at++, row->label != NULL ? row->label : name) != 0)
		return -1;
	for (size_t i = 0; i < table->column_count; i++) {
		const char *text = row->cells[i];
		if (table->united != 0 && i == table->united)
			text = cpumask_format(&row->united, united, sizeof(united));
		if (set_cell(line, at++, text, table->columns[i].break_after, most) != 0)
			return -1;
	}
	return 0;
}

/* Adds a column whose cells may have several lines. */
static int
add_column(struct libscols_table *to, const char *name)
{
	struct libscols_column *column = scols_table_new_column(to, name, 0, SCOLS_FL_WRAP);
	return column == NULL || scols_column_set_safechars(column, "\n") != 0
		       ? -1
		       : scols_column_set_wrapfunc(
				 column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
}

static int
fill(const struct group_table *table, struct libscols_table *to, size_t most)
{
	bool color = table->color != NULL && wants_color();
	scols_table_enable_colors(to, color);
	scols_table_set_termforce(to, SCOLS_TERMFORCE_NEVER); /* it would cut cells in two */
	if ((table->marks && add_column(to, "") != 0) || add_column(to, "GROUP") != 0)
		return -1;
	for (size_t i = 0; i < table->column_count; i++)
		if (add_column(to, table->columns[i].name) != 0)
			return -1;
	for (size_t i = 0; i < table->row_count; i++)
		if (add_line(table, to, &table->rows[i], most, color) != 0)
			return -1;
	return 0;
}

/* Formats the table, with lines of cells of at most so many characters; 0: any. Returns text that
 * the caller frees, or NULL without memory. */
static char *
format(const struct group_table *table, size_t most)
{
	char *text = NULL;
	struct libscols_table *to = scols_new_table();
	if (to != NULL &&
		(fill(table, to, most) != 0 || scols_print_table_to_string(to, &text) != 0))
		text = NULL;
	scols_unref_table(to);
	return text;
}

/* Returns the length of the longest line, without its colours. */
static size_t
widest_line(const char *text)
{
	size_t widest = 0, length = 0;
	for (const char *s = text; *s != '\0'; s++) {
		if (*s == '\33')
			s += strcspn(s, "m");
		else
			length = *s == '\n' ? 0 : length + 1;
		widest = length > widest ? length : widest;
	}
	return widest;
}

int
group_table_print(struct group_table *table)
{
	size_t width = table->wide ? 0 : terminal_width();
	char *text = format(table, 0);
	for (size_t most = CELL_LINE_MAX;
		text != NULL && width > 0 && widest_line(text) > width && most >= CELL_LINE_MIN;
		most /= 2) {
		free(text);
		text = format(table, most);
	}
	if (text == NULL)
		return -1;
	fputs(text, stdout);
	if (text[0] != '\0' && text[strlen(text) - 1] != '\n')
		putchar('\n');
	free(text);
	return 0;
}

void
group_table_free(struct group_table *table)
{
	while (table->row_count > 0)
		free_cells(&table->rows[--table->row_count]);
	free(table->rows);
	table->rows = NULL;
}
