/* SPDX-License-Identifier: MIT */
/* Describes how the cores of a host differ where the kernel reports no kinds of cores. */
#include "host/topology.h"

#include "base/file.h"
#include "base/number.h"
#include "host/core_kinds_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CPU_DIRECTORY "sys/devices/system/cpu/"

/* Caches index0, index1, ... read of a CPU, as in tree.c. */
#define CACHES_MAX 10u

unsigned
topology_l3_size(struct topology *topology, const struct topology_object *l3)
{
	for (unsigned i = 0; i < CACHES_MAX && l3->cpu_count > 0; i++) {
		char path[96], text[32];
		const char *s = text;
		unsigned size;
		snprintf(path, sizeof(path), CPU_DIRECTORY "cpu%u/cache/index%u/level", l3->cpus[0],
			i);
		if (file_read_value(topology->root, path, text, sizeof(text)) != 0)
			return 0;
		if (strcmp(text, "3") != 0)
			continue;
		snprintf(path, sizeof(path), CPU_DIRECTORY "cpu%u/cache/index%u/size", l3->cpus[0],
			i);
		if (file_read_value(topology->root, path, text, sizeof(text)) != 0 ||
			number_parse(&s, INT_MAX, &size) != 0 || strcmp(s, "K") != 0)
			return 0;
		return size;
	}
	return 0;
}

const char *
topology_size_text(unsigned kib, char out[TOPOLOGY_SIZE_MAX])
{
	bool whole = kib % 1024 == 0;
	snprintf(out, TOPOLOGY_SIZE_MAX, "%u %s", whole ? kib / 1024 : kib, whole ? "MB" : "KB");
	return out;
}

__attribute__((format(printf, 3, 4))) static void
describe_append(char *out, size_t size, const char *format, ...)
{
	size_t used = strlen(out);
	va_list args;
	va_start(args, format);
	vsnprintf(out + used, size - used, format, args);
	va_end(args);
}

/* Appends a number and the CPUs that have it. */
static void
append_cpus(const struct cpu_numbers *numbers, unsigned number, char *out, size_t size)
{
	struct cpumask cpus = {0};
	char list[64];
	cpumask_for_each (cpu, &numbers->known)
		if (numbers->of[cpu] == number)
			cpumask_set_range(&cpus, cpu, cpu);
	describe_append(out, size, "%u (CPU%s %s)", number, cpumask_count(&cpus) == 1 ? "" : "s",
		cpumask_format(&cpus, list, sizeof(list)));
}

/* Appends the extremes of a file's numbers, unless all CPUs have the same. */
static void
describe_numbers(struct topology *topology, const char *file, char *out, size_t size)
{
	struct cpu_numbers numbers;
	struct err ignored;
	const struct cpumask *online;
	if (topology_get(topology, TOPOLOGY_ONLINE, &online, &ignored) != 0 ||
		core_kinds_read_numbers(topology->root, online, file, &numbers, &ignored) != 0 ||
		numbers.least >= numbers.most)
		return;
	describe_append(out, size, "%s%s is ", *out != '\0' ? "; " : "", file);
	append_cpus(&numbers, numbers.most, out, size);
	describe_append(out, size, " to ");
	append_cpus(&numbers, numbers.least, out, size);
}

/* Appends the L3s by size, the largest first, unless all have the same size or one has none. */
static void
describe_l3(struct topology *topology, char *out, size_t size)
{
	const struct topology_objects *l3;
	struct err ignored;
	unsigned least = UINT_MAX, most = 0;
	if (topology_objects(topology, TOPOLOGY_L3, &l3, &ignored) != 0)
		return;
	for (size_t i = 0; i < l3->count; i++) {
		unsigned kib = topology_l3_size(topology, &l3->items[i]);
		least = kib < least ? kib : least;
		most = kib > most ? kib : most;
	}
	if (least >= most || least == 0)
		return;
	describe_append(out, size, "%sits L3s differ in size", *out != '\0' ? "; " : "");
	for (unsigned next = most; next != 0;) {
		struct cpumask indexes = {0}, cpus = {0};
		char list[64], cpu_list[64], text[TOPOLOGY_SIZE_MAX];
		unsigned current = next;
		next = 0;
		for (size_t i = 0; i < l3->count; i++) {
			unsigned kib = topology_l3_size(topology, &l3->items[i]);
			if (kib < current && kib > next)
				next = kib;
			for (size_t j = 0; kib == current && j < l3->items[i].cpu_count; j++)
				cpumask_set_range(
					&cpus, l3->items[i].cpus[j], l3->items[i].cpus[j]);
			if (kib == current)
				cpumask_set_range(&indexes, (unsigned)i, (unsigned)i);
		}
		describe_append(out, size, "%s l3:%s %s (CPUs %s)", current == most ? ":" : ",",
			cpumask_format(&indexes, list, sizeof(list)),
			topology_size_text(current, text),
			cpumask_format(&cpus, cpu_list, sizeof(cpu_list)));
	}
}

void
topology_describe_cores(struct topology *topology, char *out, size_t size)
{
	*out = '\0';
	describe_l3(topology, out, size);
	describe_numbers(topology, "cpu_capacity", out, size);
	describe_numbers(topology, "acpi_cppc/highest_perf", out, size);
	describe_numbers(topology, "cpufreq/cpuinfo_max_freq", out, size);
}
