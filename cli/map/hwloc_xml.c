/* SPDX-License-Identifier: MIT */
/*
 * The map as a topology in hwloc's XML (hwloc, "Importing and exporting topologies from/to XML
 * files"), for lstopo to draw. The groups on a CPU are "Misc" objects, which lstopo draws as boxes
 * with a name; colours are infos called lstopoStyle, lstopo(1).
 */
#include "cli/map/hwloc_xml.h"

#include "cli/map/colors.h"
#include "cli/map/words.h"

#include <stdlib.h>
#include <string.h>

struct drawing {
	FILE *out;
	const struct map *map;
	unsigned serial; /* the last gp_index: hwloc wants another one for each object */
};

/* Writes a mask as hwloc does: words of 32 bits, the highest first. */
static void
write_bitmap(FILE *out, const char *name, const struct cpumask *mask)
{
	unsigned words = 1;
	cpumask_for_each (i, mask)
		words = i / 32 + 1;
	fprintf(out, " %s=\"", name);
	for (unsigned i = words; i-- > 0;) {
		unsigned word = 0;
		for (unsigned bit = 0; bit < 32; bit++)
			word |= (unsigned)cpumask_test(mask, 32 * i + bit) << bit;
		fprintf(out, "0x%08x%s", word, i > 0 ? "," : "");
	}
	putc('"', out);
}

/* Returns the logical indexes of the nodes that contain the CPUs. */
static struct cpumask
nodes_of(const struct map *map, const uint16_t *cpus, size_t count)
{
	struct cpumask nodes = {0};
	for (size_t i = 0; i < count; i++) {
		const struct topology_object *node =
			topology_find(map->objects[TOPOLOGY_NODE], cpus[i]);
		unsigned index = node != NULL ? (unsigned)map_index(map, TOPOLOGY_NODE, node) : 0;
		cpumask_set_range(&nodes, index, index);
	}
	return nodes;
}

/* Opens an object that has these CPUs and is drawn as NAME INDEX. */
static void
open_object(struct drawing *drawing, const char *type, const char *name, size_t index,
	const uint16_t *cpus, size_t count)
{
	struct cpumask mask = {0}, nodes = nodes_of(drawing->map, cpus, count);
	for (size_t i = 0; i < count; i++)
		cpumask_set_range(&mask, cpus[i], cpus[i]);
	fprintf(drawing->out, "<object type=\"%s\" subtype=\"%s\" os_index=\"%zu\" gp_index=\"%u\"",
		type, name, index, ++drawing->serial);
	write_bitmap(drawing->out, "cpuset", &mask);
	write_bitmap(drawing->out, "complete_cpuset", &mask);
	write_bitmap(drawing->out, "nodeset", &nodes);
	write_bitmap(drawing->out, "complete_nodeset", &nodes);
	if (strcmp(type, "Machine") == 0) {
		write_bitmap(drawing->out, "allowed_cpuset", &mask);
		write_bitmap(drawing->out, "allowed_nodeset", &nodes);
	}
	fprintf(drawing->out, "%s>\n",
		strcmp(type, "L3Cache") == 0
			? " depth=\"3\" cache_type=\"0\" cache_size=\"0\" cache_linesize=\"0\""
			  " cache_associativity=\"0\""
			: "");
}

static void
close_object(struct drawing *drawing)
{
	fputs("</object>\n", drawing->out);
}

/* Opens the objects of a level. lstopo draws a node beside the content of the object around it, so
 * a node that is no package gets a group of its own. */
static void
open_level(struct drawing *drawing, const struct map_level *level)
{
	static const struct {
		const char *type, *name;
		enum topology_kind kind;
		bool around_node;
	} types[] = {{"Package", "Package", TOPOLOGY_PACKAGE, false},
		{"Group", "Node", TOPOLOGY_NODE, true}, {"NUMANode", "Node", TOPOLOGY_NODE, false},
		{"L3Cache", "L3", TOPOLOGY_L3, false}};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct topology_object *object = level->objects[types[i].kind];
		char name[TOPOLOGY_SIZE_MAX + 4], size[TOPOLOGY_SIZE_MAX];
		if (object == NULL ||
			(types[i].around_node && level->objects[TOPOLOGY_PACKAGE] != NULL))
			continue;
		size_t index = map_index(drawing->map, types[i].kind, object);
		bool sized = types[i].kind == TOPOLOGY_L3 && drawing->map->l3_kib != NULL;
		snprintf(name, sizeof(name), "%s%s%s",
			sized ? topology_size_text(drawing->map->l3_kib[index], size) : "",
			sized ? " " : "", types[i].name);
		open_object(drawing, types[i].type, name, index, object->cpus, object->cpu_count);
		if (strcmp(types[i].type, "NUMANode") == 0)
			close_object(drawing);
	}
}

