/* SPDX-License-Identifier: MIT */
/* The last line of a command for several guests: how many there were of each kind. */
#ifndef VMAFFINITY_CLI_TALLY_H
#define VMAFFINITY_CLI_TALLY_H

#include <stddef.h>

struct tally_part {
	size_t count;
	const char *what; /* "already as ruled" */
};

/* Prints "5 guests: 3 pinned, 2 failed" and the text rest; parts that count 0 are left out. */
void tally_print(
	size_t guests, const struct tally_part *parts, size_t part_count, const char *rest);

#endif
