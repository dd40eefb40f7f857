/* SPDX-License-Identifier: MIT */
/* Numbers that the kernel has for each CPU, for sets.c and describe.c alone. */
#ifndef VMAFFINITY_HOST_CORE_KINDS_PRIVATE_H
#define VMAFFINITY_HOST_CORE_KINDS_PRIVATE_H

#include "base/cpumask.h"
#include "base/err.h"

/* A number that the kernel has for each online CPU. */
struct cpu_numbers {
	unsigned of[CPUMASK_CPUS]; /* by CPU; undefined for CPUs that are not in known */
	struct cpumask known;
	unsigned least, most;
};

/*
 * Reads the number in a file of each online CPU's directory. Returns 0, 1 if the first CPU has no
 * such file, or -1 with the reason.
 */
int core_kinds_read_numbers(int root, const struct cpumask *online, const char *file,
	struct cpu_numbers *numbers, struct err *e);

/*
 * Sorts the online CPUs by capacity (Documentation/ABI/testing/sysfs-devices-system-cpu,
 * cpuX/cpu_capacity), cut at the widest gap: adds those above it to *p and those below it to
 * *efficient. Adds none if no gap is a tenth of the highest capacity, or if the kernel has no such
 * files. Returns 0, or -1 with the reason.
 */
int core_kinds_by_capacity(int root, const struct cpumask *online, struct cpumask *p,
	struct cpumask *efficient, struct err *e);

#endif
