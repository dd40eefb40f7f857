/* SPDX-License-Identifier: MIT */
/* The map as text: columns for the hardware threads of a core, as wide as the terminal allows. */
#include "cli/map/text.h"

#include "cli/columns.h"
#include "cli/command.h"
#include "cli/map/remarks.h"
#include "cli/map/rows.h"
#include "cli/map/words.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Hardware threads side by side; what a core has beyond that goes below. POWER has 8. */
#define COLUMNS_MAX 8u

/* With less room than this for the text of a CPU, fewer are put side by side. */
#define TEXT_MIN 16u

#define WHOLE SIZE_MAX

struct picture {
	const struct map *map;
	bool color;
	unsigned width; /* of the terminal */
	unsigned label; /* width of the first column: names of levels and cores, indented */
	size_t columns;
	unsigned numbers[COLUMNS_MAX], texts[COLUMNS_MAX]; /* widths */
};

/* Cores that are drawn as one. */
struct row {
	size_t first, count;
	size_t titles; /* levels that have a title of their own above the row */
	char *name;
};

/* Returns the name of a row, with the level that consists of just this row: "L3 0, core 0-3 P".
 * The caller frees it; NULL if there is no memory. */
static char *
name_row(const struct map *map, struct row *row)
{
	const struct map_core *core = &map->cores[row->first];
	size_t last = row->first + row->count - 1, size;
	char *name = NULL;
	FILE *out = open_memstream(&name, &size);
	if (out == NULL)
		return NULL;
	row->titles = core->level_count;
	if (row->titles > 0 && map_level_begins(map, row->first, row->titles - 1) &&
		map_level_ends(map, last, row->titles - 1)) {
		map_write_level(out, map, &core->levels[--row->titles]);
		fputs(core->object != NULL ? ", " : "", out);
	}
	if (core->object != NULL) {
		fprintf(out, "core %zu", map_index(map, TOPOLOGY_CORE, core->object));
		if (row->count > 1)
			fprintf(out, "-%zu",
				map_index(map, TOPOLOGY_CORE, map->cores[last].object));
		if (cpumask_test(map->sets[TOPOLOGY_PCORES], core->cpus[0]))
			fputs(" P", out);
		else if (cpumask_test(map->sets[TOPOLOGY_ECORES], core->cpus[0]))
			fputs(" E", out);
	}
	fclose(out);
	return name;
}

/* Moves to the next row; after the last its count is 0. Returns 0, or -1 if there is no memory. */
static int
next_row(const struct map *map, struct row *row)
{
	row->first += row->count;
	row->count = 0;
	free(row->name);
	row->name = NULL;
	if (row->first == map->core_count)
		return 0;
	row->count = map_row_length(map, row->first);
	row->name = name_row(map, row);
	return row->name != NULL ? 0 : -1;
}

static char *
row_numbers(const struct map *map, const struct row *row, size_t thread)
{
	struct cpumask cpus = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = row->first; i < row->first + row->count; i++)
		cpumask_set_range(&cpus, map->cores[i].cpus[thread], map->cores[i].cpus[thread]);
	if (out != NULL) {
		map_write_numbers(out, &cpus);
		fclose(out);
	}
	return text;
}

static void
widen(unsigned *width, unsigned wanted)
{
	*width = wanted > *width ? wanted : *width;
}

/* Measures how wide each part is with that many columns. Returns 0, or -1 if there is no memory. */
static int
measure(struct picture *picture, size_t columns)
{
	struct row row = {0};
	int r;
	picture->columns = columns;
	for (size_t i = 0; i < columns; i++)
		picture->numbers[i] = (unsigned)strlen("CPU"), picture->texts[i] = 1;
	while ((r = next_row(picture->map, &row)) == 0 && row.count > 0) {
		const struct map_core *core = &picture->map->cores[row.first];
		widen(&picture->label, 2 * (unsigned)row.titles + columns_of(row.name, WHOLE));
		for (size_t t = 0; t < core->cpu_count && r == 0; t++) {
			AUTO_FREE char *numbers = row_numbers(picture->map, &row, t);
			AUTO_FREE char *text = map_occupants(picture->map, row.first, row.count, t);
			if (numbers == NULL || text == NULL)
				return free(row.name), -1;
			widen(&picture->numbers[t % columns], columns_of(numbers, WHOLE));
			widen(&picture->texts[t % columns], columns_of(text, WHOLE));
		}
	}
	free(row.name);
	return r;
}

