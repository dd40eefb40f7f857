/* SPDX-License-Identifier: MIT */
/* Reads a number of each CPU, and tells kinds of cores apart by one. */
#include "host/core_kinds_private.h"

#include "base/file.h"
#include "base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CPU_DIRECTORY "sys/devices/system/cpu/"

int
core_kinds_read_numbers(int root, const struct cpumask *online, const char *file,
	struct cpu_numbers *numbers, struct err *e)
{
	numbers->known = (struct cpumask){0};
	numbers->least = UINT_MAX;
	numbers->most = 0;
	cpumask_for_each (cpu, online) {
		char path[80], text[32];
		const char *s = text;
		unsigned number;
		snprintf(path, sizeof(path), CPU_DIRECTORY "cpu%u/%s", cpu, file);
		if (file_read_value(root, path, text, sizeof(text)) != 0) {
			if (errno == ENOENT && cpumask_empty(&numbers->known))
				return 1;
			return err_errno(e, "/%s", path);
		}
		if (number_parse(&s, INT_MAX, &number) != 0 || *s != '\0')
			return err_set(e, "/%s: '%s' is not a number", path, text);
		numbers->of[cpu] = number;
		cpumask_set_range(&numbers->known, cpu, cpu);
		if (number > numbers->most)
			numbers->most = number;
		if (number < numbers->least)
			numbers->least = number;
	}
	return 0;
}

static int
compare_numbers(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
	return (left > right) - (left < right);
}

/*
 * Returns the least capacity of a P-core: the one above the widest gap, the highest of equal gaps.
 * Returns 0 if no gap is a tenth of the highest capacity, as cores of one kind may be favoured by a
 * few per cent of frequency.
 */
static unsigned
find_cut(const struct cpu_numbers *capacities)
{
	unsigned sorted[CPUMASK_CPUS] = {0}, widest = 0, cut = 0;
	size_t count = 0;
	cpumask_for_each (cpu, &capacities->known)
		sorted[count++] = capacities->of[cpu];
	qsort(sorted, count, sizeof(*sorted), compare_numbers);
	for (size_t i = 1; i < count; i++)
		if (sorted[i] - sorted[i - 1] >= widest) {
			widest = sorted[i] - sorted[i - 1];
			cut = sorted[i];
		}
	return widest < capacities->most / 10 + (capacities->most % 10 != 0) ? 0 : cut;
}

int
core_kinds_by_capacity(int root, const struct cpumask *online, struct cpumask *p,
	struct cpumask *efficient, struct err *e)
{
	struct cpu_numbers capacities;
	int r = core_kinds_read_numbers(root, online, "cpu_capacity", &capacities, e);
	unsigned cut = r == 0 && capacities.least < capacities.most ? find_cut(&capacities) : 0;
	if (r < 0 || cut == 0)
		return r < 0 ? -1 : 0;
	cpumask_for_each (cpu, &capacities.known)
		cpumask_set_range(capacities.of[cpu] >= cut ? p : efficient, cpu, cpu);
	return 0;
}