static void
close_level(struct drawing *drawing, const struct map_level *level)
{
	if (level->objects[TOPOLOGY_PACKAGE] != NULL || level->objects[TOPOLOGY_NODE] != NULL)
		close_object(drawing);
	if (level->objects[TOPOLOGY_L3] != NULL)
		close_object(drawing);
}

static void
write_color(struct drawing *drawing, const char *color)
{
	fprintf(drawing->out, "<info name=\"lstopoStyle\" value=\"Background=%s\"/>\n", color);
}

/* Returns the colour of the one guest that text, "db1 emulator vcpu0-3", begins with, else white.
 */
static const char *
guest_color(const struct map *map, const char *text, char out[MAP_COLOR_MAX])
{
	size_t longest = 0, found = 0;
	for (size_t i = 0; i < map->guests.count; i++) {
		size_t length = strlen(map->guests.items[i]);
		if (length > longest && strncmp(text, map->guests.items[i], length) == 0 &&
			text[length] == ' ') {
			longest = length;
			found = i;
		}
	}
	return longest > 0 ? map_guest_color(found, out) : "#ffffff";
}

/* Writes a line of text in a CPU's box. */
static void
write_line(struct drawing *drawing, const char *text)
{
	char color[MAP_COLOR_MAX];
	fprintf(drawing->out, "<object type=\"Misc\" gp_index=\"%u\" name=\"%s\">\n",
		++drawing->serial, text);
	write_color(drawing, guest_color(drawing->map, text, color));
	fputs("</object>\n", drawing->out);
}

static void
write_thread(struct drawing *drawing, size_t core, size_t thread)
{
	const struct map *map = drawing->map;
	const uint16_t *cpu = &map->cores[core].cpus[thread];
	enum map_state state = map_state(map, *cpu);
	char *text = map_occupants(map, core, 1, thread), *next = text, *line;
	open_object(drawing, "PU", "CPU", *cpu, cpu, 1);
	write_color(
		drawing, map_cpu_color(state, cpumask_test(map->sets[TOPOLOGY_ISOLATED], *cpu)));
	if (state >= MAP_SHARED)
		write_line(drawing, state == MAP_SHARED ? "! shared" : "! overcommitted");
	while ((line = strsep(&next, ";")) != NULL)
		write_line(drawing, line + strspn(line, " "));
	close_object(drawing);
	free(text);
}

static const char *
core_name(const struct map *map, unsigned cpu)
{
	return cpumask_test(map->sets[TOPOLOGY_PCORES], cpu)   ? "P core"
	       : cpumask_test(map->sets[TOPOLOGY_ECORES], cpu) ? "E core"
							       : "Core";
}

void
map_write_hwloc(FILE *out, const struct map *map)
{
	struct drawing drawing = {.out = out, .map = map};
	const struct topology_objects *all = map->objects[TOPOLOGY_PU];
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<topology version=\"2.0\">\n", out);
	open_object(&drawing, "Machine", "Host", 0, all->cpus, all->count);
	for (size_t i = 0; i < map->core_count; i++) {
		const struct map_core *core = &map->cores[i];
		for (size_t l = 0; l < core->level_count; l++)
			if (map_level_begins(map, i, l))
				open_level(&drawing, &core->levels[l]);
		if (core->object != NULL)
			open_object(&drawing, "Core", core_name(map, core->cpus[0]),
				map_index(map, TOPOLOGY_CORE, core->object), core->cpus,
				core->cpu_count);
		for (size_t t = 0; t < core->cpu_count; t++)
			write_thread(&drawing, i, t);
		if (core->object != NULL)
			close_object(&drawing);
		for (size_t l = core->level_count; l-- > 0;)
			if (map_level_ends(map, i, l))
				close_level(&drawing, &core->levels[l]);
	}
	close_object(&drawing);
	fputs("</topology>\n", out);
}
