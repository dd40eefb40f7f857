/* SPDX-License-Identifier: MIT */
/* Finds sections of one file by name, to report one that is repeated. */
#include "rules/sections.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/*
 * Returns the place of a name in the table: the one that has it, or else the free one for it. The
 * table is never full. hsearch(3) is no choice: glibc's hash loses a long name's first characters.
 */
static struct section *
find_section(const struct sections *sections, const char *name)
{
	struct section *table = sections->table;
	size_t i = hash_text(name) & (sections->room - 1);
	while (table[i].name != NULL && strcmp(table[i].name, name) != 0)
		i = (i + 1) & (sections->room - 1);
	return &table[i];
}

/* Makes room for one more section. At least half of the table stays free. */
static int
make_room_for_section(struct sections *sections)
{
	if (2 * sections->count < sections->room)
		return 0;
	struct sections larger = {
		.count = sections->count, .room = sections->room == 0 ? 16 : 2 * sections->room};
	larger.table = calloc(larger.room, sizeof(*larger.table));
	if (larger.table == NULL)
		return -1;
	for (size_t i = 0; i < sections->room; i++)
		if (sections->table[i].name != NULL)
			*find_section(&larger, sections->table[i].name) = sections->table[i];
	free(sections->table);
	*sections = larger;
	return 0;
}

int
sections_add(struct sections *sections, const char *name, unsigned line, struct err *e)
{
	if (make_room_for_section(sections) != 0)
		return err_set(e, "out of memory");
	struct section *section = find_section(sections, name);
	if (section->name != NULL)
		return err_set(e, "section [%s] already begins at line %u; write its keys there",
			name, section->line);
	*section = (struct section){.name = name, .line = line};
	sections->count++;
	return 0;
}

void
sections_free(struct sections *sections)
{
	free(sections->table);
	*sections = (struct sections){0};
}