/* Shares the terminal's width between the columns; what a column does not need goes to the others.
 * Returns true if each gets TEXT_MIN or all that it needs. */
static bool
share_room(struct picture *picture)
{
	unsigned room = picture->width, used = picture->label, wide = 0, share;
	for (size_t i = 0; i < picture->columns; i++)
		used += 4 + picture->numbers[i]; /* "  NUMBER! TEXT" */
	room = used < room ? room - used : 0;
	share = picture->columns > 0 ? room / (unsigned)picture->columns : 0;
	for (size_t i = 0; i < picture->columns; i++)
		if (picture->texts[i] <= share)
			room -= picture->texts[i];
		else
			wide++;
	for (size_t i = 0; i < picture->columns; i++)
		if (wide > 0 && picture->texts[i] > share)
			picture->texts[i] = room / wide > TEXT_MIN ? room / wide : TEXT_MIN;
	return wide == 0 || room / wide >= TEXT_MIN;
}

static int
lay_out(struct picture *picture)
{
	size_t columns = 1;
	for (size_t i = 0; i < picture->map->core_count; i++)
		if (picture->map->cores[i].cpu_count > columns)
			columns = picture->map->cores[i].cpu_count;
	columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
	for (;; columns--) {
		if (measure(picture, columns) != 0)
			return -1;
		if (share_room(picture) || columns == 1)
			return 0;
	}
}

static void
paint(const struct picture *picture, const char *sequence)
{
	if (picture->color && sequence[0] != '\0')
		printf("\033[%sm", sequence);
}

static const char *
text_cpu_color(const struct map *map, unsigned cpu)
{
	bool isolated = cpumask_test(map->sets[TOPOLOGY_ISOLATED], cpu);
	enum map_state state = map_state(map, cpu);
	if (state >= MAP_SHARED)
		return "1;31";
	return isolated ? state <= MAP_FREE ? "36" : "1;36" : state <= MAP_FREE ? "2" : "";
}

/* Prints the next line of a hardware thread's part: its number, unless that is "", and text. */
static void
print_part(const struct picture *picture, unsigned cpu, size_t column, const char *numbers,
	const char **rest, bool last)
{
	const char *text = *rest, *color = text_cpu_color(picture->map, cpu);
	size_t length = map_take_line(rest, picture->texts[column]);
	bool mark = numbers[0] != '\0' && map_state(picture->map, cpu) >= MAP_SHARED;
	unsigned width = columns_of(text, length);
	printf("  %*s", (int)(picture->numbers[column] - columns_of(numbers, WHOLE)), "");
	paint(picture, color);
	printf("%s%s %.*s", numbers, mark ? "!" : " ", (int)length, text);
	paint(picture, color[0] != '\0' ? "0" : "");
	if (!last && width < picture->texts[column])
		printf("%*s", (int)(picture->texts[column] - width), "");
}

