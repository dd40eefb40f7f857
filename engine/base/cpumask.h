/* SPDX-License-Identifier: MIT */
/* A set of CPUs as a plain value, and its text form, the kernel's cpulist: "0-3,8". */
#ifndef VMAFFINITY_BASE_CPUMASK_H
#define VMAFFINITY_BASE_CPUMASK_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* CPUs 0..8191: NR_CPUS of the largest kernels that distributions build (x86 MAXSMP). */
#define CPUMASK_CPUS 8192u
#define CPUMASK_WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

/* The longest cpulist ("0-1,3-4,6-7...") takes 26,6xx bytes. */
#define CPULIST_MAX 28672

/* Has the layout that sched_setaffinity(2) takes. Zero-initialised, it is the empty set. */
struct cpumask {
	unsigned long words[CPUMASK_CPUS / CPUMASK_WORD_BITS];
};

/* True if cpu is in mask; false for any cpu from CPUMASK_CPUS on. */
bool cpumask_test(const struct cpumask *mask, unsigned cpu);
/* Adds the CPUs first to last to mask. Ignores CPUs from CPUMASK_CPUS on; adds none if last <
 * first. */
void cpumask_set_range(struct cpumask *mask, unsigned first, unsigned last);
/* True if no CPU is in mask. */
bool cpumask_empty(const struct cpumask *mask);
/* True if both masks have the same CPUs. */
bool cpumask_equal(const struct cpumask *a, const struct cpumask *b);

/* True if each CPU of mask is also in of: always true of the empty set. */
bool cpumask_subset(const struct cpumask *mask, const struct cpumask *of);

/* Returns the number of CPUs in mask. */
unsigned cpumask_count(const struct cpumask *mask);

/* Returns the first CPU >= from that is in mask, or CPUMASK_CPUS if there is none. */
unsigned cpumask_next(const struct cpumask *mask, unsigned from);

/* Runs its body for each CPU in mask, in ascending order; mask is evaluated once for each CPU. */
#define cpumask_for_each(cpu, mask)                                                                \
	for (unsigned cpu = cpumask_next(mask, 0); cpu < CPUMASK_CPUS;                             \
		cpu = cpumask_next(mask, cpu + 1))

/* Adds the CPUs of other to mask. */
void cpumask_or(struct cpumask *mask, const struct cpumask *other);

/* Keeps in mask only the CPUs that are also in other. */
void cpumask_and(struct cpumask *mask, const struct cpumask *other);

/* Removes the CPUs of other from mask. */
void cpumask_andnot(struct cpumask *mask, const struct cpumask *other);

/*
 * Reads a CPU, a range "2-5", or a range with a stride "0-31:2/4" (the first 2 of every 4, as the
 * kernel's bitmap_parselist() has it) at *text, adds it to mask and moves *text past it.
 * Returns 0, or -1 with the reason and *text at the fault; mask is then as it was.
 */
int cpumask_parse_range(const char **text, struct cpumask *mask, struct err *e);

/* Reads a whole cpulist as the kernel prints it; "" is the empty set. Returns 0, or -1 with the
 * reason; mask is then as it was.
 */
int cpumask_parse(const char *list, struct cpumask *mask, struct err *e);

/*
 * Writes the cpulist of mask, "" if empty. If size is too small (less than CPULIST_MAX may be), the
 * text is cut after a whole item and ends in ",...". Returns out.
 */
char *cpumask_format(const struct cpumask *mask, char *out, size_t size);

#endif
