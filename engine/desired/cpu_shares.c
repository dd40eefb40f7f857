/* SPDX-License-Identifier: MIT */
/*
 * A maximum matching by augmenting paths: a part that finds no free CPU takes one from another
 * part, which takes one in its stead, until a part finds a free one.
 */
#include "desired/cpu_shares_private.h"

#include <stdint.h>
#include <stdlib.h>

#define NONE SIZE_MAX

struct division {
	struct cpu_shares *shares;
	size_t *owner;	     /* by CPU: the part that has it, or NONE */
	size_t *taken_by;    /* by CPU: the part that would take it on this path */
	unsigned *lost;	     /* by part: the CPU that it would lose on this path */
	size_t *queue;	     /* the parts that look for a CPU on this path */
	struct cpumask seen; /* the CPUs that a part on this path would take */
};

/* Gives the free CPU at the end of a path to its part, and so on back to the first part. */
static void
follow_back(struct division *d, unsigned cpu, size_t first)
{
	for (;;) {
		size_t part = d->taken_by[cpu];
		d->owner[cpu] = part;
		if (part == first)
			return;
		cpu = d->lost[part];
	}
}

/* Gives a part one CPU more. Returns false if there is none, with the parts that are short. */
static bool
add_one(struct division *d, size_t first)
{
	struct cpu_shares *shares = d->shares;
	size_t head = 0, tail = 0;
	d->seen = (struct cpumask){0};
	for (size_t i = 0; i < shares->part_count; i++)
		shares->parts[i].is_short = false;
	shares->parts[first].is_short = true; /* on this path; it is so in truth if it fails */
	d->queue[tail++] = first;
	while (head < tail) {
		size_t part = d->queue[head++];
		struct cpumask new = shares->parts[part].cpus;
		cpumask_andnot(&new, &d->seen);
		cpumask_or(&d->seen, &new);
		cpumask_for_each (cpu, &new) {
			size_t owner = d->owner[cpu];
			if (owner == part)
				continue;
			d->taken_by[cpu] = part;
			if (owner == NONE) {
				follow_back(d, cpu, first);
				return true;
			}
			if (shares->parts[owner].is_short)
				continue;
			shares->parts[owner].is_short = true;
			d->lost[owner] = cpu;
			d->queue[tail++] = owner;
		}
	}
	shares->contested = d->seen;
	return false;
}

static int
divide(struct division *d)
{
	struct cpu_shares *shares = d->shares;
	for (unsigned cpu = 0; cpu < CPUMASK_CPUS; cpu++)
		d->owner[cpu] = NONE;
	for (size_t i = 0; i < shares->part_count; i++)
		for (size_t j = 0; j < shares->parts[i].needed; j++)
			if (!add_one(d, i))
				return 1;
	for (unsigned cpu = 0; cpu < CPUMASK_CPUS; cpu++)
		if (d->owner[cpu] != NONE)
			cpumask_set_range(&shares->parts[d->owner[cpu]].share, cpu, cpu);
	return 0;
}

int
cpu_shares_divide(struct cpu_shares *shares, struct err *e)
{
	struct division d = {.shares = shares};
	d.owner = calloc(CPUMASK_CPUS, sizeof(*d.owner));
	d.taken_by = calloc(CPUMASK_CPUS, sizeof(*d.taken_by));
	d.lost = calloc(shares->part_count + 1, sizeof(*d.lost));
	d.queue = calloc(shares->part_count + 1, sizeof(*d.queue));
	bool room = d.owner != NULL && d.taken_by != NULL && d.lost != NULL && d.queue != NULL;
	int r = room ? divide(&d) : err_set(e, "out of memory");
	free(d.owner);
	free(d.taken_by);
	free(d.lost);
	free(d.queue);
	return r;
}
