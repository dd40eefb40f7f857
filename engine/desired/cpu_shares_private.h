/* SPDX-License-Identifier: MIT */
/* Divides CPUs between sets that overlap, for one_to_one.c alone. */
#ifndef VMAFFINITY_DESIRED_CPU_SHARES_PRIVATE_H
#define VMAFFINITY_DESIRED_CPU_SHARES_PRIVATE_H

#include "base/cpumask.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct cpu_shares_part {
	struct cpumask cpus;  /* the CPUs that the part can have */
	size_t needed;	      /* how many of them it needs */
	struct cpumask share; /* the CPUs that it gets */
	bool is_short;	      /* one of the parts that have too few CPUs between them */
};

struct cpu_shares {
	struct cpu_shares_part *parts;
	size_t part_count;
	struct cpumask contested; /* all CPUs of the parts that are short */
};

/*
 * Sets the share of each part: as many of its CPUs as it needs, no CPU in two shares. Finds a
 * division whenever there is one. Returns 0; 1 if there is none, with is_short and contested; or -1
 * without memory.
 */
int cpu_shares_divide(struct cpu_shares *shares, struct err *e);

#endif
