/* SPDX-License-Identifier: MIT */
#include "cli/map/legend.h"

#include "cli/columns.h"
#include "cli/map/colors.h"
#include "cli/map/remarks.h"
#include "cli/map/words.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* lstopo's font has 10 pixels, its characters 6. */
#define CHARACTER 6.1
#define LINE 15u
#define MARGIN 7u
#define BOX 10u
#define GAP 18u /* from a text to the next box */

/* Lines of remarks. What is left out is in the JSON. */
#define LINES_MAX 200u

struct legend {
	FILE *out;
	unsigned width; /* of the picture */
	unsigned x, y;	/* of the next box or text */
};

static unsigned
width_of(const char *text)
{
	return (unsigned)(CHARACTER * columns_of(text, strlen(text)));
}

static void
break_line(struct legend *legend)
{
	legend->x = MARGIN;
	legend->y += LINE;
}

static void
write_text(struct legend *legend, const char *text, size_t length)
{
	fprintf(legend->out,
		"\t<text font-family='Monospace' x='%u' y='%u' fill='rgb(0,0,0)' "
		"font-size='10px'>%.*s</text>\n",
		legend->x, legend->y + BOX, (int)length, text);
}

/* Writes a box of a colour and what it means. */
static void
write_entry(struct legend *legend, const char *color, const char *text)
{
	unsigned width = BOX + MARGIN + width_of(text);
	if (legend->x > MARGIN && legend->x + width > legend->width)
		break_line(legend);
	fprintf(legend->out,
		"\t<rect x='%u' y='%u' width='%u' height='%u' fill='%s' stroke='rgb(0,0,0)' "
		"stroke-width='1'/>\n",
		legend->x, legend->y + 1, BOX, BOX, color);
	legend->x += BOX + MARGIN;
	write_text(legend, text, strlen(text));
	legend->x += width_of(text) + GAP;
}

static void
write_colors(struct legend *legend, const struct map *map)
{
	char color[MAP_COLOR_MAX];
	for (size_t i = 0; i < map->guests.count; i++)
		write_entry(legend, map_guest_color(i, color), map->guests.items[i]);
	if (map->guests.count > 0)
		break_line(legend);
	write_entry(legend, map_cpu_color(MAP_TAKEN, false), "CPU that a guest is confined to");
	write_entry(legend, map_cpu_color(MAP_SHARED, false), "! shared or overcommitted");
	write_entry(legend, map_cpu_color(MAP_FREE, false), "idle or free");
	if (!cpumask_empty(map->sets[TOPOLOGY_ISOLATED])) {
		write_entry(legend, map_cpu_color(MAP_TAKEN, true), "isolated, taken");
		write_entry(legend, map_cpu_color(MAP_FREE, true), "isolated, idle or free");
	}
	break_line(legend);
}

static void
write_remarks(struct legend *legend, char *remarks)
{
	unsigned most = (unsigned)((legend->width - 2 * MARGIN) / CHARACTER), lines = 0;
	char *next = remarks, *line;
	while (*next != '\0' && (line = strsep(&next, "\n")) != NULL)
		for (const char *rest = line; *rest != '\0' && lines < LINES_MAX; lines++) {
			const char *start = rest;
			write_text(legend, start, map_take_line(&rest, most));
			break_line(legend);
		}
}

char *
map_legend(const struct map *map, unsigned width, unsigned top, unsigned *height)
{
	AUTO_FREE char *remarks = map_remarks(map);
	char *text = NULL;
	size_t size;
	FILE *out = remarks != NULL ? open_memstream(&text, &size) : NULL;
	struct legend legend = {.out = out, .width = width, .x = MARGIN, .y = top + MARGIN};
	if (out == NULL)
		return NULL;
	write_colors(&legend, map);
	write_remarks(&legend, remarks);
	*height = legend.y + MARGIN - top;
	fclose(out);
	return text;
}
