/* SPDX-License-Identifier: MIT */
/*
 * Topology words in CPU sets: "node:0.core:2-3.pu:0". A word's list may have commas, so what is one
 * item of a CPU set is said here.
 */
#ifndef VMAFFINITY_DESIRED_CPUSET_WORDS_H
#define VMAFFINITY_DESIRED_CPUSET_WORDS_H

#include "base/cpumask.h"
#include "base/err.h"
#include "host/topology.h"

#include <stdbool.h>
#include <stddef.h>

/* What stands between the items of a CPU set. */
#define CPUSET_SEPARATORS ", \t\r\n\v\f"

/* Whether the item at text is of topology words. */
bool cpuset_words_here(const char *text);

/*
 * The bytes of the item at text, behind its "^" if it has one. After a word's colon a comma belongs
 * to it if a digit follows at once.
 */
size_t cpuset_words_item(const char *text);

/*
 * The CPUs that length bytes of text mean, added to *mask. An index that there is not, or words
 * that mean no CPU at all, are an error that says what there is. With topology NULL the text is
 * only checked, and *mask not touched. On failure *at is the fault's place, or text.
 */
int cpuset_words_eval(struct topology *topology, const char *text, size_t length,
	struct cpumask *mask, const char **at, struct err *e);

#endif
