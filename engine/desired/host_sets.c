/* SPDX-License-Identifier: MIT */
#include "desired/host_sets.h"

#include <string.h>

static const struct {
	const char *name;
	enum topology_set set;
	const char *none;
} words[] = {
	{"all", TOPOLOGY_ONLINE, "no CPU that is online"},
	{"isolated", TOPOLOGY_ISOLATED,
		"no isolated CPUs (isolcpus= on the kernel's command line)"},
	{"pcores", TOPOLOGY_PCORES, "no performance cores; its cores are all alike"},
	{"ecores", TOPOLOGY_ECORES, "no efficient cores; its cores are all alike"},
};

enum topology_set
host_set_named(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].name) == length && memcmp(words[i].name, text, length) == 0)
			return words[i].set;
	return TOPOLOGY_SETS;
}

/* Reports that the host has no CPU for a word. Returns -1. */
static int
report_none(struct topology *topology, size_t word, struct err *e)
{
	char differences[384] = "";
	bool kinds = words[word].set == TOPOLOGY_PCORES || words[word].set == TOPOLOGY_ECORES;
	if (kinds)
		topology_describe_cores(topology, differences, sizeof(differences));
	if (differences[0] == '\0')
		return err_set(e, "'%s': this host has %s", words[word].name, words[word].none);
	return err_set(e, "'%s': the kernel does not tell kinds of cores here; %s%s",
		words[word].name, differences,
		strstr(differences, "l3:") != NULL
			? "; write 'l3:largest', or name the l3 or the CPUs"
			: "; name the cores or the CPUs");
}

int
host_set_get(struct topology *topology, enum topology_set set, const struct cpumask **cpus,
	struct err *e)
{
	if (topology_get(topology, set, cpus, e) != 0)
		return -1;
	for (size_t i = 0; cpumask_empty(*cpus) && i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].set == set)
			return report_none(topology, i, e);
	return 0;
}