/* Prints the hardware threads from `thread` on that are side by side. */
static int
print_threads(const struct picture *picture, const struct row *row, size_t thread)
{
	const struct map_core *core = &picture->map->cores[row->first];
	char *numbers[COLUMNS_MAX] = {NULL}, *texts[COLUMNS_MAX] = {NULL};
	const char *rests[COLUMNS_MAX] = {NULL};
	size_t count = core->cpu_count - thread, shown;
	bool enough = true;
	count = shown = count < picture->columns ? count : picture->columns;
	for (size_t i = 0; i < count; i++) {
		numbers[i] = row_numbers(picture->map, row, thread + i);
		rests[i] = texts[i] =
			map_occupants(picture->map, row->first, row->count, thread + i);
		enough = enough && numbers[i] != NULL && texts[i] != NULL;
	}
	for (bool first = true; enough && shown > 0; first = false) {
		bool named = first && thread == 0;
		int indent = named ? 2 * (int)row->titles : 0;
		printf("%*s%-*s", indent, "", (int)picture->label - indent, named ? row->name : "");
		for (size_t i = 0; i < shown; i++)
			print_part(picture, core->cpus[thread + i], i, first ? numbers[i] : "",
				&rests[i], i + 1 == shown);
		putchar('\n');
		while (shown > 0 && *rests[shown - 1] == '\0')
			shown--;
	}
	for (size_t i = 0; i < count; i++) {
		free(numbers[i]);
		free(texts[i]);
	}
	return enough ? 0 : -1;
}

static int
print_rows(const struct picture *picture)
{
	const struct map *map = picture->map;
	struct row row = {0};
	int r;
	while ((r = next_row(map, &row)) == 0 && row.count > 0) {
		const struct map_core *core = &map->cores[row.first];
		for (size_t i = 0; i < row.titles; i++) {
			if (!map_level_begins(map, row.first, i))
				continue;
			printf("%*s", 2 * (int)i, "");
			paint(picture, "1");
			map_write_level(stdout, map, &core->levels[i]);
			paint(picture, "0");
			putchar('\n');
		}
		for (size_t t = 0; t < core->cpu_count && r == 0; t += picture->columns)
			r = print_threads(picture, &row, t);
		if (r != 0)
			break;
	}
	free(row.name);
	return r;
}

static int
print_remarks(const struct picture *picture)
{
	AUTO_FREE char *remarks = map_remarks(picture->map);
	char *next = remarks, *line;
	if (remarks == NULL)
		return -1;
	if (remarks[0] != '\0')
		putchar('\n');
	while (*next != '\0' && (line = strsep(&next, "\n")) != NULL) {
		const char *rest = line, *color = line[0] == '!' ? "1;31" : "";
		paint(picture, color);
		for (int indent = 0; *rest != '\0'; indent = 4) {
			const char *start = rest;
			size_t length = map_take_line(&rest, picture->width - (unsigned)indent);
			printf("%*s%.*s\n", indent, "", (int)length, start);
		}
		paint(picture, color[0] != '\0' ? "0" : "");
	}
	return 0;
}

static void
print_head(const struct picture *picture)
{
	const struct map *map = picture->map;
	size_t cores = map->objects[TOPOLOGY_CORE]->count, cpus = map->objects[TOPOLOGY_PU]->count;
	printf("%zu CPU%s online", cpus, cpus == 1 ? "" : "s");
	if (cores > 0)
		printf(", %zu core%s", cores, cores == 1 ? "" : "s");
	printf("; %zu guest%s\n%*s", map->guests.count, map->guests.count == 1 ? "" : "s",
		(int)picture->label, "");
	for (size_t i = 0; i < picture->columns; i++)
		printf("  %*s%*s", (int)picture->numbers[i], "CPU",
			i + 1 < picture->columns ? (int)picture->texts[i] + 2 : 0, "");
	putchar('\n');
}

int
map_print_text(const struct map *map, struct err *e)
{
	unsigned width = terminal_width();
	struct picture picture = {.map = map, .color = wants_color(), .width = 80};
	if (width > TEXT_MIN)
		picture.width = width;
	if (lay_out(&picture) != 0)
		return err_set(e, "out of memory");
	print_head(&picture);
	if (print_rows(&picture) != 0 || print_remarks(&picture) != 0)
		return err_set(e, "out of memory");
	return 0;
}
