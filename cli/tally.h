/* SPDX-License-Identifier: MIT */
/* The last line of a command for several guests: how many there were of each kind. */
#ifndef VMAFFINITY_CLI_TALLY_H
#define VMAFFINITY_CLI_TALLY_H

#include <stddef.h>

struct tally_part {
	size_t count;
	const char *what; /* "already as ruled" */
};

/*
 * Writes "5 guests: 3 pinned, 2 failed" to out; parts that count 0 are left out. tally_print()
 * prints it to stdout.
 */
void tally_text(
	size_t guests, const struct tally_part *parts, size_t part_count, char *out, size_t size);
void tally_print(size_t guests, const struct tally_part *parts, size_t part_count);

#endif
