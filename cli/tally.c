/* SPDX-License-Identifier: MIT */
#include "cli/tally.h"

#include <stdio.h>

void
tally_print(size_t guests, const struct tally_part *parts, size_t part_count, const char *rest)
{
	const char *separator = ": ";
	printf("%zu guests", guests);
	for (size_t i = 0; i < part_count; i++)
		if (parts[i].count > 0) {
			printf("%s%zu %s", separator, parts[i].count, parts[i].what);
			separator = ", ";
		}
	printf("%s\n", rest);
}
