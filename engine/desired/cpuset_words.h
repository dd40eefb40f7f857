/* SPDX-License-Identifier: MIT */
/*
 * Evaluates topology words in CPU sets: "node:0.core:2-3.pu:0". A word's list may have commas, so
 * this module also decides where an item of a CPU set ends.
 */
#ifndef VMAFFINITY_DESIRED_CPUSET_WORDS_H
#define VMAFFINITY_DESIRED_CPUSET_WORDS_H

#include "base/cpumask.h"
#include "base/err.h"
#include "host/topology.h"

#include <stdbool.h>
#include <stddef.h>

/* True if the item at text consists of topology words. */
bool cpuset_words_here(const char *text);

/* True if the item at text is meant as a CPU number: "cpu:1", "CPU0", "cpus:0-3". */
bool cpuset_words_is_cpu(const char *text, size_t length);

/* Reports such an item, with the number alone as what to write. Returns -1. */
int cpuset_words_report_cpu(const char *text, size_t length, struct err *e);

/*
 * Returns the length of the item at text, in bytes, after any '^'. After a word's colon a comma is
 * part of the item if a digit follows it at once.
 */
size_t cpuset_words_item(const char *text);

/*
 * Adds the CPUs that length bytes of text name to *mask. An index that the host does not have, and
 * words that name no CPU at all, are an error that says what the host has. With topology NULL the
 * text is only checked and *mask untouched. Returns 0, or -1 with the reason and *at at the fault.
 */
int cpuset_words_eval(struct topology *topology, const char *text, size_t length,
	struct cpumask *mask, const char **at, struct err *e);

#endif
