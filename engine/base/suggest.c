/* SPDX-License-Identifier: MIT */
#include "base/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* A word at a larger distance is a mere guess. */
#define DISTANCE_MAX 3u

/* Returns the Levenshtein distance, ignoring case; a name above 31 bytes is far from everything. */
static unsigned
distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[32];
	if (la > 31 || lb > 31)
		return 99;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			bool same = tolower((unsigned char)a[i - 1]) ==
				    tolower((unsigned char)b[j - 1]);
			unsigned cost = diagonal + !same;
			diagonal = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[lb];
}

const char *
suggest_nearest(const char *name, const char *const known[], size_t count)
{
	const char *nearest = NULL;
	unsigned best = DISTANCE_MAX + 1;
	for (size_t i = 0; i < count; i++) {
		unsigned d = distance(name, known[i]);
		if (d < best && d < strlen(name)) {
			best = d;
			nearest = known[i];
		}
	}
	return nearest;
}
