/* SPDX-License-Identifier: MIT */
#include "pin/dropped.h"

#include <limits.h>
#include <stdio.h>

/* A kind of what is given out. */
struct kind {
	const char *one, *several;
	enum topology_set host;	 /* which of them the host has */
	enum topology_set ready; /* and which can be used */
	const char *one_is_not, *several_are_not;
};

static const struct kind cpu_kind = {
	.one = "CPU",
	.several = "CPUs",
	.host = TOPOLOGY_PRESENT,
	.ready = TOPOLOGY_ONLINE,
	.one_is_not = "is offline",
	.several_are_not = "are offline",
};

static const struct kind node_kind = {
	.one = "node",
	.several = "nodes",
	.host = TOPOLOGY_NODES,
	.ready = TOPOLOGY_MEMORY_NODES,
	.one_is_not = "has no memory",
	.several_are_not = "have no memory",
};

/* What there is to ask about them, and where the answers go. */
struct asked {
	const struct kind *kind;
	struct topology *topology;
	const struct cgroup *cgroup; /* NULL if the guest does not run */
	const char *file;	     /* of the cgroup, see cgroup_find_limit() */
	struct messages *messages;
};

/* What of missing is not in a set of the host's; false if nothing, or if it cannot be known. */
static bool
lacks(const struct asked *asked, enum topology_set set, const struct cpumask *missing,
	const struct cpumask **host, struct cpumask *lacking)
{
	struct err ignored;
	*lacking = *missing;
	if (topology_get(asked->topology, set, host, &ignored) != 0)
		return false;
	cpumask_andnot(lacking, *host);
	return !cpumask_empty(lacking);
}

/* What keeps a guest from missing, for a person: "this host has only CPUs 0-7". */
static void
explain(const struct asked *asked, const struct cpumask *missing, char *out, size_t size)
{
	char list[128], name[NAME_MAX + 1];
	const struct kind *kind = asked->kind;
	const struct cpumask *host;
	struct cpumask lacking, granted;
	struct err ignored;
	if (lacks(asked, kind->host, missing, &host, &lacking)) {
		snprintf(out, size, "this host has only %s %s",
			cpumask_count(host) == 1 ? kind->one : kind->several,
			cpumask_format(host, list, sizeof(list)));
	} else if (lacks(asked, kind->ready, missing, &host, &lacking)) {
		bool one = cpumask_count(&lacking) == 1;
		snprintf(out, size, "%s %s %s", one ? kind->one : kind->several,
			cpumask_format(&lacking, list, sizeof(list)),
			one ? kind->one_is_not : kind->several_are_not);
	} else if (asked->cgroup != NULL && cgroup_find_limit(asked->cgroup, asked->file, missing,
						    name, sizeof(name), &granted, &ignored) == 0) {
		snprintf(out, size, "%s allows only %s", name,
			cpumask_format(&granted, list, sizeof(list)));
	} else {
		snprintf(out, size, "the kernel does not grant them");
	}
}

/* wanted is how the value is called: "vcpus wants". */
static void
message_one(const struct asked *asked, const struct value *value, const char *wanted,
	const struct cpumask *all, const struct cpumask *usable)
{
	char want[128], lost[128], why[512];
	struct cpumask missing = *all;
	cpumask_andnot(&missing, usable);
	if (cpumask_empty(&missing))
		return;
	bool none = cpumask_empty(usable);
	explain(asked, &missing, why, sizeof(why));
	cpumask_format(&missing, lost, sizeof(lost));
	messages_add(asked->messages, none ? MESSAGE_ERROR : MESSAGE_WARNING,
		"%s:%u: %s %s, but %s; %s%s%s", value->file, value->line, wanted,
		cpumask_format(all, want, sizeof(want)), why,
		none ? "no " : "left out: ", none ? asked->kind->one : lost,
		none ? " is left" : "");
}

void
dropped_note(const struct desired *desired, struct topology *topology, const struct cgroup *cgroup,
	struct messages *messages)
{
	struct asked asked = {
		.kind = &cpu_kind, .topology = topology, .cgroup = cgroup, .messages = messages};
	if (cgroup != NULL)
		asked.file = cgroup_effective_file(cgroup);
	for (size_t i = 0; i < desired->mask_count; i++) {
		const struct desired_mask *mask = &desired->masks[i];
		char key[SETTING_KEY_MAX], wanted[SETTING_KEY_MAX + 8];
		snprintf(wanted, sizeof(wanted), "%s wants", setting_key(mask->setting, key));
		message_one(&asked, &mask->setting->value, wanted, &mask->requested, &mask->cpus);
	}
	if (!desired->memory.wanted)
		return;
	asked.kind = &node_kind;
	if (cgroup != NULL)
		asked.file = cgroup_effective_nodes_file(cgroup);
	message_one(&asked, desired->memory.value,
		cpumask_count(&desired->memory.requested) == 1 ? "memory wants node"
							       : "memory wants nodes",
		&desired->memory.requested, &desired->memory.nodes);
}
