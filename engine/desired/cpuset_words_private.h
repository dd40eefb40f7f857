/* SPDX-License-Identifier: MIT */
/* Parses the words and lists of a chain, for cpuset_words.c alone. */
#ifndef VMAFFINITY_DESIRED_CPUSET_WORDS_PRIVATE_H
#define VMAFFINITY_DESIRED_CPUSET_WORDS_PRIVATE_H

#include "base/err.h"
#include "host/topology.h"

#include <stdbool.h>
#include <stddef.h>

/* A word and its list: "core:2-3,7", "pcores.core:2-3" or, for all of them, "pcores". */
struct link {
	enum topology_kind kind;
	enum topology_set within;
	const char *text;
	size_t length; /* of text up to its list */
	const char *list, *end;
	bool no_list; /* "pcores" at the end of a chain: list is "all" */
};

/* One range of a list: "2-3", "2", "2-", "all" or "largest". */
struct range {
	const char *text;
	size_t length;
	unsigned first, last; /* last UINT_MAX: to the end */
	bool largest;	      /* only the L3s of the largest size */
};

/*
 * Reads the word and the list at *s, which end at end at the latest, and moves *s past them.
 * Returns 0, or -1 with the reason and *s at the fault.
 */
int cpuset_words_parse_link(const char **s, const char *end, struct link *link, struct err *e);

/* Reads the range at *s, in the list of link. Returns as cpuset_words_parse_link() does. */
int cpuset_words_parse_range(
	const char **s, const struct link *link, struct range *range, struct err *e);

#endif
