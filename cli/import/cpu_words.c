/* SPDX-License-Identifier: MIT */
#include "cli/import/cpu_words.h"

#include "cli/command.h"

#include <stdbool.h>

/* Bytes of a list in one line. */
#define LINE_MAX_LIST 80

/* True if a set of the host is these CPUs. */
static bool
is_set(struct topology *topology, enum topology_set set, const struct cpumask *cpus)
{
	const struct cpumask *mask;
	struct err ignored;
	return topology_get(topology, set, &mask, &ignored) == 0 && cpumask_equal(mask, cpus);
}

/* True if an object has these CPUs and no others. */
static bool
is_object(const struct topology_object *object, const struct cpumask *cpus)
{
	struct cpumask own = {0};
	for (size_t i = 0; i < object->cpu_count; i++)
		cpumask_set_range(&own, object->cpus[i], object->cpus[i]);
	return !object->near && cpumask_equal(&own, cpus);
}

/* Prints the word of the object that has these CPUs, "node:1". A host's only one has no word. */
static bool
print_object(FILE *out, struct topology *topology, const struct cpumask *cpus)
{
	static const struct {
		enum topology_kind kind;
		const char *word;
	} kinds[] = {{TOPOLOGY_NODE, "node"}, {TOPOLOGY_PACKAGE, "package"}, {TOPOLOGY_L3, "l3"}};
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const struct topology_objects *objects;
		struct err ignored;
		if (topology_objects(topology, kinds[k].kind, &objects, &ignored) != 0 ||
			objects->count < 2)
			continue;
		for (size_t i = 0; i < objects->count; i++)
			if (is_object(&objects->items[i], cpus)) {
				fprintf(out, "%s:%zu", kinds[k].word, i);
				return true;
			}
	}
	return false;
}

void
cpu_words_print(FILE *out, struct topology *topology, const struct cpumask *cpus)
{
	char list[CPULIST_MAX];
	if (is_set(topology, TOPOLOGY_ONLINE, cpus))
		fputs("all", out);
	else if (is_set(topology, TOPOLOGY_PCORES, cpus))
		fputs("pcores", out);
	else if (is_set(topology, TOPOLOGY_ECORES, cpus))
		fputs("ecores", out);
	else if (!print_object(out, topology, cpus))
		print_broken(out, cpumask_format(cpus, list, sizeof(list)), ',', 0, LINE_MAX_LIST,
			"\n\t"); /* as the rules have it */
}
