/* SPDX-License-Identifier: MIT */
/* Keeps saved affinities in a list for their order and in two search trees for their keys. */
#include "pin/saved_affinity.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int
compare_tids(const void *a, const void *b)
{
	const struct saved_affinity *one = a, *other = b;
	return (one->tid > other->tid) - (one->tid < other->tid);
}

static int
compare_masks(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct cpumask));
}

/* Returns the stored mask that equals cpus, stored now if there was none; NULL: no memory. */
static const struct cpumask *
store_mask(struct saved_affinities *saved, const struct cpumask *cpus)
{
	struct cpumask **found = tfind(cpus, &saved->masks, compare_masks);
	if (found != NULL)
		return *found;
	struct cpumask *mask = malloc(sizeof(*mask));
	if (mask == NULL)
		return NULL;
	*mask = *cpus;
	if (tsearch(mask, &saved->masks, compare_masks) != NULL)
		return mask;
	free(mask);
	return NULL;
}

int
saved_affinities_add(struct saved_affinities *saved, struct thread_group group, pid_t tid,
	const struct cpumask *cpus)
{
	const struct cpumask *mask = store_mask(saved, cpus);
	struct saved_affinity *added = malloc(sizeof(*added));
	if (mask == NULL || added == NULL) {
		free(added);
		return -1;
	}
	*added = (struct saved_affinity){
		.previous = saved->last, .group = group, .tid = tid, .cpus = mask};
	struct saved_affinity **kept = tsearch(added, &saved->by_tid, compare_tids);
	if (kept == NULL || *kept != added)
		free(added);
	else
		saved->last = added;
	return kept != NULL ? 0 : -1;
}

bool
saved_affinities_has(const struct saved_affinities *saved, pid_t tid)
{
	const struct saved_affinity key = {.tid = tid};
	return tfind(&key, &saved->by_tid, compare_tids) != NULL;
}

const struct saved_affinity *
saved_affinities_first(const struct saved_affinities *saved, struct thread_group group)
{
	const struct saved_affinity *first = NULL;
	for (const struct saved_affinity *item = saved->last; item != NULL; item = item->previous)
		if (thread_group_compare(item->group, group) == 0)
			first = item;
	return first;
}

void
saved_affinities_free(struct saved_affinities *saved)
{
	tdestroy(saved->by_tid, free);
	tdestroy(saved->masks, free);
	*saved = (struct saved_affinities){0};
}
