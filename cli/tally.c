/* SPDX-License-Identifier: MIT */
#include "cli/tally.h"

#include <stdio.h>

/* Bytes of the line: seven parts of a number and a few words. */
#define TALLY_MAX 256

void
tally_text(size_t guests, const struct tally_part *parts, size_t part_count, char *out, size_t size)
{
	const char *separator = ": ";
	int used = snprintf(out, size, "%zu guest%s", guests, guests == 1 ? "" : "s");
	for (size_t i = 0; i < part_count && used >= 0 && (size_t)used < size; i++)
		if (parts[i].count > 0) {
			used += snprintf(out + used, size - (size_t)used, "%s%zu %s", separator,
				parts[i].count, parts[i].what);
			separator = ", ";
		}
}

void
tally_print(size_t guests, const struct tally_part *parts, size_t part_count)
{
	char line[TALLY_MAX];
	tally_text(guests, parts, part_count, line, sizeof(line));
	puts(line);
}
